import { basename } from "node:path";

/**
 * A run's default folder name: `<model>-<dataset>-<recipe>-s<seed>`, only of characters that every file system takes.
 * A recipe without a name counts as "custom".
 */
export function runName(config: { model: string; dataset: string; recipeName?: unknown; seed: number }): string {
  const recipe = typeof config.recipeName === "string" ? config.recipeName : "custom";
  return `${part(config.model)}-${part(config.dataset)}-${part(recipe)}-s${config.seed}`;
}

/** A data set or a model may be given as a path: its last component says enough. */
function part(text: string): string {
  const clean = basename(text.replaceAll("\\", "/"))
    .replace(/[^\w.-]+/g, "-")
    .replace(/^[-.]+|[-.]+$/g, "");
  return clean.slice(0, 60) || "unnamed";
}
