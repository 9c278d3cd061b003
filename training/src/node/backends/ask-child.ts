import { fork } from "node:child_process";
import { createRequire } from "node:module";
import { extname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { oneLine } from "./one-line.ts";

/** How a child of this process runs a TypeScript source: as tsx does when this is one, plainly when it is built. */
export function runtimeArguments(file: string): string[] {
  if (extname(file) !== ".ts" || process.execArgv.some((arg) => arg.includes("tsx"))) return process.execArgv;
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  return ["--import", tsx, "--conditions=tfjs-zoo-source"];
}

/**
 * Runs a module beside this one in a process of its own and returns the one message it sends: native libraries may
 * print there, hang or crash without harm.
 *
 * @param name the module's file name without extension
 * @throws Error with one line when the process ends without a message or takes too long
 */
export function askChild<Answer>(name: string, args: string[], timeoutMs = 60_000): Promise<Answer> {
  const file = fileURLToPath(new URL(`./${name}${extname(import.meta.url)}`, import.meta.url));
  return new Promise((resolve, reject) => {
    const child = fork(file, args, { execArgv: runtimeArguments(file), stdio: ["ignore", "ignore", "pipe", "ipc"] });
    let stderr = "";
    let answer: { value: Answer } | undefined;
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, timeoutMs);
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-4000);
    });
    child.on("message", (value) => {
      answer = { value: value as Answer };
    });
    child.on("error", (error) => {
      stderr += `${error.message}\n`;
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (answer) return resolve(answer.value);
      const line = stderr.split("\n").find((text) => /error/i.test(text)) ?? "";
      const end = timedOut
        ? `did not answer within ${timeoutMs / 1000} s`
        : `crashed (${signal ?? `status ${code}`}) ${line}`;
      reject(new Error(oneLine(end)));
    });
  });
}
