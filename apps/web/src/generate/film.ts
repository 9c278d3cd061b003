import { part } from "../shared/dom.ts";
import { paintImages } from "./images.ts";
import type { Frame, ImageShape } from "./protocol.ts";

/** Bytes of frames that are kept, about: of long ways only every so many steps are. */
const MOST_BYTES = 64e6;
/** Width of a step in the film strip, about, and steps in it at most. */
const [STEP_WIDTH, STRIP] = [42, 25];

/** What images looked like after each step: the newest large, earlier ones to look back at, and the steps of one as a film. */
export class Film {
  /** Steps taken, and of how many. */
  steps = 0;
  of = 0;
  private frames: Frame[] = [];
  private shape: ImageShape = [1, 1, 1];
  private count = 1;
  /** what each image is of */
  private names: readonly string[] | undefined;
  private readonly canvases: { now: HTMLCanvasElement; seen: HTMLCanvasElement; strip: HTMLCanvasElement };
  private readonly slider: HTMLInputElement;
  private readonly choice: HTMLInputElement;
  private drawing = 0;

  constructor(private readonly element: HTMLElement) {
    this.canvases = {
      now: part(element, "canvas.now"),
      seen: part(element, "canvas.seen"),
      strip: part(element, ".film canvas"),
    };
    this.slider = part(element, ".back");
    this.choice = part(element, ".of");
    this.slider.addEventListener("input", () => this.draw());
    this.choice.addEventListener("input", () => this.drawStrip());
    for (const canvas of [this.canvases.now, this.canvases.seen]) {
      canvas.addEventListener("click", (event) => this.choose(canvas, event));
    }
  }

  /**
   * @param of steps that there will be  @param names what each image is of, where that is said  @param count of images
   */
  begin(shape: ImageShape, of: number, names: readonly string[] | undefined, count: number): void {
    Object.assign(this, { shape, of, names, count, steps: 0, frames: [] });
    this.choice.max = String(count);
    if (!(this.choice.valueAsNumber <= count)) this.choice.valueAsNumber = 1;
  }

  /** Shows a step, unless an earlier one is being looked at. */
  add(frame: Frame): void {
    const { slider, frames } = this;
    const isNewest = frames.length === 0 || slider.valueAsNumber === frames.length;
    this.steps = frame.step;
    const every = Math.ceil((this.of * 2 * frame.now.length) / MOST_BYTES);
    if (frame.step % every !== 0 && frame.step !== this.of) return;
    frames.push(frame);
    this.element.hidden = false;
    slider.max = String(frames.length);
    if (isNewest) slider.valueAsNumber = frames.length;
    cancelAnimationFrame(this.drawing);
    this.drawing = requestAnimationFrame(() => {
      this.draw();
      this.drawStrip();
    });
  }

  private draw(): void {
    const frame = this.frames[this.slider.valueAsNumber - 1];
    if (frame === undefined) return;
    const options = { columns: columnsFor(this.count), gap: 1 };
    const what = this.names === undefined ? "" : ` of ${[...new Set(this.names)].join(", ")}`;
    const words = `${this.count === 1 ? "a picture" : `${this.count} pictures`}${what}, after step ${frame.step} of ${this.of}`;
    for (const [kind, label] of [
      ["now", "What there is: "],
      ["seen", "What the network sees: "],
    ] as const) {
      paintImages(this.canvases[kind], frame[kind], this.shape, options);
      this.canvases[kind].ariaLabel = label + words;
    }
    part(this.element, ".at").textContent = `${frame.step} of ${this.of}`;
    this.slider.ariaValueText = `step ${frame.step} of ${this.of}`;
  }

  /** Chooses the image of the strip: the one that is pressed. */
  private choose(canvas: HTMLCanvasElement, { offsetX, offsetY }: MouseEvent): void {
    const columns = columnsFor(this.count);
    const column = Math.floor((columns * offsetX) / canvas.clientWidth);
    const row = Math.floor((Math.ceil(this.count / columns) * offsetY) / canvas.clientHeight);
    const image = row * columns + column;
    if (image >= this.count) return;
    this.choice.valueAsNumber = image + 1;
    this.drawStrip();
  }

  /** The steps of one image, what there was above and what was seen in it below. */
  private drawStrip(): void {
    const { frames, shape, choice, count } = this;
    const image = choice.valueAsNumber - 1;
    if (!(Number.isInteger(image) && image >= 0 && image < count)) return;
    const room = Math.max(1, Math.floor(this.element.clientWidth / STEP_WIDTH));
    const shown = Math.min(STRIP, room, frames.length);
    const chosen = Array.from({ length: shown }, (_, i) => frames[Math.ceil(((i + 1) * frames.length) / shown) - 1]);
    const size = shape[0] * shape[1] * shape[2];
    const bytes = new Uint8ClampedArray(2 * shown * size);
    for (const [i, { now, seen }] of chosen.entries()) {
      bytes.set(now.subarray(image * size, (image + 1) * size), i * size);
      bytes.set(seen.subarray(image * size, (image + 1) * size), (shown + i) * size);
    }
    const { strip } = this.canvases;
    paintImages(strip, bytes, shape, { columns: shown, gap: 1 });
    strip.style.setProperty("--columns", String(shown));
    strip.ariaLabel = `Picture ${image + 1} after steps ${chosen.map(({ step }) => step).join(", ")}`;
  }
}

/** Columns that make a sheet about square, and full where they can. */
function columnsFor(count: number): number {
  const least = Math.ceil(Math.sqrt(count));
  const full = [least, least + 1, least + 2].find((columns) => count % columns === 0);
  return count <= 3 ? count : (full ?? least);
}
