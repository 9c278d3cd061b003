import { askChild } from "./ask-child.ts";
import type { ChildReport } from "./diagnose-child.ts";
import { setupNative } from "./native-setup.ts";
import { oneLine } from "./one-line.ts";
import { type BackendName, type BackendStatus, backendNames, type Progress } from "./types.ts";

export interface BackendDiagnosis extends BackendStatus {
  /** Measured GFLOP/s of a 3x3 convolution of 64 to 64 channels on 32x32x32 pixels, f32. */
  gflops?: number;
}

export interface Diagnosis {
  /** The backend that "auto" takes. */
  default: BackendName;
  backends: BackendDiagnosis[];
}

export interface DiagnoseOptions {
  progress?: Progress;
  threads?: number;
  /** Whether a native backend that is not there yet is set up first. Default true. */
  setup?: boolean;
}

/** Starts and measures one backend in a process of its own: a crash there is a finding, not an end. */
async function examine(name: BackendName, threads: number | undefined): Promise<ChildReport> {
  try {
    return await askChild<ChildReport>("diagnose-child", threads ? [name, String(threads)] : [name]);
  } catch (error) {
    return { name, ok: false, reason: oneLine(error, 700), eligible: false };
  }
}

/**
 * Examines every backend, as `zoo doctor` shows it: really starts each in a process of its own and measures its speed
 * for about two seconds. None is started in this process.
 */
export async function diagnose(options: DiagnoseOptions = {}): Promise<Diagnosis> {
  const { progress, threads, setup = true } = options;
  let nativeReason: string | undefined;
  if (setup) {
    await setupNative({ progress }).catch((error) => {
      nativeReason = oneLine(error, 700);
    });
  }
  const backends: BackendDiagnosis[] = [];
  let best: BackendName | undefined;
  for (const name of backendNames) {
    progress?.({ label: `Examining ${name}`, done: backends.length, total: backendNames.length, unit: "items" });
    const { eligible, ...status } = await examine(name, threads);
    if (name === "tensorflow" && !status.ok && nativeReason) status.reason = nativeReason;
    if (status.ok && eligible) best ??= name;
    backends.push(status);
  }
  return { default: best ?? "cpu", backends };
}
