import type { ProgressEvent } from "@tfjs-zoo/datasets";
import { formatBytes, formatDuration, formatRate } from "./format.ts";

export interface TrainingState {
  /** 1-based */
  epoch: number;
  epochs: number;
  step: number;
  steps: number;
  loss: number;
  /** 0 to 1, of a classifier */
  accuracy?: number;
  learningRate: number;
  itemsPerSecond: number;
  /** what the items are */
  unit: "images" | "tokens" | "texts";
  etaSeconds: number;
}

/** One live line at the bottom, permanent lines above it. */
export interface ProgressDisplay {
  update(event: ProgressEvent): void;
  training(state: TrainingState): void;
  /** Prints a line that stays. */
  line(text: string): void;
  /** Removes the live line. */
  stop(): void;
}

export interface Terminal {
  readonly columns?: number;
  write(text: string): unknown;
}

const REDRAW_MS = 100;
const ERASE = "\r\u001b[K";

/**
 * Shows progress on a terminal, at most ten times a second and never wider than it; elsewhere only permanent lines are
 * printed, without control codes.
 */
export function createProgress({
  stream,
  enabled,
  now = () => performance.now(),
}: {
  stream: Terminal;
  enabled: boolean;
  now?: () => number;
}): ProgressDisplay {
  let live = "";
  let drawn = Number.NEGATIVE_INFINITY;
  let operation = { label: "", began: 0 };

  const draw = (text: (width: number) => string, last: boolean) => {
    if (!enabled || (!last && now() - drawn < REDRAW_MS)) return;
    drawn = now();
    live = text((stream.columns || 80) - 1);
    stream.write(ERASE + live);
  };
  const clear = () => {
    if (live !== "") stream.write(ERASE);
    live = "";
  };

  return {
    update(event) {
      if (event.label !== operation.label) operation = { label: event.label, began: now() };
      const seconds = (now() - operation.began) / 1000;
      const last = event.total !== undefined && event.done >= event.total;
      draw((width) => progressLine(event, seconds, width), last);
      if (last) {
        clear();
        operation = { label: "", began: 0 };
      }
    },
    training(state) {
      draw((width) => trainingLine(state, width), false);
    },
    line(text) {
      const before = live;
      clear();
      stream.write(`${text}\n`);
      if (before !== "") {
        live = before;
        stream.write(before);
      }
    },
    stop: clear,
  };
}

/** A bar of some width: "█████░░░░░". */
export function bar(share: number, width: number): string {
  const full = Math.round(Math.min(Math.max(share, 0), 1) * width);
  return "█".repeat(full) + "░".repeat(width - full);
}

/** Joins as many parts as fit, in their order, leaving out those of the highest rank first. */
function fit(parts: readonly { text: string; rank: number }[], width: number): string {
  let kept = parts.filter(({ text }) => text !== "");
  const joined = () => kept.map(({ text }) => text).join("  ");
  while (joined().length > width && kept.length > 1) {
    const worst = Math.max(...kept.map(({ rank }) => rank));
    kept = kept.filter(({ rank }) => rank !== worst);
  }
  return joined().slice(0, Math.max(width, 0));
}

/** @param seconds since the operation began */
export function progressLine({ label, done, total, unit }: ProgressEvent, seconds: number, width: number): string {
  const amount = unit === "bytes" ? formatBytes : (n: number) => n.toLocaleString("en");
  const rate = seconds > 0.5 ? done / seconds : Number.NaN;
  return fit(
    [
      { text: label, rank: 0 },
      { text: total ? bar(done / total, 20) : "", rank: 3 },
      { text: total === undefined ? amount(done) : `${amount(done)}/${amount(total)}`, rank: 1 },
      { text: formatRate(rate, unit), rank: 4 },
      { text: total && rate > 0 ? `ETA ${formatDuration((total - done) / rate)}` : "", rank: 2 },
    ],
    width,
  );
}

export function trainingLine(state: TrainingState, width: number): string {
  const { epoch, epochs, step, steps, loss, accuracy, learningRate, itemsPerSecond, unit, etaSeconds } = state;
  return fit(
    [
      { text: `epoch ${epoch}/${epochs}`, rank: 0 },
      { text: bar(step / steps, 16), rank: 5 },
      { text: `${step}/${steps}`, rank: 4 },
      { text: `loss ${loss.toFixed(3)}`, rank: 1 },
      { text: accuracy === undefined ? "" : `acc ${(100 * accuracy).toFixed(1)} %`, rank: 2 },
      { text: `lr ${learningRate.toPrecision(2)}`, rank: 7 },
      { text: `${itemsPerSecond.toFixed(0)} ${unit}/s`, rank: 6 },
      { text: `ETA ${formatDuration(etaSeconds)}`, rank: 3 },
    ],
    width,
  );
}
