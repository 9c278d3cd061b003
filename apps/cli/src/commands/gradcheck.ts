import { bf16Ops, toBf16 } from "@tfjs-zoo/models/kernels/tensorflow";
import {
  type Bf16,
  checkGradients,
  checkNames,
  type GradientCheck,
  gradcheckExceptions,
  gradcheckTable,
} from "@tfjs-zoo/models/testing";
import { type BackendName, backendNames, type StartResult, startBackend } from "@tfjs-zoo/training/node";
import type { Command } from "commander";
import { closest } from "fastest-levenshtein";
import {
  backendOption,
  type CommonFlags,
  choice,
  createOutput,
  jsonOption,
  type Output,
  UsageError,
} from "../context.ts";
import { formatTable } from "../terminal/table.ts";

interface GradcheckFlags extends CommonFlags {
  op?: string;
  browser?: true;
}

export function registerGradcheck(program: Command): void {
  program
    .command("gradcheck")
    .description("checks every op's hand-written backward pass on every backend that starts")
    .option("--op <name>", "only this op, or GradientPenalty")
    .option("--browser", "in a headless Chromium: wasm and webgpu, or the one of --backend")
    .addOption(backendOption())
    .addOption(jsonOption())
    .action(gradcheck);
}

async function gradcheck(flags: GradcheckFlags): Promise<void> {
  const output = createOutput(flags);
  const names = [...checkNames];
  if (flags.op !== undefined && !names.includes(flags.op)) {
    throw new UsageError(`unknown op "${flags.op}": did you mean "${closest(flags.op, names)}"? (${names.join(", ")})`);
  }
  const ops = flags.op === undefined ? names : [flags.op];
  const checks = await (flags.browser ? inBrowser(flags, ops, output) : inNode(flags, ops, output));
  report(checks, output);
}

/** Checks on every backend that starts here. */
async function inNode(flags: GradcheckFlags, ops: readonly string[], output: Output): Promise<GradientCheck[]> {
  const backends = flags.backend === "auto" ? backendNames : [flags.backend as BackendName];
  const checks: GradientCheck[] = [];
  await startBackend("cpu"); // the stock oracle runs there
  for (const backend of backends) {
    const started = await start(backend, backends.length === 1, output);
    if (started === undefined) continue;
    checks.push(...(await check(backend, ops, output)));
    const { inBf16 } = started;
    if (inBf16) checks.push(...(await check(backend, ops, output, { inBf16, toBf16, ops: bf16Ops })));
  }
  return checks;
}

/** Checks in a page. */
async function inBrowser(flags: GradcheckFlags, ops: readonly string[], output: Output): Promise<GradientCheck[]> {
  const pageBackends = ["wasm", "webgpu", "cpu"];
  const backends =
    flags.backend === "auto" ? ["wasm", "webgpu"] : [choice("--backend", String(flags.backend), pageBackends)];
  const { openInChromium } = await import("../browser/in-chromium.ts");
  const page = await openInChromium();
  const checks: GradientCheck[] = [];
  try {
    for (const backend of backends) {
      for (const [done, op] of ops.entries()) {
        const label = `checking on ${backend} in ${page.browser}`;
        output.progress.update({ label, done, total: ops.length, unit: "items" });
        const found = (await page.ask("gradcheck", { backend, op }, 300_000)) as GradientCheck[];
        checks.push(...found.map((check) => ({ ...check, backend: `${backend} in ${page.browser}` })));
      }
    }
  } finally {
    page.close();
  }
  return checks;
}

function report(checks: readonly GradientCheck[], output: Output): void {
  const rows = gradcheckTable(checks);
  const wrong = checks.filter(({ ok }) => !ok);
  // JSON has no infinity, which is what an op that throws or gives a NaN is off by.
  const finite = rows.map((row) => ({ ...row, maxError: Math.min(row.maxError, Number.MAX_VALUE) }));
  output.result(finite, () =>
    [
      formatTable(
        rows.map(({ op, backend, oracle, order, maxError, tolerance, ok }) => ({
          op,
          backend,
          oracle,
          order: String(order),
          error: maxError.toExponential(1),
          tolerance: tolerance.toExponential(0),
          "": ok ? "ok" : "WRONG",
        })),
        ["op", "backend", "oracle", "order", "error", "tolerance", ""].map((key) => ({ key })),
      ),
      ...wrong.map((c) => `${c.op} on ${c.backend}, ${c.oracle}, order ${c.order}, ${c.case}: ${c.reason ?? "wrong"}`),
      ...gradcheckExceptions().map(
        ({ op, order, oracle, what, reason }) => `not covered: ${op}, ${oracle}, order ${order}, ${what}: ${reason}`,
      ),
      `${rows.filter(({ ok }) => ok).length} of ${rows.length} right (${checks.length} checks)`,
    ].join("\n"),
  );
  if (wrong.length > 0) process.exitCode = 1;
}

/** Starts a backend, if it does start; one that was asked for by name must. */
async function start(backend: BackendName, required: boolean, output: Output): Promise<StartResult | undefined> {
  try {
    return await startBackend(backend, { progress: output.progress.update });
  } catch (error) {
    if (required) throw error;
    output.line((error as Error).message);
    return undefined;
  }
}

async function check(
  backend: BackendName,
  ops: readonly string[],
  output: Output,
  bf16?: Bf16,
): Promise<GradientCheck[]> {
  const checks: GradientCheck[] = [];
  const label = `checking on ${backend}${bf16 ? " in bf16" : ""}`;
  for (const [done, op] of ops.entries()) {
    output.progress.update({ label, done, total: ops.length, unit: "items" });
    for await (const result of checkGradients({ backend, ops: [op], bf16 })) checks.push(result);
  }
  return checks;
}
