import { make, percent } from "../shared/dom.ts";
import type { Prediction } from "./predict.ts";

const SHOWN = 5;

/** The likeliest classes as bars; each has its exact probability in a <data>. */
export function showBars(list: HTMLElement, ranked: readonly Prediction[]): void {
  list.replaceChildren(
    ...ranked.slice(0, SHOWN).map(({ name, probability }) => {
      const fill = make("i");
      fill.style.width = `${100 * probability}%`;
      const bar = make("span", { className: "bar" }, fill);
      const value = make("data", { value: String(probability) }, percent(probability));
      return make("li", {}, make("span", { className: "name" }, name), bar, value);
    }),
  );
}
