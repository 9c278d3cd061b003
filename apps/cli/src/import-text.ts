/** What all networks of text of others have in common when they become files of ours. */
import { existsSync } from "node:fs";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { InputError } from "@tfjs-zoo/models";
import type { Tokenizer } from "@tfjs-zoo/models/text";
import { type ImportReport, importWeights } from "@tfjs-zoo/models/weights";
import { saveTokenizer, tokenizerPath } from "@tfjs-zoo/training/node";
import { type CommonFlags, type Output, startBackendFor } from "./context.ts";

/** A file of weights, and where it goes. */
export interface TextFile {
  /** for messages, and for the tokenizer beside it */
  path: string;
  bytes: Uint8Array;
  out: string;
  /** a tokenizer's file; that beside the weights unless given */
  tokenizer?: string;
  flags: CommonFlags;
  output: Output;
}

/** A network that takes the weights, all of which `weights` has, and what becomes of it. */
export interface TextNetwork {
  weights: LayersModel;
  save(): Promise<unknown>;
  dispose(): void;
}

/**
 * Reads weights into a network, and writes them with their tokenizer.
 *
 * @param what.info what the files say of themselves
 * @throws InputError when the tokenizer's place is taken, or the weights do not fit the network
 */
export async function importText<Info extends { vocabulary: number }>(
  { path, bytes, out, flags, output }: TextFile,
  what: { tokenizer: Tokenizer; info: Info; build(): TextNetwork },
): Promise<ImportReport & Info & { out: string }> {
  const beside = tokenizerPath(out);
  if (existsSync(beside)) {
    throw new InputError(
      `${beside} exists already, and the tokenizer goes there: give an --out in a folder of its own`,
    );
  }
  const { tokenizer, info } = what;
  await startBackendFor(flags, output);
  const network = what.build();
  try {
    const report = importWeights(network.weights, bytes);
    await network.save();
    await saveTokenizer(beside, tokenizer);
    return { ...report, out, ...info };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`${path}: ${error.message} (its tokenizer has ${info.vocabulary} tokens)`);
  } finally {
    network.dispose();
  }
}
