import { describe, expect, it } from "vitest";
import { busyCores } from "./busy.ts";

const core = (user: number, idle: number) => ({ times: { user, idle, nice: 0, sys: 0, irq: 0 } });

describe("cores at work", () => {
  it("are counted by what they did in between", () => {
    expect(busyCores([core(50, 50), core(0, 1000)], [core(150, 50), core(25, 1075)])).toBe(1.25);
    expect(busyCores([core(5, 5)], [core(5, 5)])).toBe(0);
  });
});
