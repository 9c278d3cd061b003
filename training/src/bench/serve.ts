import { createInterface } from "node:readline";
import { oneLine } from "../node/backends/one-line.ts";
import type { Ready } from "./contestant.ts";

export interface Stepper {
  ready: Ready;
  /** One whole training step; resolves to its loss once that has been read back. */
  step(): Promise<number>;
}

/**
 * A contestant's side of the protocol (see Contestant): prepares, then takes as many steps as each line of stdin says
 * and answers with their times, until stdin ends. It leaves the process.
 */
export async function serve(prepare: () => Promise<Stepper>): Promise<never> {
  // Standard output belongs to the protocol, whatever a library wants to say.
  console.log = console.info = console.error;
  process.stdout.on("error", () => process.exit(1));
  try {
    const { ready, step } = await prepare();
    await say({ ready });
    for await (const line of createInterface({ input: process.stdin })) {
      const times: number[] = [];
      for (let n = Number(line); n > 0; n--) {
        const start = performance.now();
        const loss = await step();
        times.push(performance.now() - start);
        // A step whose loss is not finite may skip the update, and would be timed too short.
        if (!Number.isFinite(loss)) throw new Error(`the loss became ${loss}`);
      }
      await say({ step_ms: times });
    }
    process.exit(0);
  } catch (error) {
    await say({ error: oneLine(error) });
    process.exit(1);
  }
}

function say(line: object): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${JSON.stringify(line)}\n`, () => resolve()));
}
