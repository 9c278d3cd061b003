import { InputError } from "../errors.ts";

/**
 * The two languages of a direction such as "de-en".
 *
 * @throws InputError unless both are of the set and differ
 */
export function checkDirection<Language extends string>(
  direction: string,
  languages: readonly Language[],
  name: string,
): [source: Language, target: Language] {
  for (const source of languages) {
    for (const target of languages) {
      if (source !== target && direction === `${source}-${target}`) return [source, target];
    }
  }
  const known = languages.flatMap((source) => languages.filter((l) => l !== source).map((l) => `${source}-${l}`));
  throw new InputError(`${name} has no direction "${direction}": give one of ${known.join(", ")}`);
}
