import { availableParallelism, cpus } from "node:os";

/** What a figure was measured on. */
export interface BenchEnvironment {
  cpu: string;
  cores: number;
  platform: string;
  node: string;
  /** on webgpu: the graphics card, or what stands in for one */
  device?: string;
  /** ISO 8601 */
  date: string;
}

export function benchEnvironment(device?: string): BenchEnvironment {
  return {
    cpu: processor(),
    cores: availableParallelism(),
    platform: `${process.platform}-${process.arch}`,
    node: process.versions.node,
    ...(device === undefined ? {} : { device }),
    date: new Date().toISOString(),
  };
}

/** The processor's name as that of a folder: "Intel(R) Xeon(R) CPU @ 2.80GHz" is intel-xeon-cpu-2-80ghz. */
export function processorFolder(name = processor()): string {
  const words = name
    .toLowerCase()
    .replace(/\((r|tm)\)/g, " ")
    .match(/[a-z0-9]+/g);
  return words?.join("-") ?? "unknown";
}

function processor(): string {
  return cpus()[0]?.model.trim() || "unknown";
}
