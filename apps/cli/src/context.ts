import { type BackendName, backendNames, type StartResult, startBackend } from "@tfjs-zoo/training/node";
import { Option } from "commander";
import { closest } from "fastest-levenshtein";
import { createProgress, type ProgressDisplay } from "./terminal/progress.ts";

/** A command line that can't be understood: exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Flags that most commands have. */
export interface CommonFlags {
  json?: boolean;
  backend?: string;
  threads?: string;
}

export const jsonOption = () => new Option("--json", "print one JSON document and nothing else");

export const backendOption = () =>
  new Option("--backend <name>", "what computes").choices(["auto", ...backendNames]).default("auto");

export const threadsOption = () => new Option("--threads <n>", "threads of the native backend (default: all cores)");

/** Where a command says things: a live line for people, one JSON document for programs. */
export interface Output {
  readonly progress: ProgressDisplay;
  /** Prints a line for people; nothing with --json. */
  line(text: string): void;
  /** Prints the result: as JSON with --json, else through `text`. */
  result(value: unknown, text: () => string): void;
}

export function createOutput({ json = false }: CommonFlags): Output {
  const progress = createProgress({ stream: process.stderr, enabled: process.stderr.isTTY && !json });
  return {
    progress,
    line: (text) => {
      if (!json) progress.line(text);
    },
    result: (value, text) => {
      progress.stop();
      process.stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : `${text()}\n`);
    },
  };
}

/** Starts the backend that the flags ask for, and says which it is and why not the others. */
export async function startBackendFor(flags: CommonFlags, output: Output): Promise<StartResult> {
  const result = await startBackend((flags.backend ?? "auto") as BackendName | "auto", {
    progress: (event) => output.progress.update(event),
    threads: flags.threads === undefined ? undefined : wholeNumber("--threads", flags.threads, 1, 1024),
  });
  const used = result.statuses.find(({ name }) => name === result.name);
  output.line(`backend: ${result.name} (${used?.reason ?? ""})`);
  for (const { name, reason } of result.statuses) if (name !== result.name) output.line(`  not ${name}: ${reason}`);
  return result;
}

/** Runs what reads the command line: an InputError there is about the command line. */
export function asUsage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof Error && error.name === "InputError" ? new UsageError(error.message) : error;
  }
}

/** @throws UsageError unless the text is one of the values, with the nearest that is */
export function choice<T extends string>(flag: string, text: string, values: readonly T[]): T {
  if ((values as readonly string[]).includes(text)) return text as T;
  throw new UsageError(`${flag} got "${text}": did you mean "${closest(text, values)}"? (${values.join(", ")})`);
}

/** @throws UsageError unless the text is a number above `least` */
export function numberAbove(flag: string, text: string, least: number): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (Number.isFinite(value) && value > least) return value;
  throw new UsageError(`${flag} got "${text}"; expected a number above ${least}`);
}

/** @throws UsageError unless the text is a whole number in the range */
export function wholeNumber(flag: string, text: string, min = 0, max = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  throw new UsageError(`${flag} got "${text}"; expected a whole number ${range}`);
}

/** Exit code for an error: 2 for a command line, 1 for everything else. */
export function exitCodeOf(error: unknown): number {
  return error instanceof UsageError ? 2 : 1;
}

/** One line for an error: its message if it is meant for people, else that it is a bug and where. */
export function errorLine(error: unknown): string {
  const oneLine = (text: string) => text.replace(/\s*\n\s*/g, " ");
  if (error instanceof Error && ["InputError", "UsageError"].includes(error.name)) return oneLine(error.message);
  const { message, stack = "" } = error instanceof Error ? error : new Error(String(error));
  if (process.env.ZOO_DEBUG) return stack;
  return oneLine(`${message} (unexpected; ZOO_DEBUG=1 shows where, and an issue with that would help)`);
}
