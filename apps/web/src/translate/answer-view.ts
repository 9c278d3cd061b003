import { attentionMatrix } from "@tfjs-zoo/models";
import { backendTitle } from "../shared/backend.ts";
import { make, percent } from "../shared/dom.ts";
import { beamTree } from "./beam-tree.ts";
import { heatMap } from "./heat-map.ts";
import type { Answer } from "./protocol.ts";
import { SentenceLine } from "./sentence-line.ts";

/** Tokens that a summary of a look names. */
const NAMED = 3;

/** A word of a sentence that is pointed at: a row of the map is what was written, a column what was read. */
interface Pointed {
  row?: number;
  column?: number;
}

/**
 * What a network made of a sentence: both sentences token by token, where it looked, and what else it followed.
 *
 * @param languages their codes  @param actions what can be done with the translation
 */
export function answerView(
  answer: Answer,
  languages: { source: string; target: string },
  actions: readonly HTMLElement[],
): HTMLElement {
  const { source, written, ended, attention, seconds, backend } = answer;
  const read = new SentenceLine(source, {
    axis: "column",
    label: "What it read",
    language: languages.source,
    ended: true,
  });
  const wrote = new SentenceLine(written, { axis: "row", label: "What it wrote", language: languages.target, ended });
  const looked = make("p", { className: "quiet looked" });
  const view = make("div", { className: "translation" }, read.element, wrote.element);
  const took = `${seconds.toFixed(2)}\u00a0s on ${backendTitle[backend]}`;
  const endless = ended ? "" : ". It found no end: this is as long as a translation may be";
  view.append(
    make("div", { className: "outcome" }, make("p", { className: "quiet", textContent: took + endless }), ...actions),
  );

  const map = heatMap({ source: read.names, written: wrote.names });
  let weights = attentionMatrix(attention);
  /** what has the keyboard's focus */
  let focused: Pointed = {};

  const columnOf = (column: number) => weights.map((row) => row[column]);
  const lookOf = (row: number) => `For ${wrote.names[row]} it looked at ${largest(weights[row], read.names)}`;
  const lookedAtFor = (column: number) =>
    `It looked at ${read.names[column]} for ${largest(columnOf(column), wrote.names)}`;
  const sentenceOf = ({ row, column }: Pointed): string => {
    if (row !== undefined && column !== undefined) {
      return `For ${wrote.names[row]} it looked at ${read.names[column]} ${percent(weights[row][column])}`;
    }
    if (row !== undefined) return lookOf(row);
    return column !== undefined ? lookedAtFor(column) : HINT;
  };
  const point = ({ row, column }: Pointed): void => {
    map.point({ row, column });
    wrote.mark(row);
    read.mark(column);
    read.tint(row === undefined ? undefined : weights[row]);
    wrote.tint(row === undefined && column !== undefined ? columnOf(column) : undefined);
    looked.textContent = sentenceOf({ row, column });
  };
  const show = (choice: { layer?: number; head?: number }): void => {
    weights = attentionMatrix(attention, choice);
    wrote.describe(lookOf);
    read.describe(lookedAtFor);
    map.show(weights);
    point(focused);
  };

  view.addEventListener("pointerover", ({ target }) => point(pointedAt(target) ?? focused));
  view.addEventListener("pointerleave", () => point(focused));
  view.addEventListener("focusin", ({ target }) => {
    focused = pointedAt(target) ?? {};
    point(focused);
  });
  view.addEventListener("focusout", () => {
    focused = {};
    point(focused);
  });

  show({});
  const details = make("details", { open: true }, make("summary", { textContent: "Where it looked" }));
  details.append(looked, ...headChoice(attention, show), map.element);
  view.append(details, followed(answer));
  return view;
}

const HINT = "Point at a word of either sentence, or go there with the Tab key and arrows.";

function pointedAt(target: EventTarget | null): Pointed | undefined {
  const at = target instanceof Element ? target.closest<HTMLElement>("[data-row], [data-column]") : null;
  if (at === null) return undefined;
  const { row, column } = at.dataset;
  return {
    row: row === undefined ? undefined : Number(row),
    column: column === undefined ? undefined : Number(column),
  };
}

/** The largest shares with their names, in words. */
function largest(shares: ArrayLike<number>, names: readonly string[]): string {
  const order = [...names.keys()].sort((a, b) => shares[b] - shares[a]).slice(0, NAMED);
  return order.map((i) => `${names[i]} ${percent(shares[i], 0)}`).join(", ");
}

/** A choice between the layers and heads of an attention that has more than one. */
function headChoice(
  { layers, heads }: Answer["attention"],
  show: (choice: { layer: number; head?: number }) => void,
): HTMLElement[] {
  if (layers * heads === 1) return [];
  const select = make("select");
  for (let layer = layers - 1; layer >= 0; layer--) {
    const title = `Layer ${layer + 1}${layer === layers - 1 ? ", the last" : ""}`;
    select.append(new Option(`${title}: mean of its heads`, String(layer)));
    for (let head = 0; head < heads; head++)
      select.append(new Option(`${title}: head ${head + 1}`, `${layer}/${head}`));
  }
  select.addEventListener("change", () => {
    const [layer, head] = select.value.split("/").map(Number);
    show({ layer, head });
  });
  return [make("label", { className: "head-choice" }, "Attention of ", select)];
}

/** The translations that were found beside the best, and the tree of all that was followed. */
function followed(answer: Answer): HTMLElement {
  const others = answer.found.map(({ text, score }) =>
    make("li", {}, make("span", { dir: "auto", textContent: text }), ` ${score.toFixed(2).replace("-", "−")}`),
  );
  const list = make("ol", { className: "found" }, ...others);
  const title = make("p", {
    className: "quiet",
    textContent: "The best that it found, with their scores: log-probability over a penalty for length.",
  });
  const summary = make("summary", { textContent: "What else it followed" });
  return make("details", { open: true }, summary, title, list, beamTree(answer));
}
