import { describe, expect, it } from "vitest";
import { Contestant } from "./contestant.ts";

const ready = { params: 1, batch: 2, versions: { fake: "1" } };
const sayReady = `console.log(JSON.stringify({ ready: ${JSON.stringify(ready)} }));`;

/** A process that runs `script`; in it, `onLine(body)` runs body for each line of stdin, which is called \`line\`. */
function fake(script: string, stepMs = 20_000): Contestant {
  const onLine =
    'const onLine = (f) => require("node:readline").createInterface({ input: process.stdin }).on("line", f);';
  return new Contestant(
    { name: "fake", command: process.execPath, args: ["-e", `${onLine}\n${script}`] },
    { readyMs: 20_000, stepMs },
  );
}

/** What the first round of a contestant fails with. */
async function failure(contestant: Contestant, steps = 2): Promise<Error> {
  try {
    await contestant.ready();
    await contestant.run(steps);
  } catch (error) {
    return error as Error;
  } finally {
    await contestant.kill();
  }
  throw new Error("it did not fail");
}

describe("a contestant", () => {
  it("says what it is, then takes as many steps as it is told", async () => {
    const contestant = fake(`
      ${sayReady}
      onLine((line) => console.log(JSON.stringify({ step_ms: Array(Number(line)).fill(7) })));
    `);
    expect(await contestant.ready()).toEqual(ready);
    expect(await contestant.run(2)).toEqual([7, 7]);
    expect(await contestant.run(3)).toEqual([7, 7, 7]);
    await contestant.kill();
  });

  const wrong: [string, string, RegExp][] = [
    ["crashes at once", 'throw new Error("no backend")', /^fake: ended with status 1: Error: no backend$/],
    ["crashes in a round", `${sayReady} onLine(() => process.abort());`, /^fake: ended with SIGABRT/],
    ["throws in a round", `${sayReady} onLine(() => { null.x });`, /^fake: ended with status 1: TypeError: .*null/],
    ["leaves quietly", "process.exit(0)", /^fake: ended with status 0$/],
    ["reports an error", `console.log('{"error":"out of\\\\nmemory"}')`, /^fake: out of memory$/],
    ["is not ready first", `console.log('{"step_ms":[]}')`, /^fake: said something else/],
    ["speaks prose", 'console.log("Epoch 1")', /^fake: printed "Epoch 1", which is no line of the protocol$/],
    [
      "takes fewer steps",
      `${sayReady} onLine(() => console.log('{"step_ms":[1]}'));`,
      /^fake: did not answer with the times of 2 steps$/,
    ],
    [
      "gives no times",
      `${sayReady} onLine(() => console.log('{"step_ms":[1,"x"]}'));`,
      /^fake: did not answer with the times of 2 steps$/,
    ],
  ];
  it.each(wrong)("that %s is one line", async (_, script, message) => {
    const error = await failure(fake(script));
    expect(error.name).toBe("InputError");
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain("\n");
  });

  it("that hangs is one line, and can be ended", async () => {
    const start = performance.now();
    const error = await failure(fake(`${sayReady} onLine(() => { for (;;); });`, 150));
    expect(error.message).toBe("fake: took longer than 0.3 s for 2 steps: give a smaller --batch");
    expect(performance.now() - start).toBeLessThan(15_000);
  });

  it("that can't be started is one line", async () => {
    const contestant = new Contestant({ name: "torch", command: "/nowhere/python", args: [] });
    expect((await failure(contestant)).message).toMatch(/^torch: does not start: .*ENOENT/);
  });
});
