import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { alternate } from "./alternate.ts";

/** A runner that writes its turns to a log, and answers with its n-th step's number as the time. */
function runner(name: string, log: string[], fail = Number.POSITIVE_INFINITY) {
  let step = 0;
  let busy = false;
  return {
    name,
    async run(steps: number) {
      if (busy) throw new Error(`${name} runs twice`);
      busy = true;
      log.push(`${name} starts ${steps}`);
      await pause(5);
      if (step >= fail) throw new Error(`${name} fails`);
      log.push(`${name} ends`);
      busy = false;
      return Array.from({ length: steps }, () => step++);
    },
  };
}

describe("taking turns", () => {
  it("goes round, one at a time, and the first round does not count", async () => {
    const log: string[] = [];
    const turns: string[] = [];
    const times = await alternate([runner("a", log), runner("b", log)], {
      steps: 5,
      stepsPerRound: 2,
      turnMs: 0,
      pauseMs: 0,
      onTurn: (name, done, total) => turns.push(`${name} ${done}/${total}`),
    });
    const round = (steps: number) => ["a", "b"].flatMap((name) => [`${name} starts ${steps}`, `${name} ends`]);
    expect(log).toEqual([...round(2), ...round(2), ...round(2), ...round(1)]);
    expect(times).toEqual([
      [2, 3, 4, 5, 6],
      [2, 3, 4, 5, 6],
    ]);
    expect(turns).toEqual(["a 0/8", "b 1/8", "a 2/8", "b 3/8", "a 4/8", "b 5/8", "a 6/8", "b 7/8"]);
  });

  it("warms up no longer than it measures", async () => {
    const log: string[] = [];
    expect(await alternate([runner("a", log)], { steps: 1, turnMs: 0 })).toEqual([[1]]);
    expect(log.filter((line) => line.includes("starts"))).toEqual(["a starts 1", "a starts 1"]);
  });

  it("takes so many steps that no turn is over in a moment", async () => {
    const of = (name: string, ms: number) => ({ name, run: async (steps: number) => Array(steps).fill(ms) });
    const [a, b] = await alternate([of("a", 40), of("b", 100)], {
      steps: 4,
      stepsPerRound: 2,
      turnMs: 300,
      pauseMs: 0,
    });
    expect([a.length, b.length]).toEqual([16, 6]);
  });

  it("stops when one fails", async () => {
    const log: string[] = [];
    const running = alternate([runner("a", log), runner("b", log, 0)], { steps: 5, turnMs: 0, pauseMs: 0 });
    await expect(running).rejects.toThrow("b fails");
    expect(log).toEqual(["a starts 5", "a ends", "b starts 5"]);
  });
});
