import { InputError } from "./errors.ts";
import type { TextDataset } from "./types.ts";

const TRAIN_SHARE = 0.9;
const FEWEST = 10;

/**
 * The first nine tenths of a text to train on, the rest to validate on, as nanoGPT has it. A character is a UTF-16 code
 * unit here; a pair of surrogates is not cut.
 *
 * @throws InputError for a text of fewer than 10 characters, or of nothing but white space
 */
export function splitText(text: string, name: string): Pick<TextDataset, "train" | "validation"> {
  if (text.length < FEWEST || text.trim() === "") {
    throw new InputError(`${name} has ${text.trim().length} characters: at least ${FEWEST} are needed`);
  }
  let end = Math.floor(TRAIN_SHARE * text.length);
  if (/[\udc00-\udfff]/.test(text[end]) && /[\ud800-\udbff]/.test(text[end - 1])) end--;
  return { train: text.slice(0, end), validation: text.slice(end) };
}
