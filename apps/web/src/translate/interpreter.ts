import { type BeamSearchRow, InputError, type Translator, translationAttention } from "@tfjs-zoo/models";
import { tokenTexts } from "@tfjs-zoo/models/text";
import { verifyWeights } from "@tfjs-zoo/models/weights";
import {
  LONGEST_SENTENCE,
  type ParsedTranslator,
  parseTranslator,
  parseWeights,
  sourceIds,
  translateIds,
  translatorNetworkOf,
} from "@tfjs-zoo/training";
import { type Backend, startBackend } from "../shared/backend.ts";
import { fetchFile } from "../shared/fetch-file.ts";
import type { Pretrained } from "../shared/pretrained.ts";
import type { Answer, Order } from "./protocol.ts";

/** Translations that are shown of a sentence, at most. */
const FOUND = 3;

/** A network that translates, and what it reads. */
interface Opened {
  file: ParsedTranslator;
  network: Translator;
}

/** Translates in a worker, by the search of `npm run translate`. */
export class Interpreter {
  private readonly opened = new Map<string, Opened>();
  private backend: Backend | undefined;

  constructor(private readonly say: (text: string) => void) {}

  /** @throws InputError for a sentence that is too long, and where weights can't be had or are not what their card says */
  async translate({ entry, sentence, beams, backend }: Order): Promise<Answer> {
    await this.start(backend);
    const { file, network } = await this.open(entry);
    const { tokenizer, ids } = file;
    const source = sourceIds(sentence, tokenizer, ids);
    if (source.length > LONGEST_SENTENCE) {
      throw new InputError(
        `The sentence has ${source.length} tokens, and ${LONGEST_SENTENCE} at most can be read: give its sentences one by one`,
      );
    }
    this.say(`${entry.name} is translating …`);
    const began = performance.now();
    const [row] = await translateIds(network, [source], ids, { beams, best: Math.min(beams, FOUND) });
    const seconds = (performance.now() - began) / 1000;
    const attention = await translationAttention(network, source, row.results[0], ids.bos);
    return { name: entry.name, backend, ...shown(file, source, row), attention, seconds };
  }

  /** A network's weights lie on the backend that was in use when it was built. */
  private async start(backend: Backend): Promise<void> {
    if (this.backend === backend) return;
    this.say("Starting …");
    for (const { network } of this.opened.values()) network.dispose();
    this.opened.clear();
    this.backend = undefined;
    await startBackend(backend);
    this.backend = backend;
  }

  private async open(entry: Pretrained): Promise<Opened> {
    const { name, card, file: url, tokenizer } = entry;
    const known = this.opened.get(name);
    if (known) return known;
    if (tokenizer === undefined) throw new InputError(`${name} has no tokenizer`);
    let said = "";
    const sayShare = (share: number) => {
      const line = `Fetching ${name}: ${Math.round(100 * share)}\u00a0%`;
      if (line !== said) this.say(line);
      said = line;
    };
    const [bytes, json] = await Promise.all([
      fetchFile(url, card.bytes, sayShare),
      fetchFile(tokenizer.file, tokenizer.bytes),
    ]);
    await verifyWeights(card, bytes);
    const from = { weights: name, tokenizer: `${name}'s tokenizer` };
    const file = parseTranslator(parseWeights(bytes, name), new TextDecoder().decode(json), from);
    const opened = { file, network: translatorNetworkOf(file, name) };
    this.opened.set(name, opened);
    return opened;
  }
}

/** A search's outcome in texts. */
function shown(
  { tokenizer, ids }: ParsedTranslator,
  source: Int32Array,
  { results, tree }: BeamSearchRow,
): Omit<Answer, "name" | "backend" | "attention" | "seconds"> {
  const [{ tokens, ended }] = results;
  return {
    found: results.map(({ tokens, score, node }) => ({ text: tokenizer.decode(tokens).trim(), score, node })),
    source: tokenTexts(tokenizer, source),
    written: tokenTexts(tokenizer, ended ? [...tokens, ids.eos] : tokens),
    ended,
    tree,
    nodeTexts: tree.map(({ token }) => tokenizer.decode([token])),
  };
}
