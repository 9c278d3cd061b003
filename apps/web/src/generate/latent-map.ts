/** How far the map and the numbers of z go to either side: there is next to nothing of N(0, 1) beyond. As in index.html. */
export const FAR = 3;

/** by which an arrow key moves the place, and with the Shift key */
const [STEP, LARGE_STEP] = [0.1, 0.5];

/** A place on the map: what lies to the right, and above, from −FAR to FAR. */
export interface Spot {
  across: number;
  up: number;
}

interface MapOptions {
  /** The place is another, by the pointer pressed down or a key. */
  onMove(spot: Spot): void;
  /** The pointer is over a place, and not pressed down; undefined: over none. */
  onPoint(spot: Spot | undefined): void;
}

/** A map on which a place is chosen, by pointer or by keys. */
export class LatentMap {
  readonly canvas: HTMLCanvasElement;
  private readonly mark: HTMLElement;
  private spot: Spot = { across: 0, up: 0 };

  constructor(
    private readonly element: HTMLElement,
    private readonly options: MapOptions,
  ) {
    this.canvas = element.querySelector("canvas") as HTMLCanvasElement;
    this.mark = element.querySelector(".mark") as HTMLElement;
    element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      element.setPointerCapture(event.pointerId);
      options.onMove(this.at(event));
    });
    element.addEventListener("pointermove", (event) => {
      if (element.hasPointerCapture(event.pointerId)) options.onMove(this.at(event));
      else if (event.pointerType === "mouse") options.onPoint(this.at(event));
    });
    element.addEventListener("pointerleave", () => options.onPoint(undefined));
    element.addEventListener("keydown", (event) => this.onKey(event));
  }

  /** Marks where the place is. */
  show(spot: Spot, words: string): void {
    this.spot = spot;
    this.mark.style.left = `${share(spot.across)}%`;
    this.mark.style.bottom = `${share(spot.up)}%`;
    this.element.ariaValueNow = spot.across.toFixed(2);
    this.element.ariaValueText = words;
  }

  private at({ clientX, clientY }: PointerEvent): Spot {
    const { left, bottom, width, height } = this.canvas.getBoundingClientRect();
    return {
      across: within(FAR * ((2 * (clientX - left)) / width - 1)),
      up: within(FAR * ((2 * (bottom - clientY)) / height - 1)),
    };
  }

  private onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const step = event.shiftKey ? LARGE_STEP : STEP;
    const { across, up } = this.spot;
    const moves: { [key: string]: Spot } = {
      ArrowLeft: { across: across - step, up },
      ArrowRight: { across: across + step, up },
      ArrowDown: { across, up: up - step },
      ArrowUp: { across, up: up + step },
      Home: { across: 0, up: 0 },
    };
    if (!(event.key in moves)) return;
    event.preventDefault();
    const to = moves[event.key];
    this.options.onMove({ across: within(to.across), up: within(to.up) });
  }
}

/** Rounded as a slider's values are, so that steps by keys come back to 0. */
export const within = (value: number): number => Math.round(100 * Math.max(-FAR, Math.min(FAR, value))) / 100;

const share = (value: number) => Math.max(0, Math.min(100, 50 + (50 * value) / FAR));
