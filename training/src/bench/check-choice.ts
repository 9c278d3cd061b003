import { InputError } from "@tfjs-zoo/models";
import { closest } from "fastest-levenshtein";

/** @throws InputError for a value that is none of the known ones, with the nearest that is */
export function checkChoice<T extends string>(what: string, value: string, known: readonly T[]): T {
  if ((known as readonly string[]).includes(value)) return value as T;
  throw new InputError(
    `unknown ${what} "${value}": did you mean "${closest(value, known)}"? (known: ${known.join(", ")})`,
  );
}
