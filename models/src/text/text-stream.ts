import type { Tokenizer } from "./tokenizer.ts";

/**
 * The text of tokens that come one at a time. What a token adds may depend on those before it, and the bytes of one
 * character may be several tokens: so it decodes again what has not been shown whole, and the tokens before that.
 */
export class TextStream {
  private readonly tokenizer: Tokenizer;
  /** what was last shown, and what has come since */
  private ids: number[] = [];
  /** how many of them were shown */
  private shown = 0;

  constructor(tokenizer: Tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** @returns the text that can be shown now, "" where a character is not whole yet */
  push(...ids: number[]): string {
    this.ids.push(...ids);
    const [before, text] = this.texts();
    if (text.length <= before.length || text.endsWith("\uFFFD")) return "";
    this.ids = this.ids.slice(this.shown);
    this.shown = this.ids.length;
    return text.slice(before.length);
  }

  /** The rest, where the last character never became whole. */
  end(): string {
    const [before, text] = this.texts();
    this.ids = [];
    this.shown = 0;
    return text.slice(before.length);
  }

  private texts(): [before: string, all: string] {
    return [this.tokenizer.decode(this.ids.slice(0, this.shown)), this.tokenizer.decode(this.ids)];
  }
}
