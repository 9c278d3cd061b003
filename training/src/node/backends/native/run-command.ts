import { spawn } from "node:child_process";

export interface CommandResult {
  /** Exit status; null when it never ran, ran out of time or died of a signal. */
  code: number | null;
  stdout: string;
  stderr: string;
  /** Why there is no exit status. */
  failure?: "missing" | "timeout" | "signal" | "refused";
  signal?: string;
}

export interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  timeoutMs?: number;
  /** Hears stdout as it comes. */
  onOutput?: (text: string) => void;
}

const keep = 64 * 1024;
const fatalSignals: NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Runs a program to its end and returns what it printed (the last 64 KiB of each stream); never throws. */
export function runCommand(command: string, args: string[], options: CommandOptions = {}): Promise<CommandResult> {
  const { cwd, env = process.env, timeoutMs = 60_000, onOutput } = options;
  const windows = process.platform === "win32";
  return new Promise((resolve) => {
    let stdout = "";
    let stderr = "";
    let timedOut = false;
    // A group of its own, so that a time-out also ends what the program has started. Windows needs a shell for npm.cmd.
    const child = spawn(command, windows ? args.map((arg) => `"${arg}"`) : args, {
      cwd,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: !windows,
      shell: windows,
    });
    const end = () => {
      try {
        if (child.pid !== undefined) process.kill(windows ? child.pid : -child.pid, "SIGKILL");
      } catch {
        // It has ended by itself meanwhile.
      }
    };
    const timer = setTimeout(() => {
      timedOut = true;
      end();
    }, timeoutMs);
    // The group does not hear the terminal's Ctrl-C, and must not outlive this process.
    const onSignal = (signal: NodeJS.Signals) => {
      end();
      release();
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    };
    const release = () => {
      process.removeListener("exit", end);
      for (const signal of fatalSignals) process.removeListener(signal, onSignal);
    };
    process.once("exit", end);
    for (const signal of fatalSignals) process.on(signal, onSignal);
    const finish = (result: Partial<CommandResult>) => {
      clearTimeout(timer);
      release();
      resolve({ code: null, stdout, stderr, ...result });
    };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout = (stdout + text).slice(-keep);
      onOutput?.(text);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-keep);
    });
    child.once("error", (error: NodeJS.ErrnoException) =>
      finish({ failure: error.code === "ENOENT" ? "missing" : "refused", stderr: error.message }),
    );
    child.once("close", (code, signal) => {
      if (timedOut) finish({ failure: "timeout" });
      else if (signal) finish({ failure: "signal", signal });
      else finish({ code });
    });
  });
}
