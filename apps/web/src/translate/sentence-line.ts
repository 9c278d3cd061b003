import { make } from "../shared/dom.ts";
import { roam } from "../shared/roam.ts";
import { langOf } from "./languages.ts";
import { SIGN_OF_END, SIGN_OF_PART } from "./token-signs.ts";

/** A sentence whose tokens can be pointed at, and gone through by keys; what it reads as is the sentence itself. */
export class SentenceLine {
  readonly element: HTMLElement;
  /** What each token is called where it is spoken of. */
  readonly names: readonly string[];
  private readonly tokens: readonly HTMLElement[];

  /**
   * @param texts what each token adds to the sentence
   * @param axis of the map of attention, where tokens have their numbers: each has data-row or data-column
   * @param ended whether the last token is the end
   */
  constructor(
    texts: readonly string[],
    { axis, label, language, ended }: { axis: "row" | "column"; label: string; language: string; ended: boolean },
  ) {
    const isEnd = (i: number) => ended && i === texts.length - 1;
    this.names = texts.map((text, i) => (isEnd(i) ? "the end" : nameOf(text)));
    this.tokens = texts.map((text, i) => {
      const token = make("span", { className: isEnd(i) ? "token end" : "token", textContent: text });
      token.tabIndex = i === 0 ? 0 : -1;
      token.dataset[axis] = String(i);
      token.dataset.shown = isEnd(i) ? SIGN_OF_END : SIGN_OF_PART;
      token.setAttribute("role", "option");
      return token;
    });
    this.element = make("p", { className: `tokens of-${axis}`, dir: "auto", lang: langOf(language) }, ...this.tokens);
    this.element.setAttribute("role", "listbox");
    this.element.setAttribute("aria-label", label);
    this.element.setAttribute("aria-orientation", "horizontal");
    roam(this.element, ".token");
  }

  /** Says of each token what a reader can't see. */
  describe(words: (token: number) => string): void {
    for (const [i, token] of this.tokens.entries()) token.setAttribute("aria-label", words(i));
  }

  /** Marks one token, or none. */
  mark(chosen: number | undefined): void {
    for (const [i, token] of this.tokens.entries()) token.setAttribute("aria-selected", String(i === chosen));
  }

  /** Shades tokens by their shares, or takes the shades away. */
  tint(shares: ArrayLike<number> | undefined): void {
    for (const [i, token] of this.tokens.entries()) token.style.setProperty("--share", (shares?.[i] ?? 0).toFixed(4));
  }
}

function nameOf(text: string): string {
  if (text === "") return "part of a character";
  return text.trim() === "" ? "space" : text.trim();
}
