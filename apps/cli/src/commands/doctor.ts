import { diagnose } from "@tfjs-zoo/training/node";
import type { Command } from "commander";
import { type CommonFlags, createOutput, jsonOption, threadsOption, wholeNumber } from "../context.ts";
import { formatTable } from "../terminal/table.ts";

export function registerDoctor(program: Command): void {
  program
    .command("doctor")
    .description("which backends work here, how fast, and why not the others")
    .option("--setup", "set the native backend up if it is missing, even if that failed lately (the default)")
    .option("--no-setup", "only look")
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(async (flags: CommonFlags & { setup?: boolean }) => {
      const output = createOutput(flags);
      const diagnosis = await diagnose({
        progress: (event) => output.progress.update(event),
        threads: flags.threads === undefined ? undefined : wholeNumber("--threads", flags.threads, 1, 1024),
        setup: flags.setup ?? true,
      });
      output.result(diagnosis, () => {
        const rows = diagnosis.backends.map(({ name, ok, reason, version, threads, gflops }) => ({
          backend: name,
          works: ok ? "yes" : "no",
          version: version ?? "",
          threads: threads === undefined ? "" : String(threads),
          "GFLOP/s": gflops === undefined ? "" : gflops.toFixed(1),
          about: reason,
        }));
        const columns = [
          { key: "backend" },
          { key: "works" },
          { key: "version" },
          { key: "threads", align: "right" },
          { key: "GFLOP/s", align: "right" },
          { key: "about" },
        ] as const;
        return `${formatTable(rows, [...columns])}\n\n--backend auto takes ${diagnosis.default}; GFLOP/s of a 3x3 convolution, 64 to 64 channels, 32x32x32 pixels, f32`;
      });
    });
}
