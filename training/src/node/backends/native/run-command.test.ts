import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { runCommand } from "./run-command.ts";

const node = process.execPath;

it("returns status and output", async () => {
  const result = await runCommand(node, ["-e", "console.log('out'); console.error('err'); process.exit(3)"]);
  expect(result).toEqual({ code: 3, stdout: "out\n", stderr: "err\n" });
});

it("says when a program is missing", async () => {
  expect(await runCommand("no-such-program-here", [])).toMatchObject({ code: null, failure: "missing" });
});

it("ends a program that takes too long, with its children", async () => {
  const script = `require("child_process").spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"],
    { stdio: "inherit" }); setTimeout(() => {}, 60000);`;
  const before = Date.now();
  const result = await runCommand(node, ["-e", script], { timeoutMs: 1500 });
  expect(result).toMatchObject({ code: null, failure: "timeout" });
  // The output ends when the last process that holds it does.
  expect(Date.now() - before).toBeLessThan(20_000);
});

it.skipIf(process.platform === "win32")(
  "does not leave a program behind when this process is interrupted",
  async () => {
    const script = `import { runCommand } from ${JSON.stringify(new URL("./run-command.ts", import.meta.url).href)};
    await runCommand(process.execPath, ["-e", "console.log('up'); setTimeout(() => {}, 60000)"], {
      onOutput: () => process.kill(process.pid, "SIGINT"),
    });`;
    const tsx = createRequire(import.meta.url).resolve("tsx");
    const before = Date.now();
    const result = await runCommand(node, ["--import", pathToFileURL(tsx).href, "--input-type=module", "-e", script]);
    expect(result).toMatchObject({ code: null, signal: "SIGINT" });
    expect(Date.now() - before).toBeLessThan(20_000);
  },
);
