import type * as tfl from "@tensorflow/tfjs-layers";
import { type Bert, disposeBert, findTextEncoder, InputError } from "@tfjs-zoo/models";
import type { SafeTensors } from "@tfjs-zoo/models/weights";
import { fill, type Metadata, saidClasses, saidModel, saidNumber } from "./weights-file.ts";

/** What a file of a text encoder's weights says of itself. */
export interface TextEncoderInfo {
  model: string;
  /** what it was trained on */
  dataset: string;
  /** tokens that there are, and the most of a text */
  vocabulary: number;
  context: number;
  /** what it tells apart; not there where it learned from text alone */
  classes?: readonly string[];
}

/** What a file says of a text encoder, as texts: formats of weights hold nothing else. */
export const textEncoderMetadata = ({ vocabulary, context, classes, ...names }: TextEncoderInfo) => ({
  ...names,
  vocabulary: String(vocabulary),
  context: String(context),
  ...(classes && { classes: JSON.stringify(classes) }),
});

/** @throws InputError when a file does not say which text encoder it is of */
export function textEncoderInfo(metadata: Metadata, from: string): TextEncoderInfo {
  const { name: model } = findTextEncoder(saidModel(metadata, from));
  return {
    ...{ model, dataset: metadata.dataset ?? "unknown" },
    vocabulary: saidNumber(metadata, "vocabulary", { most: 2 ** 20 }, from),
    context: saidNumber(metadata, "context", { most: 2 ** 16 }, from),
    ...(metadata.classes !== undefined && { classes: saidClasses(metadata.classes, 2, from) }),
  };
}

/** The tensors of a text encoder's file, and what it says of itself. */
export interface ParsedTextEncoder {
  info: TextEncoderInfo;
  parsed: SafeTensors;
}

/**
 * Builds the network of a file that has learned from text alone.
 *
 * @throws InputError when it tells classes apart, or its tensors do not fit the network that it names
 */
export function bertFrom({ info, parsed }: ParsedTextEncoder, from: string): Bert {
  const { model: name, vocabulary, context, classes } = info;
  if (classes) {
    throw new InputError(
      `${from} tells ${classes.length} classes apart and knows no words to fill in: give one that learned from text alone`,
    );
  }
  const network = findTextEncoder(name).build({ vocabulary, context, seed: null });
  fill(network.pretrain, parsed, from, () => disposeBert(network));
  return network;
}

/**
 * Builds the network of a file that tells texts apart.
 *
 * @throws InputError when it learned from text alone, or its tensors do not fit the network that it names
 */
export function textClassifierFrom({ info, parsed }: ParsedTextEncoder, from: string): tfl.LayersModel {
  const { model: name, vocabulary, context, classes } = info;
  if (classes === undefined) {
    throw new InputError(`${from} learned from text alone and tells no classes apart: fine-tune it with train --init`);
  }
  const model = findTextEncoder(name).classifier({ vocabulary, context, classes: classes.length, seed: null });
  fill(model, parsed, from);
  return model;
}
