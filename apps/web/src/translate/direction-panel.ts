import { make, short } from "../shared/dom.ts";
import type { Pretrained } from "../shared/pretrained.ts";
import { answerView } from "./answer-view.ts";
import { examples, langOf, languageName } from "./languages.ts";
import type { Answer } from "./protocol.ts";

export interface DirectionOptions {
  /** codes of the languages */
  source: string;
  target: string;
  /** all that translate in this direction; their answers stand side by side */
  networks: readonly Pretrained[];
  onAsk(): void;
  /** Sends a translation the other way; undefined where no network goes there. */
  onBack?(text: string): void;
}

/** One direction of translation: a field for a sentence, and what each network makes of it. */
export class DirectionPanel {
  readonly element: HTMLElement;
  readonly source: string;
  readonly target: string;
  readonly networks: readonly Pretrained[];
  private readonly field: HTMLTextAreaElement;
  private readonly answers = new Map<string, HTMLElement>();

  constructor(private readonly options: DirectionOptions) {
    const { source, target, networks, onAsk } = options;
    [this.source, this.target, this.networks] = [source, target, networks];
    const [from, into] = [source, target].map(languageName);
    const sentences = examples[source] ?? [];
    this.field = make("textarea", { rows: 2, lang: langOf(source), dir: "auto", value: sentences[0] ?? "" });
    const form = make(
      "form",
      { className: "ask" },
      make("label", { className: "wide" }, `A sentence in ${from}`, this.field),
      make("button", { type: "submit", className: "primary", textContent: `Translate into ${into}` }),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      onAsk();
    });
    this.field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
    const title = make("h2", { id: `direction-${source}-${target}`, textContent: `${from} → ${into}` });
    title.setAttribute("aria-label", `${from} to ${into}`);
    this.element = make("section", { className: "direction" }, title, form, this.exampleList(sentences));
    this.element.setAttribute("aria-labelledby", title.id);
    this.element.append(make("div", { className: "answers" }, ...networks.map((network) => this.placeFor(network))));
  }

  get sentence(): string {
    return this.field.value;
  }

  set sentence(text: string) {
    this.field.value = text;
  }

  show(answer: Answer): void {
    const { source, target, onBack } = this.options;
    const back =
      onBack &&
      make("button", { type: "button", className: "back", textContent: `And back into ${languageName(source)}` });
    back?.addEventListener("click", () => onBack?.(answer.found[0].text));
    this.answers.get(answer.name)?.replaceChildren(answerView(answer, { source, target }, back ? [back] : []));
  }

  /** Takes away what was answered to another sentence. */
  clear(): void {
    for (const place of this.answers.values()) place.replaceChildren();
  }

  setBusy(busy: boolean): void {
    for (const button of this.element.querySelectorAll<HTMLButtonElement>("button[type=submit], .example, .back")) {
      button.disabled = busy;
    }
  }

  private exampleList(sentences: readonly string[]): HTMLElement {
    const buttons = sentences.map((sentence) => {
      const button = make("button", {
        type: "button",
        className: "example",
        textContent: sentence,
        lang: langOf(this.source),
      });
      button.addEventListener("click", () => {
        this.sentence = sentence;
        this.options.onAsk();
      });
      return make("li", {}, button);
    });
    const list = make("ul", { className: "examples" }, ...buttons);
    list.setAttribute("aria-label", "Examples");
    list.hidden = sentences.length === 0;
    return list;
  }

  private placeFor({ name, card }: Pretrained): HTMLElement {
    const { metric, parameters } = card;
    const bleu = `BLEU ${metric.value.toFixed(1)} on ${metric.images.toLocaleString("en")} sentences of ${metric.dataset}`;
    const facts = [...(metric.name === "BLEU" ? [bleu] : []), `${short(parameters)} parameters`].join(", ");
    const place = make("div");
    this.answers.set(name, place);
    return make(
      "article",
      { className: "network" },
      make("h3", { className: "network-name", textContent: name }),
      make("p", { className: "quiet", textContent: facts }),
      place,
    );
  }
}
