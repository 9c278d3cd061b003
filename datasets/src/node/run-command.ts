import { spawn } from "node:child_process";

export interface CommandResult {
  stdout: Buffer;
  stderr: string;
}

export interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** The command is ended after this time. */
  timeoutMs: number;
  /** Most bytes of standard output that are taken. */
  maxBytes?: number;
}

/**
 * Runs a program to its end and returns what it wrote.
 *
 * @throws Error with one line that says why where it can't be started, fails, takes too long or writes too much
 */
export function runCommand(command: string, args: readonly string[], options: CommandOptions): Promise<CommandResult> {
  const { timeoutMs, maxBytes = 64 * 1024 * 1024 } = options;
  return new Promise((resolve, reject) => {
    // npm is a .cmd file on Windows, which only a shell starts; no argument of ours needs quoting there.
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ["ignore", "pipe", "pipe"],
      shell: process.platform === "win32",
    });
    const output: Buffer[] = [];
    let bytes = 0;
    let stderr = "";
    let stopped: string | undefined;
    const stop = (why: string) => {
      stopped ??= why;
      child.kill("SIGKILL");
    };
    const timer = setTimeout(() => stop(`no result within ${Math.round(timeoutMs / 1000)} s`), timeoutMs);
    child.stdout.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) stop(`wrote more than ${maxBytes} bytes`);
      else output.push(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr = (stderr + chunk.toString("utf8")).slice(-8192);
    });
    child.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(new Error(error.code === "ENOENT" ? `${command} is not installed` : error.message));
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (stopped) reject(new Error(`${command}: ${stopped}`));
      else if (code !== 0) reject(new Error(`${command} ended with ${code ?? signal}: ${gist(stderr)}`));
      else resolve({ stdout: Buffer.concat(output), stderr });
    });
  });
}

/** The line of a program's complaints that says most: the first error, else the last line. */
function gist(stderr: string): string {
  const lines = stderr
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/\bwarn\b/i.test(line));
  const error = lines.find((line) => /error|ERR!|^E:/i.test(line) && !/code E\w+$|A complete log/i.test(line));
  return (error ?? lines.at(-1) ?? "no message").slice(0, 200);
}
