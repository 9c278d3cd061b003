/** What BERT does to a text before it looks for tokens: its own tokenization.py, BasicTokenizer. */
export interface Cleaning {
  /** Control characters go, and white space becomes spaces. */
  clean: boolean;
  /** Each Han character is a word. */
  splitHan: boolean;
  stripAccents: boolean;
  lowerCase: boolean;
}

const CONTROL = /\ufffd|(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu;
/** The blocks that BERT takes for Chinese; its list goes by blocks, not by script. */
const HAN =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;
/** A sign of ASCII or of Unicode's punctuation is a word, and so is what is between these and white space. */
const WORDS = /[!-/:-@[-`{-~\p{P}]|[^!-/:-@[-`{-~\p{P}\p{White_Space}]+/gu;

export function clean(text: string, { clean, splitHan, stripAccents, lowerCase }: Cleaning): string {
  let result = text;
  if (clean) result = result.replace(CONTROL, "").replace(/\p{White_Space}/gu, " ");
  if (splitHan) result = result.replace(HAN, " $& ");
  if (stripAccents) result = result.normalize("NFD").replace(/\p{Mn}/gu, "");
  // Character by character, as the reference: JavaScript would make a Σ at a word's end a ς.
  if (lowerCase) result = Array.from(result, (character) => character.toLowerCase()).join("");
  return result;
}

export function bertWords(text: string): string[] {
  return text.match(WORDS) ?? [];
}
