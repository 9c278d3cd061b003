import { type CpuInfo, cpus } from "node:os";
import { setTimeout as pause } from "node:timers/promises";

type Times = Pick<CpuInfo, "times">;

/** How many cores were at work between two looks at them. */
export function busyCores(before: readonly Times[], after: readonly Times[]): number {
  const shares = after.map(({ times }, core) => {
    const total = sum(times) - sum(before[core].times);
    return total > 0 ? 1 - (times.idle - before[core].times.idle) / total : 0;
  });
  return shares.reduce((a, b) => a + b, 0);
}

/** How many cores other programs keep at work now, while this one waits for half a second. */
export async function otherLoad(): Promise<number> {
  const before = cpus();
  await pause(500);
  return busyCores(before, cpus());
}

function sum({ user, nice, sys, idle, irq }: CpuInfo["times"]): number {
  return user + nice + sys + idle + irq;
}
