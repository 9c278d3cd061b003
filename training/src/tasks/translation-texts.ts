import { attentionMatrix, type BeamResult, type Translator, translationAttention } from "@tfjs-zoo/models";
import { decodeWithSentinels, type Tokenizer, WordTokenizer } from "@tfjs-zoo/models/text";
import type { PairIds } from "./translate.ts";

/** What a text is made with. */
export interface Spelling {
  translator: Translator;
  tokenizer: Tokenizer;
  ids: PairIds;
  /** Whether unknown words are copied from the source; as a rule they are. */
  copy?: boolean;
}

/**
 * The text of a translation. A word that the vocabulary lacks is copied from the source, from where the network looked most
 * when it wrote it (Jean et al. 2015, "On using very large target vocabulary for neural machine translation"; Luong, Pham &
 * Manning 2015): a name, as a rule, or a number. Subwords and characters have no unknown words.
 *
 * @param sentence that was translated  @param source its ids, as the network read them
 */
export async function translationText(
  { translator, tokenizer, ids, copy = true }: Spelling,
  sentence: string,
  source: Int32Array,
  result: Pick<BeamResult, "tokens" | "ended">,
): Promise<string> {
  const { tokens } = result;
  if (!copy || !(tokenizer instanceof WordTokenizer) || !tokens.includes(tokenizer.unknownId)) {
    return decodeWithSentinels(tokens, tokenizer);
  }
  const words = tokenizer.words(sentence).slice(0, source.length - 1); // behind them is the end
  const matrix = attentionMatrix(await translationAttention(translator, source, result, ids.bos));
  const written = tokens.map((id, i) => {
    if (id !== tokenizer.unknownId) return tokenizer.isSpecial(id) ? "" : tokenizer.wordOf(id);
    return words[largestPlace(matrix[i].subarray(0, words.length))] ?? "";
  });
  return tokenizer.join(written).trim();
}

const largestPlace = (row: Float32Array): number => row.reduce((best, share, j) => (share > row[best] ? j : best), 0);
