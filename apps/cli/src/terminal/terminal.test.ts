import { describe, expect, it } from "vitest";
import { formatBytes, formatDuration, formatRate } from "./format.ts";
import { createProgress, progressLine, trainingLine } from "./progress.ts";
import { formatTable } from "./table.ts";

const state = {
  epoch: 3,
  epochs: 14,
  step: 100,
  steps: 351,
  loss: 0.8123,
  accuracy: 0.7161,
  learningRate: 0.123,
  itemsPerSecond: 512.3,
  unit: "images" as const,
  etaSeconds: 3700,
};

describe("formats", () => {
  it.each([
    [0, "0:00"],
    [75, "1:15"],
    [59.6, "1:00"],
    [3700, "1:01:40"],
    [Number.NaN, "--:--"],
  ])("duration %s is %s", (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1536, "1.5 KB"],
    [273_829_956, "274 MB"],
    [999_950, "1.0 MB"],
  ])("%s bytes are %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it("gives rates in the unit of what is counted", () => {
    expect(formatRate(2.5e6, "bytes")).toBe("2.5 MB/s");
    expect(formatRate(512.3, "items")).toBe("512/s");
  });
});

describe("trainingLine", () => {
  it("shows everything on a wide terminal", () => {
    expect(trainingLine(state, 120)).toBe(
      "epoch 3/14  █████░░░░░░░░░░░  100/351  loss 0.812  acc 71.6 %  lr 0.12  512 images/s  ETA 1:01:40",
    );
  });

  it("never wraps, and keeps what matters most", () => {
    for (let width = 0; width < 130; width++) expect(trainingLine(state, width).length).toBeLessThanOrEqual(width);
    expect(trainingLine(state, 40)).toBe("epoch 3/14  loss 0.812  acc 71.6 %");
  });
});

describe("progressLine", () => {
  it("has a rate and an ETA after a moment", () => {
    const event = { label: "fetching", done: 50e6, total: 100e6, unit: "bytes" as const };
    expect(progressLine(event, 10, 80)).toBe("fetching  ██████████░░░░░░░░░░  50.0 MB/100 MB  5.0 MB/s  ETA 0:10");
    expect(progressLine(event, 0, 80)).not.toContain("ETA");
  });
});

describe("createProgress", () => {
  function display(enabled: boolean) {
    const written: string[] = [];
    let time = 0;
    const progress = createProgress({
      stream: { columns: 100, write: (text) => written.push(text) },
      enabled,
      now: () => time,
    });
    return { progress, written, advance: (ms: number) => (time += ms) };
  }

  it("redraws at most ten times a second", () => {
    const { progress, written, advance } = display(true);
    for (let i = 0; i < 100; i++) {
      progress.training(state);
      advance(10);
    }
    expect(written.length).toBe(10);
  });

  it("prints only permanent lines, without control codes, when it is no terminal", () => {
    const { progress, written } = display(false);
    progress.training(state);
    progress.line("epoch 1/14");
    progress.update({ label: "x", done: 1, total: 1, unit: "items" });
    progress.stop();
    expect(written).toEqual(["epoch 1/14\n"]);
  });
});

describe("formatTable", () => {
  it("aligns columns", () => {
    const rows = [
      { name: "resnet20", params: "269,722" },
      { name: "lenet5", params: "61,706" },
    ];
    expect(formatTable(rows, [{ key: "name" }, { key: "params", align: "right" }])).toBe(
      "name       params\n--------  -------\nresnet20  269,722\nlenet5     61,706",
    );
  });
});
