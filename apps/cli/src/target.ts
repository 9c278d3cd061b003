import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { findModel, InputError } from "@tfjs-zoo/models";
import { closest } from "fastest-levenshtein";
import { pulledWeights } from "./hub/fetch-weights.ts";
import { hosted } from "./hub/hosted.ts";
import { pretrainedCards, pretrainedFolder } from "./pretrained.ts";

/**
 * The file of weights that a user means: a .safetensors file, the folder of a finished run, NAME.TAG of the zoo's
 * or of what was pulled, or NAME where the zoo has one TAG of it.
 *
 * @throws InputError when there is none, with what there is
 */
export async function weightsFile(target: string): Promise<string> {
  if (existsSync(target)) {
    if (statSync(target).isFile()) return target;
    const weights = join(target, "weights.safetensors");
    if (existsSync(weights)) return weights;
    if (existsSync(join(target, "config.json"))) {
      throw new InputError(
        `the run ${target} is not finished, so it has no weights yet: go on with \`npm run train -- --resume ${target}\``,
      );
    }
    throw new InputError(
      `${target} is no run's folder (no config.json in it): give a run, NAME.TAG or a .safetensors file`,
    );
  }
  const published = join(pretrainedFolder(), target, "model.safetensors");
  if (/^[\w.-]+$/.test(target) && existsSync(published)) return published;
  const pulled = pulledWeights(target);
  if (pulled !== undefined) return pulled;
  if (hosted.has(target))
    throw new InputError(`${target} is hosted by others and not here yet: npm run zoo -- pull ${target}`);
  const known = (await pretrainedCards()).map(({ model, tag }) => `${model}.${tag}`);
  const ofName = known.filter((name) => name.startsWith(`${target}.`));
  if (ofName.length === 1) return join(pretrainedFolder(), ofName[0], "model.safetensors");
  const [name] = target.split(".");
  if (known.length === 0 || target.includes("/"))
    throw new InputError(`there is no ${target}: give a run's folder, NAME.TAG or a .safetensors file`);
  if (!target.includes(".")) findModel(name);
  throw new InputError(
    `there are no weights "${target}": did you mean "${closest(target, known)}"? (there are: ${known.join(", ")})`,
  );
}
