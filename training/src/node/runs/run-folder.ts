import { randomBytes } from "node:crypto";
import { lstat, readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { makeFolder } from "@tfjs-zoo/datasets/node";
import { InputError } from "@tfjs-zoo/models";
import { distance } from "fastest-levenshtein";
import { removeTemporaryFiles, syncFolder, writeFileAtomic } from "./atomic-write.ts";
import { collectEnvironment, type Environment } from "./environment.ts";
import { type Metric, MetricsLog } from "./metrics-log.ts";
import { acquireLock, lockText, releaseLock } from "./run-lock.ts";
import { runName } from "./run-name.ts";
import { describeWriteError, errorCode } from "./write-error.ts";

/** What a run was asked to do; plain JSON. */
export interface RunConfig {
  model: string;
  dataset: string;
  recipe: Record<string, unknown>;
  seed: number;
  backend: string;
  precision: string;
  /** Whether it trains on the validation images too. */
  full: boolean;
  [key: string]: unknown;
}

/** The layout of the folder; a greater one comes from a newer zoo. */
const FORMAT_VERSION = 1;

/**
 * The folder of a run:
 *
 *   config.json   what was asked, and `formatVersion`         checkpoints/   last.safetensors, best.safetensors
 *   env.json      what it ran on                              tensorboard/   event files
 *   metrics.jsonl one record a line                           report.html    run.lock (while a process writes here)
 */
export class RunFolder {
  readonly dir: string;
  readonly config: RunConfig;
  readonly #mode: "resume" | "read";
  readonly #metrics: MetricsLog;

  private constructor(dir: string, config: RunConfig, mode: "resume" | "read") {
    this.dir = dir;
    this.config = config;
    this.#mode = mode;
    this.#metrics = new MetricsLog(join(dir, "metrics.jsonl"));
  }

  /**
   * Makes a new run folder, complete or not at all, and holds its lock.
   *
   * @param environment what the caller knows of the environment beyond `collectEnvironment`, for env.json
   * @throws InputError if `dir` exists already or can't be written
   */
  static async create(dir: string, config: RunConfig, environment: Record<string, unknown> = {}): Promise<RunFolder> {
    if (await exists(dir)) throw takenError(dir);
    const configText = jsonText({ ...config, formatVersion: FORMAT_VERSION });
    const building = join(dirname(dir), `.${basename(dir)}.${randomBytes(6).toString("hex")}.tmp`);
    try {
      await makeFolder(join(building, "checkpoints"));
      await writeFileAtomic(join(building, "config.json"), configText);
      const known = { backend: config.backend, ...environment };
      await writeFileAtomic(join(building, "env.json"), jsonText(collectEnvironment(known)));
      await writeFileAtomic(lockPath(building), lockText());
      await rename(building, dir);
      await syncFolder(dirname(dir));
    } catch (error) {
      await rm(building, { recursive: true, force: true }).catch(() => {});
      if (["EEXIST", "ENOTEMPTY", "ENOTDIR"].includes(errorCode(error) ?? "") && (await exists(dir))) {
        throw takenError(dir);
      }
      throw describeWriteError(error, dir, configText.length, "nothing was left behind");
    }
    return new RunFolder(dir, config, "resume");
  }

  /** Makes a run folder in `parent` under its default name (`runName`), with -2, -3 … appended if that is taken. */
  static async createNamed(
    parent: string,
    config: RunConfig,
    environment: Record<string, unknown> = {},
  ): Promise<RunFolder> {
    for (let n = 1; ; n++) {
      const dir = join(parent, n === 1 ? runName(config) : `${runName(config)}-${n}`);
      if (await exists(dir)) continue;
      try {
        return await RunFolder.create(dir, config, environment);
      } catch (error) {
        // Another process may have taken the name since the look.
        if (!(await exists(dir))) throw error;
      }
    }
  }

  /**
   * Opens a run folder: to continue it (which takes its lock and removes what a kill left half-written), or to read.
   *
   * @throws InputError if it is no run folder, comes from a newer zoo, or (to resume) is in use or can't be written
   */
  static async open(dir: string, mode: "resume" | "read"): Promise<RunFolder> {
    const config = await readConfig(dir);
    const run = new RunFolder(dir, config, mode);
    if (mode === "read") return run;
    await acquireLock(lockPath(dir), dir);
    try {
      await removeTemporaryFiles(dir);
      await removeTemporaryFiles(join(dir, "checkpoints"));
      await run.#metrics.truncate(Number.POSITIVE_INFINITY);
    } catch (error) {
      await run.close();
      throw error;
    }
    return run;
  }

  /** The content of env.json: where the run was started. */
  async readEnvironment(): Promise<Environment> {
    return readJson(join(this.dir, "env.json"), this.dir) as Promise<Environment>;
  }

  /**
   * Appends a record to metrics.jsonl.
   *
   * @throws InputError when the disk is full or forbidden; the file then ends with the previous record
   */
  appendMetrics(record: Metric): void {
    this.#mustWrite();
    this.#metrics.append(record);
  }

  /** Drops the metrics of steps after `afterStep`, which a resumed run is about to repeat, and a torn last line. */
  async truncateMetrics(afterStep: number): Promise<void> {
    this.#mustWrite();
    await this.#metrics.truncate(afterStep);
  }

  /** All records of metrics.jsonl in order; lines that a crash left torn are skipped. */
  async readMetrics(): Promise<Metric[]> {
    return this.#metrics.read();
  }

  checkpointPath(name: "last" | "best"): string {
    return join(this.dir, "checkpoints", `${name}.safetensors`);
  }

  /** Removes the run where it holds nothing yet but what it was asked: no step was recorded and nothing saved. */
  async removeIfEmpty(): Promise<void> {
    this.#mustWrite();
    const saved = await exists(this.checkpointPath("last"));
    if (saved || (await this.readMetrics()).length > 0) return;
    this.#metrics.close();
    await rm(this.dir, { recursive: true, force: true });
  }

  /** Closes the metrics file and releases the lock. */
  async close(): Promise<void> {
    this.#metrics.close();
    if (this.#mode === "resume") await releaseLock(lockPath(this.dir));
  }

  #mustWrite(): void {
    if (this.#mode === "read") throw new Error(`${this.dir} was opened to read; open it with "resume" to write`);
  }
}

function lockPath(dir: string): string {
  return join(dir, "run.lock");
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function takenError(dir: string): InputError {
  return new InputError(`${dir} exists already: choose another --run, or continue that one with --resume ${dir}`);
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function readConfig(dir: string): Promise<RunConfig> {
  const { formatVersion, ...config } = await readJson(join(dir, "config.json"), dir);
  if (typeof formatVersion === "number" && formatVersion > FORMAT_VERSION) {
    throw new InputError(
      `${dir} was made by a newer tfjs-zoo (run format ${formatVersion}, this one reads up to ${FORMAT_VERSION}): update tfjs-zoo to use it`,
    );
  }
  if (formatVersion !== FORMAT_VERSION || typeof config.model !== "string" || typeof config.recipe !== "object") {
    throw new InputError(`${join(dir, "config.json")} is not a run's: expected formatVersion, model and recipe in it`);
  }
  return config as RunConfig;
}

async function readJson(path: string, dir: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (!["ENOENT", "ENOTDIR"].includes(errorCode(error) ?? "")) {
      throw new InputError(`Can't read ${path} (${errorCode(error)}): check its permissions`, { cause: error });
    }
    if (!(await exists(dir))) throw new InputError(`There is no run folder ${dir}${await hint(dir)}`);
    throw new InputError(`${dir} is not a run folder (no ${basename(path)} in it): give a folder that \`train\` made`);
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Falls through to the same message as JSON of another kind.
  }
  throw new InputError(`${path} is damaged (no JSON object): restore it, or start a new run`);
}

/** Names the run beside it that is spelt most like it. */
async function hint(dir: string): Promise<string> {
  const names = (await readdir(dirname(dir)).catch(() => [] as string[])).filter((name) => !name.startsWith("."));
  const nearest = names.sort((a, b) => distance(a, basename(dir)) - distance(b, basename(dir)))[0];
  return nearest === undefined ? ": give a folder that `train` made" : `: did you mean ${join(dirname(dir), nearest)}?`;
}
