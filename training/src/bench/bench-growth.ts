import { execFile } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { InputError } from "@tfjs-zoo/models";
import { runtimeArguments } from "../node/backends/ask-child.ts";
import { backendNames, type Progress, setupNative } from "../node/backends/index.ts";
import { oneLine } from "../node/backends/one-line.ts";
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
  /** resident memory of the process, 10⁶ bytes */
  rss_mb: number;
}

export interface BenchGrowthResult {
  backend: string;
  precision: string;
  /** of ResNet-20 with one of the three changed */
  growth: { batch: GrowthPoint[]; depth: GrowthPoint[]; width: GrowthPoint[] };
}

const base = { batch: 128, depth: 20, width: 16 };
const axes = { batch: [8, 16, 32, 64, 128, 256, 512], depth: [8, 20, 32, 56], width: [8, 16, 32, 64] };

/**
 * How a training step's cost grows: images a second and memory of CIFAR ResNets against batch size, depth and width, each
 * in a process of its own.
 *
 * @throws InputError for an unknown backend or precision, and where a size does not run
 */
export async function benchGrowth(options: BenchGrowthOptions = {}): Promise<BenchGrowthResult> {
  const { backend = "auto", precision = "f32", progress } = options;
  checkChoice("backend", backend, ["auto", ...backendNames]);
  checkChoice("precision", precision, precisionNames);
  if (backend === "auto" || backend === "tensorflow") await setupNative({ progress, again: false }).catch(() => {});
  const known = new Map<string, GrowthPoint>();
  const total = Object.values(axes).flat().length;
  let [done, used] = [0, backend];
  const growth: BenchGrowthResult["growth"] = { batch: [], depth: [], width: [] };
  for (const axis of ["batch", "depth", "width"] as const) {
    for (const value of axes[axis]) {
      progress?.({ label: `Measuring ${axis} ${value}`, done: done++, total, unit: "items" });
      const size = { ...base, [axis]: value };
      const key = Object.values(size).join();
      const { backend: name, ...point } = known.has(key)
        ? { backend: used, ...(known.get(key) as GrowthPoint) }
        : await measure(size, backend, precision);
      used = name;
      known.set(key, point);
      growth[axis].push(point);
    }
  }
  return { backend: used, precision, growth };
}

async function measure(
  size: typeof base,
  backend: string,
  precision: string,
): Promise<GrowthPoint & { backend: string }> {
  const file = fileURLToPath(new URL(`./growth-point${extname(import.meta.url)}`, import.meta.url));
  const args = [size.batch, size.depth, size.width, backend, precision].map(String);
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [...runtimeArguments(file), file, ...args]);
    return { ...size, ...JSON.parse(stdout.trim().split("\n").at(-1) as string) };
  } catch (error) {
    const { stderr = "", message } = error as { stderr?: string; message: string };
    const line = stderr.split("\n").find((text) => /error/i.test(text)) ?? message;
    throw new InputError(`batch ${size.batch}, depth ${size.depth}, width ${size.width}: ${oneLine(line)}`);
  }
}
