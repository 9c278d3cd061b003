import { oneLine } from "../one-line.ts";
import { runCommand } from "./run-command.ts";

/**
 * Loads a compiled binding in a process of its own, since a library built for another processor ends the process.
 *
 * @returns the version of TensorFlow inside
 * @throws with one line when it does not load
 */
export async function tryBinding(path: string): Promise<string> {
  const script = `const binding = require(${JSON.stringify(path)}); process.stdout.write("loaded " + binding.TF_Version);`;
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: "2", NODE_OPTIONS: "" };
  const result = await runCommand(process.execPath, ["-e", script], { env, timeoutMs: 60_000 });
  const version = /loaded (\S+)/.exec(result.stdout)?.[1];
  if (result.code === 0 && version) return version;
  if (result.signal === "SIGILL") throw new Error("TensorFlow's library needs a processor with AVX");
  if (result.failure === "timeout") throw new Error("the binding did not load within a minute");
  const lines = result.stderr.split("\n").filter((line) => /error|cannot|undefined symbol|version/i.test(line));
  throw new Error(oneLine(`the binding does not load: ${lines[0] ?? result.signal ?? `status ${result.code}`}`));
}
