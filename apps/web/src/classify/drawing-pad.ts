import { contextOf } from "../shared/picture.ts";

const SIDE = 280;
const PEN = 22;
/** by which an arrow key moves the pen */
const STEP = 10;

/**
 * A square to draw a digit on, white on black as MNIST has them, with a pointer or by keys: the arrows move the pen, the
 * space bar puts it down and lifts it.
 */
export class DrawingPad {
  private readonly canvas: HTMLCanvasElement;
  private readonly ink: HTMLCanvasElement;
  private pen = { x: SIDE / 2, y: SIDE / 2 };
  private down = false;

  /** @param frame what has the keyboard's focus, around a canvas */
  constructor(
    private readonly frame: HTMLElement,
    private readonly onChange: () => void,
  ) {
    const canvas = frame.querySelector("canvas") as HTMLCanvasElement;
    this.canvas = canvas;
    frame.tabIndex = 0;
    canvas.width = canvas.height = SIDE;
    this.ink = document.createElement("canvas");
    this.ink.width = this.ink.height = SIDE;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.pen = this.at(event);
      this.down = true;
      this.lineTo(this.pen);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!canvas.hasPointerCapture(event.pointerId)) return;
      for (const part of event.getCoalescedEvents?.() ?? [event]) this.lineTo(this.at(part));
    });
    for (const end of ["pointerup", "pointercancel"] as const) {
      canvas.addEventListener(end, () => {
        this.down = false;
        this.show();
      });
    }
    frame.addEventListener("keydown", (event) => this.onKey(event));
    frame.addEventListener("focus", () => this.show());
    frame.addEventListener("blur", () => this.show());
    this.clear();
  }

  clear(): void {
    const context = contextOf(this.ink);
    context.fillStyle = "black";
    context.fillRect(0, 0, SIDE, SIDE);
    this.down = false;
    this.show();
  }

  /** What is drawn, laid out as MNIST's digits are: in the middle by its weight, 20 of 28 pixels large. */
  digit(): HTMLCanvasElement | undefined {
    const { data } = contextOf(this.ink).getImageData(0, 0, SIDE, SIDE);
    let [left, right, top, bottom, mass, sumX, sumY] = [SIDE, -1, SIDE, -1, 0, 0, 0];
    for (let y = 0; y < SIDE; y++) {
      for (let x = 0; x < SIDE; x++) {
        const value = data[4 * (y * SIDE + x)];
        if (value < 32) continue;
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y);
        mass += value;
        sumX += x * value;
        sumY += y * value;
      }
    }
    if (mass === 0) return undefined;
    const side = Math.ceil((Math.max(right - left, bottom - top) + 1) * (28 / 20));
    const digit = document.createElement("canvas");
    digit.width = digit.height = side;
    const context = contextOf(digit);
    context.fillStyle = "black";
    context.fillRect(0, 0, side, side);
    context.drawImage(this.ink, Math.round(side / 2 - sumX / mass), Math.round(side / 2 - sumY / mass));
    return digit;
  }

  private at(event: PointerEvent): { x: number; y: number } {
    const box = this.canvas.getBoundingClientRect();
    return { x: ((event.clientX - box.left) * SIDE) / box.width, y: ((event.clientY - box.top) * SIDE) / box.height };
  }

  private onKey(event: KeyboardEvent): void {
    const moves: { [key: string]: [number, number] } = {
      ArrowLeft: [-STEP, 0],
      ArrowRight: [STEP, 0],
      ArrowUp: [0, -STEP],
      ArrowDown: [0, STEP],
    };
    const move = moves[event.key];
    if (move === undefined && event.key !== " ") return;
    event.preventDefault();
    if (move === undefined) this.down = !this.down;
    const inside = (value: number) => Math.min(SIDE - PEN / 2, Math.max(PEN / 2, value));
    const to = { x: inside(this.pen.x + (move?.[0] ?? 0)), y: inside(this.pen.y + (move?.[1] ?? 0)) };
    if (this.down) this.lineTo(to);
    else {
      this.pen = to;
      this.show();
    }
  }

  private lineTo(to: { x: number; y: number }): void {
    const context = contextOf(this.ink);
    Object.assign(context, { strokeStyle: "white", lineWidth: PEN, lineCap: "round", lineJoin: "round" });
    context.beginPath();
    context.moveTo(this.pen.x, this.pen.y);
    context.lineTo(to.x, to.y);
    context.stroke();
    this.pen = to;
    this.show();
    this.onChange();
  }

  /** The ink, and the pen's place while keys move it. */
  private show(): void {
    const context = contextOf(this.canvas);
    context.drawImage(this.ink, 0, 0);
    if (!this.frame.matches(":focus-visible")) return;
    Object.assign(context, { strokeStyle: this.down ? "#ffb000" : "#8ab4f8", lineWidth: 3 });
    context.beginPath();
    context.arc(this.pen.x, this.pen.y, PEN / 2, 0, 2 * Math.PI);
    context.stroke();
  }
}
