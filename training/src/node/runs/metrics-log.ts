import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { writeFileAtomic } from "./atomic-write.ts";
import { describeWriteError, errorCode } from "./write-error.ts";

/** One line of metrics.jsonl; `step` counts optimizer updates since the start of the run. */
export type Metric = Record<string, number | string>;

/**
 * metrics.jsonl: one JSON object a line, appended as training goes. NaN and the infinities, which JSON lacks, are
 * written as the strings "NaN", "Infinity" and "-Infinity" and read back as numbers.
 */
export class MetricsLog {
  readonly path: string;
  #descriptor: number | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** @throws InputError when the disk is full or forbidden; the file then ends with the previous record */
  append(record: Metric): void {
    const line = Buffer.from(`${JSON.stringify(record, writable)}\n`);
    let before: number | undefined;
    try {
      this.#descriptor ??= openSync(this.path, "a");
      before = fstatSync(this.#descriptor).size;
      for (let written = 0; written < line.length; ) written += writeSync(this.#descriptor, line, written);
    } catch (error) {
      if (this.#descriptor !== undefined && before !== undefined) ftruncateSync(this.#descriptor, before);
      throw describeWriteError(error, this.path, line.length, "the records before it are intact");
    }
  }

  /** All records; a line that a crash left torn is skipped. */
  async read(): Promise<Metric[]> {
    const records = (await this.#lines()).map(parseRecord);
    return records.filter((record) => record !== undefined);
  }

  /**
   * Drops records whose `step` is greater than `afterStep`, and torn lines. Records without a step stay.
   *
   * @param afterStep the last step to keep; Infinity only removes torn lines
   */
  async truncate(afterStep: number): Promise<void> {
    const lines = await this.#lines();
    const kept = lines.filter((line) => {
      const record = parseRecord(line);
      return record !== undefined && !(typeof record.step === "number" && record.step > afterStep);
    });
    const text = kept.map((line) => `${line}\n`).join("");
    if (text === (await this.#text())) return;
    this.close();
    await writeFileAtomic(this.path, text);
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  async #text(): Promise<string> {
    return readFile(this.path, "utf8").catch((error) => {
      if (errorCode(error) === "ENOENT") return "";
      throw error;
    });
  }

  async #lines(): Promise<string[]> {
    return (await this.#text()).split("\n").filter((line) => line !== "");
  }
}

function writable(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

function parseRecord(line: string): Metric | undefined {
  try {
    const record: unknown = JSON.parse(line);
    if (typeof record !== "object" || record === null || Array.isArray(record)) return undefined;
    const entries = Object.entries(record).map(([key, value]) =>
      ["NaN", "Infinity", "-Infinity"].includes(value) ? [key, Number(value)] : [key, value],
    );
    return Object.fromEntries(entries);
  } catch {
    return undefined;
  }
}
