import { describe, expect, it } from "vitest";
import { prefetch } from "./prefetch.ts";

const tick = () => new Promise((resolve) => setTimeout(resolve, 2));

/** 0..count-1, with a log of what was made and whether it was closed. */
function source(count: number, failAt = -1) {
  const log = { made: 0, closed: false };
  async function* items() {
    try {
      for (let i = 0; i < count; i++) {
        await tick();
        if (i === failAt) throw new Error("broken item");
        log.made++;
        yield i;
      }
    } finally {
      log.closed = true;
    }
  }
  return { log, items: items() };
}

describe("prefetch", () => {
  it.each([1, 2, 5, 50])("keeps order and number at depth %i", async (depth) => {
    const seen: number[] = [];
    for await (const item of prefetch(source(20).items, depth)) seen.push(item);
    expect(seen).toEqual([...Array(20).keys()]);
  });

  it("prepares `depth` items ahead and no more", async () => {
    const { log, items } = source(20);
    const ahead = prefetch(items, 3);
    await ahead.next();
    for (let i = 0; i < 20; i++) await tick();
    expect(log.made).toBe(4);
    await ahead.return();
  });

  it("gives what was made before an error, then the error", async () => {
    const { log, items } = source(10, 3);
    const seen: number[] = [];
    const run = async () => {
      for await (const item of prefetch(items, 2)) seen.push(item);
    };
    await expect(run()).rejects.toThrow("broken item");
    expect(seen).toEqual([0, 1, 2]);
    expect(log.closed).toBe(true);
  });

  it("closes the source when the consumer leaves, and makes nothing more", async () => {
    const { log, items } = source(1000);
    for await (const item of prefetch(items, 2)) if (item === 4) break;
    expect(log.closed).toBe(true);
    const { made } = log;
    await tick();
    await tick();
    expect(log.made).toBe(made);
    expect(made).toBeLessThan(10);
  });

  it("refuses no depth", async () => {
    await expect(prefetch(source(1).items, 0).next()).rejects.toThrow("depth 0");
  });
});
