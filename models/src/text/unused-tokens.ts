import type { Tokenizer } from "./tokenizer.ts";
import { readTokenizer, writeTokenizer } from "./tokenizer-json.ts";

/**
 * The same tokenizer with special tokens behind its own, for no text, up to so many: for a table that has more rows than
 * there are tokens, as T5's, of which 128 shall go into its rows.
 */
export function withUnusedTokens(tokenizer: Tokenizer, size: number): Tokenizer {
  if (size <= tokenizer.vocabularySize) return tokenizer;
  const file = JSON.parse(writeTokenizer(tokenizer)) as { added_tokens: object[] };
  for (let id = tokenizer.vocabularySize; id < size; id++) {
    file.added_tokens.push({ id, content: `<unused_${id}>`, special: true });
  }
  return readTokenizer(JSON.stringify(file));
}
