import type * as tfl from "@tensorflow/tfjs-layers";
import { type Candidate, candidates, chooseToken, GptReader, InputError, type Random } from "@tfjs-zoo/models";
import { verifyWeights } from "@tfjs-zoo/models/weights";
import { languageNetworkOf, type ParsedLanguageModel, parseLanguageModel, parseWeights } from "@tfjs-zoo/training";
import { siteUrl } from "../shared/dom.ts";
import { fetchFile } from "../shared/fetch-file.ts";
import type { Pretrained } from "../shared/pretrained.ts";

/** What the network said of one place: the token that was drawn, and the likeliest that could have been. */
export interface Place {
  id: number;
  /** of the token, as the network has it: without temperature */
  probability: number;
  alternatives: Candidate[];
}

/** How many alternatives a place keeps. */
const KEPT = 8;

/** A network that goes on with a text. */
export class Writer {
  private readonly reader: GptReader;

  private constructor(
    readonly name: string,
    private readonly file: ParsedLanguageModel,
    private readonly network: tfl.LayersModel,
  ) {
    this.reader = new GptReader(network);
  }

  /** @throws InputError when the weights can't be had, or are not what their card says */
  static async open(entry: Pretrained, onShare?: (share: number) => void): Promise<Writer> {
    const { name, card, file, tokenizer } = entry;
    if (tokenizer === undefined) throw new InputError(`${name} has no tokenizer`);
    const [bytes, json] = await Promise.all([
      fetchFile(siteUrl(file), card.bytes, onShare),
      fetchFile(siteUrl(tokenizer.file), tokenizer.bytes),
    ]);
    await verifyWeights(card, bytes);
    const from = { weights: name, tokenizer: `${name}'s tokenizer` };
    const parsed = parseLanguageModel(parseWeights(bytes, name), new TextDecoder().decode(json), from);
    return new Writer(name, parsed, languageNetworkOf(parsed, name));
  }

  /** @throws InputError for a character that the network has no token for */
  encode(text: string): number[] {
    return [...this.file.tokenizer.encode(text)];
  }

  decode(ids: readonly number[]): string {
    return this.file.tokenizer.decode(ids);
  }

  /** Goes on with a text, one place after the other. */
  async *write(
    ids: readonly number[],
    { count, temperature, random }: { count: number; temperature: number; random: Random },
  ): AsyncGenerator<Place, void, undefined> {
    this.reader.forget();
    let logits = await this.reader.read(ids);
    for (let n = 0; n < count; n++) {
      const id = chooseToken(logits, { temperature }, random);
      const all = candidates(logits);
      const { probability } = all.find((candidate) => candidate.id === id) as Candidate;
      yield { id, probability, alternatives: all.slice(0, KEPT) };
      if (n + 1 < count) logits = await this.reader.read([id]);
    }
  }

  dispose(): void {
    this.reader.dispose();
    this.network.dispose();
  }
}
