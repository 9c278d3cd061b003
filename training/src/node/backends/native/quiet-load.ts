import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bindingPath, stderrPath } from "./layout.ts";

const require = createRequire(import.meta.url);

/** What TensorFlow 2.21 says at every load, before anything could tell it to be silent. */
const chatter = [
  /^WARNING: All log messages before absl::InitializeLog\(\) is called/,
  /oneDNN custom operations are on/,
];

/** What is left of a log without the lines that only announce oneDNN. */
export function withoutChatter(log: string): string {
  return log
    .split("\n")
    .filter((line) => !chatter.some((pattern) => pattern.test(line)))
    .join("\n");
}

/**
 * Loads the binding of a set-up folder, keeping TensorFlow's greeting off the terminal: while its library
 * initialises, stderr goes to a file, and whatever else stands there is passed on. TF_CPP_MIN_LOG_LEVEL=0 lets all through.
 *
 * @throws what loading throws
 */
export function quietLoad<T>(folder: string): T {
  const binding = join(folder, bindingPath);
  const helper = join(folder, stderrPath);
  if (process.env.TF_CPP_MIN_LOG_LEVEL === "0" || !existsSync(helper)) return require(binding);
  const stderr: { redirect(fd: number): number; restore(saved: number): void } = require(helper);
  const scratch = mkdtempSync(join(tmpdir(), "tfjs-zoo-"));
  const log = join(scratch, "stderr");
  const fd = openSync(log, "w");
  const saved = stderr.redirect(fd);
  try {
    return require(binding);
  } finally {
    stderr.restore(saved);
    closeSync(fd);
    process.stderr.write(withoutChatter(readFileSync(log, "utf8")));
    rmSync(scratch, { recursive: true, force: true });
  }
}
