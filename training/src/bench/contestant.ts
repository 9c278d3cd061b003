import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { InputError } from "@tfjs-zoo/models";
import { oneLine } from "../node/backends/one-line.ts";

/** How a contestant is started. */
export interface ContestantCommand {
  /** what messages and results call it */
  name: string;
  command: string;
  args: readonly string[];
}

/** What a contestant says of itself once it could take its first step. */
export interface Ready {
  /** trainable parameters */
  params: number;
  /** images or texts in a step */
  batch: number;
  /** what rates count, where it is not these: tokens in a step */
  items?: number;
  threads?: number;
  /** of what it runs on, by name */
  versions: { [name: string]: string };
  backend?: string;
  /** the graphics card that it computes on, or what stands in for one */
  device?: string;
}

/** A line that a contestant prints: the first is `ready`, then one `step_ms` for each round; `error` ends it. */
type Answer = { ready?: Ready; step_ms?: number[]; error?: string };

/** How long a contestant may take, in milliseconds. */
export interface Patience {
  readyMs: number;
  stepMs: number;
}

/** A plain JavaScript backend may take two minutes for one step. */
export const defaultPatience: Patience = { readyMs: 180_000, stepMs: 120_000 };

/**
 * One training program in a process of its own. It prepares and prints {"ready": …}; for each line "N" it takes N
 * training steps and prints {"step_ms": [N times]}; between rounds it waits.
 */
export class Contestant {
  readonly name: string;
  private readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  private readonly lines: AsyncIterator<string>;
  private readonly ended: Promise<string>;
  private stderr = "";

  constructor(
    { name, command, args }: ContestantCommand,
    private readonly patience: Patience = defaultPatience,
  ) {
    this.name = name;
    this.child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    this.child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr = (this.stderr + text).slice(-8000);
    });
    // Writing to a process that has ended fails here; the end itself is what gets reported.
    this.child.stdin.on("error", () => {});
    this.ended = new Promise((resolve) => {
      this.child.on("error", (error) => resolve(`does not start: ${oneLine(error)}`));
      this.child.on("close", (code, signal) => resolve(`ended with ${signal ?? `status ${code}`}${this.complaint()}`));
    });
  }

  /** @throws InputError when it fails to prepare, or takes too long */
  async ready(): Promise<Ready> {
    const { ready } = await this.answer(this.patience.readyMs, "to prepare");
    if (ready === undefined) throw this.failure('said something else than {"ready": …} first');
    return ready;
  }

  /**
   * Takes training steps.
   *
   * @returns milliseconds of each
   * @throws InputError when it fails, or takes too long
   */
  async run(steps: number): Promise<number[]> {
    this.child.stdin.write(`${steps}\n`);
    const what = `for ${steps} step${steps === 1 ? "" : "s"}`;
    const { step_ms: times } = await this.answer(this.patience.stepMs * steps, what);
    if (times?.length !== steps || !times.every((ms) => ms > 0)) {
      throw this.failure(`did not answer with the times of ${steps} steps`);
    }
    return times;
  }

  /** Ends the process: lets it clean up after itself, for a moment. */
  async kill(): Promise<void> {
    this.child.stdin.end();
    const impatience = setTimeout(() => this.child.kill("SIGKILL"), 1000);
    await this.ended;
    clearTimeout(impatience);
  }

  private async answer(limitMs: number, what: string): Promise<Answer> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<"late">((resolve) => {
      timer = setTimeout(resolve, limitMs, "late");
    });
    const next = await Promise.race([this.lines.next(), timeout]);
    clearTimeout(timer);
    if (next === "late") throw this.failure(`took longer than ${limitMs / 1000} s ${what}: give a smaller --batch`);
    if (next.done) throw this.failure(await this.ended);
    const answer = parse(next.value);
    if (answer === undefined) throw this.failure(`printed "${oneLine(next.value)}", which is no line of the protocol`);
    if (answer.error !== undefined) throw this.failure(oneLine(answer.error));
    return answer;
  }

  private failure(why: string): InputError {
    return new InputError(`${this.name}: ${why}`);
  }

  /** The line of stderr that says most: the last that names an error, else the last one. */
  private complaint(): string {
    const lines = this.stderr.split("\n").filter((line) => line.trim() !== "");
    const line = lines.findLast((text) => /^[\w.]*(Error|Exception)\b/.test(text)) ?? lines.at(-1);
    return line === undefined ? "" : `: ${oneLine(line)}`;
  }
}

function parse(line: string): Answer | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
