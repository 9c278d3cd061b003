import { isSoftwareAdapter } from "@tfjs-zoo/models/kernels/webgpu";
import { measureGflops } from "./measure.ts";
import { oneLine } from "./one-line.ts";
import { namedStarters } from "./start-backend.ts";
import type { BackendName, BackendStatus } from "./types.ts";
import { findAdapter } from "./webgpu.ts";

/** What the child tells its parent. */
export interface ChildReport extends BackendStatus {
  gflops?: number;
  /** Whether a start that takes the best backend would take this one. */
  eligible: boolean;
}

const [name, threads] = process.argv.slice(2) as [BackendName, string | undefined];

async function report(): Promise<ChildReport> {
  try {
    const started = await namedStarters[name]({ setup: false, threads: threads ? Number(threads) : undefined });
    const eligible = name !== "webgpu" || !isSoftwareAdapter((await findAdapter()).info);
    const gflops = Number((await measureGflops()).toPrecision(3));
    return {
      name,
      ok: true,
      reason: started.about,
      version: started.version,
      threads: started.threads,
      gflops,
      eligible,
    };
  } catch (error) {
    return { name, ok: false, reason: oneLine(error, 700), eligible: false };
  }
}

// Dawn keeps the process alive; leaving at once is also right for the others.
process.send?.(await report(), () => process.exit(0));
