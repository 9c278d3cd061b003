import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EventWriter, maskedCrc } from "./tensorboard.ts";

let folder: string;

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "zoo-events-")), "tensorboard");
});

afterEach(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

/** Splits a file into its records' data; the lengths and checksums must fit. */
function records(file: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    expect(file.readUInt32LE(at + 8)).toBe(maskedCrc(file.subarray(at, at + 8)));
    const data = file.subarray(at + 12, at + 12 + length);
    expect(file.readUInt32LE(at + 12 + length)).toBe(maskedCrc(data));
    found.push(data);
    at += length + 16;
  }
  return found;
}

describe("EventWriter", () => {
  it("writes the bytes that TensorBoard's own writer writes", () => {
    const writer = new EventWriter(folder, { resumedAt: 300, now: () => 1700000000.25 });
    writer.scalar("loss/train", 0.125, 70000);
    writer.close();
    // From tensorboard 2.21: RecordWriter over the same three Event messages.
    expect(readFileSync(writer.path).toString("hex")).toBe(
      "1800000000000000a37f4b220900001040fc54d9411a0d627261696e2e4576656e743a32338d2fe9" +
        "100000000000000095fbfe180900001040fc54d94110ad023a020801cb79b93b" +
        "220000000000000078113dfd0900001040fc54d94110f0a2042a130a110a0a6c6f73732f747261696e150000003e5c2a78e2",
    );
    expect(basename(writer.path)).toMatch(/^events\.out\.tfevents\.1700000000\.[\w.-]+$/);
  });

  it("puts a session's file after the earlier ones, even when the clock stands still or goes back", () => {
    const times = [50, 50, 40];
    const paths = times.map((time) => {
      const writer = new EventWriter(folder, { now: () => time });
      writer.close();
      return basename(writer.path);
    });
    expect(readdirSync(folder).sort()).toEqual(paths);
  });

  it("flushes by itself after two seconds, and when asked", () => {
    let time = 100;
    const writer = new EventWriter(folder, { now: () => time });
    const count = () => records(readFileSync(writer.path)).length;
    expect(count()).toBe(1);
    writer.scalar("loss", 1, 1);
    expect(count()).toBe(1);
    writer.flush();
    expect(count()).toBe(2);
    writer.scalar("loss", 1, 2);
    time += 2;
    writer.scalar("loss", 1, 3);
    expect(count()).toBe(4);
    writer.close();
    writer.close();
    expect(count()).toBe(4);
  });
});
