import { linesOf } from "./decode-text.ts";
import { InputError } from "./errors.ts";
import type { SentencePairs } from "./types.ts";

/**
 * Pairs of which each is a line: a sentence, a tab, its translation; what follows a second tab is left alone.
 *
 * @param name of the file, for messages
 * @param what it is that follows the tab, for messages
 * @throws InputError with the line that is not like this
 */
export function parsePairs(text: string, name: string, what = "its translation"): SentencePairs {
  const source: string[] = [];
  const target: string[] = [];
  for (const [i, line] of linesOf(text).entries()) {
    const [first, second] = line.split("\t", 2).map((sentence) => sentence.trim());
    const wrong =
      line.trim() === ""
        ? "is empty"
        : second === undefined
          ? "has no tab"
          : first === ""
            ? "has nothing before its tab"
            : second === ""
              ? "has nothing after its tab"
              : undefined;
    if (wrong) throw new InputError(`${name}, line ${i + 1} ${wrong}: expected a sentence, a tab and ${what}`);
    source.push(first);
    target.push(second);
  }
  return checked({ source, target }, name);
}

/**
 * Pairs of two texts of which line i of one translates line i of the other.
 *
 * @param names of the two files, for messages
 * @throws InputError where one has more lines, or an empty one
 */
export function alignLines(texts: readonly [string, string], names: readonly [string, string]): SentencePairs {
  const [source, target] = texts.map((text, side) =>
    linesOf(text).map((line, i) => {
      const sentence = line.trim();
      if (sentence === "") throw new InputError(`${names[side]}, line ${i + 1} is empty: expected a sentence a line`);
      return sentence;
    }),
  );
  if (source.length !== target.length) {
    throw new InputError(
      `${names[0]} has ${source.length} lines and ${names[1]} ${target.length}: expected as many, each the translation of the other's`,
    );
  }
  return checked({ source, target }, names[0]);
}

function checked(pairs: SentencePairs, name: string): SentencePairs {
  if (pairs.source.length === 0) throw new InputError(`${name} has no lines: expected a sentence a line`);
  return pairs;
}
