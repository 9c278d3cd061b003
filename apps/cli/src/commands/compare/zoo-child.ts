import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface ChildEnd {
  code: number | null;
  stdout: string;
  /** the last line that it said, for when it failed */
  lastLine: string;
}

/**
 * Runs a command of zoo in a process of its own, as this process runs: its memory and its crash are its own.
 *
 * @param onLine gets each line that it says on the way
 * @param signal ends it as Ctrl-C does: it saves first
 */
export function zooChild(
  args: readonly string[],
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<ChildEnd> {
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1], ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stop = () => child.kill("SIGINT");
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  let [stdout, lastLine] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  createInterface({ input: child.stderr }).on("line", (line) => {
    if (line.trim() !== "") lastLine = line;
    onLine(line);
  });
  return new Promise((resolve) => {
    const end = (code: number | null, problem?: string) => {
      signal.removeEventListener("abort", stop);
      resolve({ code, stdout, lastLine: problem ?? lastLine.replace(/^error: /, "") });
    };
    child.on("error", (error) => end(1, error.message));
    child.on("close", (code, killer) => end(code, killer === null ? undefined : `ended by ${killer}`));
  });
}
