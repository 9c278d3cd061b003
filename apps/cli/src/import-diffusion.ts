/** A network of diffusion of others as a file of ours. */
import { type DiffusionEntry, InputError } from "@tfjs-zoo/models";
import { type ImportReport, importWeights } from "@tfjs-zoo/models/weights";
import { type DiffusionInfo, saveDiffusion } from "@tfjs-zoo/training/node";
import { type CommonFlags, type Output, startBackendFor, UsageError } from "./context.ts";

export interface ImportedDiffusion extends ImportReport, DiffusionInfo {
  out: string;
}

/** What those who published weights of a network trained it on, and how. */
const published: { [model: string]: Pick<DiffusionInfo, "dataset" | "noise" | "times" | "prediction"> } = {
  // Ho, Jain & Abbeel 2020, sec. 4: no classes
  "ddpm-cifar": { dataset: "cifar10", noise: "linear", times: 1000, prediction: "epsilon" },
};

/** @throws UsageError for a network that nobody else has weights of */
export function expectPublished(model: string): void {
  if (Object.hasOwn(published, model)) return;
  throw new UsageError(
    `${model} is nobody else's: train it, or give the name of another network (of diffusion: ${Object.keys(published).join(", ")})`,
  );
}

/**
 * Reads weights as the usual PyTorch port of Ho's code has them (pesser/pytorch_diffusion).
 *
 * @throws InputError when they do not fit the network
 */
export async function importDiffusion(
  path: string,
  bytes: Uint8Array,
  { entry, out }: { entry: DiffusionEntry; out: string },
  flags: CommonFlags,
  output: Output,
): Promise<ImportedDiffusion> {
  const info: DiffusionInfo = { model: entry.name, inputShape: entry.inputShape, ...published[entry.name] };
  await startBackendFor(flags, output);
  const model = entry.build({ seed: null });
  try {
    const report = importWeights(model, bytes);
    await saveDiffusion(out, model, info);
    return { ...report, out, ...info };
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`${path}: ${error.message}`);
    throw error;
  } finally {
    model.dispose();
  }
}
