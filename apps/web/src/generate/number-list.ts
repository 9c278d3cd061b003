import { make } from "../shared/dom.ts";
import { paintImages } from "./images.ts";
import { FAR } from "./latent-map.ts";
import type { ImageShape } from "./protocol.ts";

interface Row {
  slider: HTMLInputElement;
  output: HTMLOutputElement;
  low: HTMLCanvasElement;
  high: HTMLCanvasElement;
}

/** A slider for each number of z, between pictures of what its ends would make. */
export class NumberList {
  private readonly rows = new Map<number, Row>();

  /** @param order the numbers as they are listed */
  constructor(list: HTMLElement, order: readonly number[], onMove: (number: number, value: number) => void) {
    list.replaceChildren(
      ...order.map((number) => {
        const slider = make("input", { type: "range", min: String(-FAR), max: String(FAR), step: "0.01" });
        const row = { slider, output: make("output"), low: make("canvas"), high: make("canvas") };
        for (const canvas of [row.low, row.high]) canvas.ariaHidden = "true";
        slider.addEventListener("input", () => onMove(number, slider.valueAsNumber));
        this.rows.set(number, row);
        const title = make("span", {}, `${nameOf(number)} `, row.output);
        return make("li", {}, row.low, make("label", { className: "slider" }, title, slider), row.high);
      }),
    );
  }

  show(z: readonly number[]): void {
    for (const [number, { slider, output }] of this.rows) {
      slider.valueAsNumber = z[number];
      output.textContent = signed(z[number]);
    }
  }

  /** @param bytes of the images of `endsOf` */
  showEnds(bytes: Uint8ClampedArray, shape: ImageShape): void {
    const size = shape[0] * shape[1] * shape[2];
    for (const [number, { low, high }] of this.rows) {
      for (const [i, canvas] of [low, high].entries()) {
        const from = (2 * number + i) * size;
        paintImages(canvas, bytes.subarray(from, from + size), shape);
      }
    }
  }
}

/** The two z for each number that have it at its ends, in the order of the numbers. */
export const endsOf = (z: readonly number[]): number[][] =>
  z.flatMap((_, number) => [-FAR, FAR].map((end) => z.map((own, i) => (i === number ? end : own))));

/** What a number of z is called. */
export const nameOf = (number: number): string => `z\u00a0${number + 1}`;

/** −1.20, with a sign that is as wide as a digit's. */
export const signed = (value: number): string => value.toFixed(2).replace(/^-(0\.00)?/, (_, zero) => zero ?? "−");
