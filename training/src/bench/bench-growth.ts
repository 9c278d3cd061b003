import { execFile } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { InputError } from "@tfjs-zoo/models";
import { runtimeArguments } from "../node/backends/ask-child.ts";
import { backendNames, type Progress, setupNative } from "../node/backends/index.ts";
import { oneLine } from "../node/backends/one-line.ts";
import { type BenchEnvironment, benchEnvironment } from "./bench-environment.ts";
import { checkChoice } from "./check-choice.ts";
import { precisionNames } from "./workload.ts";

export interface BenchGrowthOptions {
  /** Default "auto": the best that works. */
  backend?: string;
  precision?: string;
  progress?: Progress;
}

/** One size of network and batch. */
export interface GrowthPoint {
  batch: number;
  /** layers with weights */
  depth: number;
  /** channels of the first stage */
  width: number;
  items_per_s: number;
  /** those of the middle half of the steps */
  spread: [number, number];
  /** resident memory of the process, 10⁶ bytes */
  rss_mb: number;
}

/** A network with one of its sizes, or that of the batch, changed. */
export interface GrowthSeries {
  /** what is measured, in words */
  title: string;
  network: GrowthNetwork;
  axis: "batch" | "depth" | "width";
  points: GrowthPoint[];
}

/** `densenet-keeping` keeps all that its layers compute for the backward pass. */
export type GrowthNetwork = "resnet" | "densenet" | "densenet-keeping";

export interface BenchGrowthResult {
  backend: string;
  precision: string;
  growth: GrowthSeries[];
  environment: BenchEnvironment;
}

type Size = Pick<GrowthPoint, "batch" | "depth" | "width">;
type Axis = Omit<GrowthSeries, "points"> & { base: Size; values: readonly number[] };

const resnet = { title: "ResNet-20", network: "resnet", base: { batch: 128, depth: 20, width: 16 } } as const;
const densenet = { base: { batch: 32, depth: 40, width: 16 }, axis: "depth", values: [22, 40, 58, 76] } as const;

const axes: readonly Axis[] = [
  { ...resnet, axis: "batch", values: [8, 16, 32, 64, 128, 256, 512] },
  { ...resnet, axis: "depth", values: [8, 20, 32, 56] },
  { ...resnet, axis: "width", values: [8, 16, 32, 64] },
  { ...densenet, title: "DenseNet, batch 32,", network: "densenet" },
  { ...densenet, title: "DenseNet that keeps all for the backward pass,", network: "densenet-keeping" },
];

/**
 * How a training step's cost grows: images a second and memory of networks for CIFAR against batch size, depth and width,
 * each in a process of its own.
 *
 * @throws InputError for an unknown backend or precision, and where a size does not run
 */
export async function benchGrowth(options: BenchGrowthOptions = {}): Promise<BenchGrowthResult> {
  const { backend = "auto", precision = "f32", progress } = options;
  checkChoice("backend", backend, ["auto", ...backendNames]);
  checkChoice("precision", precision, precisionNames);
  if (backend === "auto" || backend === "tensorflow") await setupNative({ progress, again: false }).catch(() => {});
  const known = new Map<string, GrowthPoint>();
  const total = axes.reduce((sum, { values }) => sum + values.length, 0);
  let [done, used] = [0, backend];
  let on: string | undefined;
  const growth: GrowthSeries[] = [];
  for (const { title, network, axis, base, values } of axes) {
    const points: GrowthPoint[] = [];
    for (const value of values) {
      progress?.({ label: `Measuring ${network}, ${axis} ${value}`, done: done++, total, unit: "items" });
      const size = { ...base, [axis]: value };
      const key = [network, ...Object.values(size)].join();
      const {
        backend: name,
        device,
        ...point
      } = known.has(key)
        ? { backend: used, device: on, ...(known.get(key) as GrowthPoint) }
        : await measure(network, size, backend, precision);
      [used, on] = [name, device];
      known.set(key, point);
      points.push(point);
    }
    growth.push({ title, network, axis, points });
  }
  return { backend: used, precision, growth, environment: benchEnvironment(on) };
}

async function measure(
  network: GrowthNetwork,
  size: Size,
  backend: string,
  precision: string,
): Promise<GrowthPoint & { backend: string; device?: string }> {
  const file = fileURLToPath(new URL(`./growth-point${extname(import.meta.url)}`, import.meta.url));
  const args = [network, size.batch, size.depth, size.width, backend, precision].map(String);
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [...runtimeArguments(file), file, ...args]);
    return { ...size, ...JSON.parse(stdout.trim().split("\n").at(-1) as string) };
  } catch (error) {
    const { stderr = "", message } = error as { stderr?: string; message: string };
    const line = stderr.split("\n").find((text) => /error/i.test(text)) ?? message;
    throw new InputError(`${network}, batch ${size.batch}, depth ${size.depth}, width ${size.width}: ${oneLine(line)}`);
  }
}
