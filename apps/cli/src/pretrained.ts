import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Card, parseCard } from "@tfjs-zoo/models/weights";

/** The folder of the weights that ship with @tfjs-zoo/models: NAME.TAG/model.safetensors and card.json. */
export function pretrainedFolder(): string {
  const entry = dirname(fileURLToPath(import.meta.resolve("@tfjs-zoo/models")));
  return join(entry, "..", "pretrained");
}

/** The cards of all weights that ship; what is hidden is none of them. */
export async function pretrainedCards(folder = pretrainedFolder()): Promise<Card[]> {
  const names = await readdir(folder).catch(() => [] as string[]);
  return Promise.all(
    names
      .filter((name) => !name.startsWith("."))
      .sort()
      .map(async (name) => parseCard(await readFile(join(folder, name, "card.json"), "utf8"))),
  );
}
