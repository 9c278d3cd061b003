/**
 * Text as bytes, in GPT-2's way (Radford et al. 2019, sec. 2.2): 256 base tokens are enough for whatever is written, so
 * that nothing is unknown. A byte is spelt as a character that can be seen; the space is "Ġ".
 */

/**
 * How GPT-2 cuts text into words: a space belongs to the word after it, and a run of white space gives its last one
 * away. White space is Unicode's, as in the reference; JavaScript's own \s has U+FEFF and lacks U+0085.
 */
const WORDS =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/**
 * The words of a text, with all its characters.
 *
 * @param addPrefixSpace puts a space before the first word, unless there is one: then it has the same tokens as elsewhere
 */
export function wordsOf(text: string, addPrefixSpace: boolean): string[] {
  const prefix = addPrefixSpace && text !== "" && !text.startsWith(" ") ? " " : "";
  return (prefix + text).match(WORDS) ?? [];
}

/** The character that stands for each byte: its own where that is visible in Latin-1, else one from U+0100 on. */
export const byteCharacters: readonly string[] = (() => {
  let next = 256;
  const isVisible = (byte: number) =>
    (byte > 32 && byte < 127) || (byte > 160 && byte !== 173); /* 173 is the soft hyphen */
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isVisible(byte) ? byte : next++));
})();

/** The 256 characters in the order of their code points, which is the order of their ids. */
export const byteAlphabet: readonly string[] = [...byteCharacters].sort((a, b) => a.charCodeAt(0) - b.charCodeAt(0));

const bytes = new Map(byteCharacters.map((character, byte) => [character, byte]));

/** The byte that a character stands for, if it is one of the 256. */
export const byteOf = (character: string): number | undefined => bytes.get(character);

const utf8 = new TextEncoder();

/** A text with each of its bytes as the character that stands for it. */
export const spelt = (text: string): string => Array.from(utf8.encode(text), (byte) => byteCharacters[byte]).join("");

/**
 * The text of tokens that are spelt so; what is no UTF-8 becomes U+FFFD.
 *
 * @param asTheyAre of which tokens the text itself is meant: special ones
 * @returns undefined where a token has a character that stands for no byte
 */
export function textOf(tokens: readonly string[], asTheyAre: (i: number) => boolean = () => false): string | undefined {
  const all: number[] = [];
  for (const [i, token] of tokens.entries()) {
    if (asTheyAre(i)) {
      for (const byte of utf8.encode(token)) all.push(byte);
      continue;
    }
    for (const character of token) {
      const byte = byteOf(character);
      if (byte === undefined) return undefined;
      all.push(byte);
    }
  }
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(all));
}
