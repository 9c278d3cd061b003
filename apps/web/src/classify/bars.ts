import { make, percent } from "../shared/dom.ts";
import type { Prediction } from "./predict.ts";

const SHOWN = 5;

/** The likeliest classes as bars that can be pressed; each has its exact probability in a <data>. */
export function showBars(list: HTMLElement, ranked: readonly Prediction[]): void {
  const shown = ranked.slice(0, SHOWN);
  // Bars are changed, not made anew: one that has the keyboard's focus, or is being pressed, stays.
  while (list.children.length > shown.length) list.lastElementChild?.remove();
  while (list.children.length < shown.length) list.append(make("li", {}, newBar()));
  for (const [i, { index, name, probability }] of shown.entries()) {
    const bar = list.children[i].firstElementChild as HTMLButtonElement;
    const [title, track, value] = bar.children;
    bar.value = String(index);
    title.textContent = name;
    (track.firstElementChild as HTMLElement).style.width = `${100 * probability}%`;
    (value as HTMLDataElement).value = String(probability);
    value.textContent = percent(probability);
  }
}

function newBar(): HTMLButtonElement {
  const bar = make("span", { className: "bar" }, make("i"));
  return make("button", { type: "button" }, make("span", { className: "name" }), bar, make("data"));
}
