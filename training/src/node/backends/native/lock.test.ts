import { existsSync } from "node:fs";
import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { withLock } from "./lock.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "zoo-lock-"));
  path = join(folder, "lock");
});
afterEach(() => rm(folder, { recursive: true }));

it("lets one work at a time and leaves nothing", async () => {
  let working = 0;
  let waited = 0;
  const work = async () => {
    expect(++working).toBe(1);
    await sleep(50);
    working--;
  };
  await Promise.all([withLock(path, work), withLock(path, work, () => waited++)]);
  expect(waited).toBeGreaterThan(0);
  expect(existsSync(path)).toBe(false);
});

it("leaves nothing when the work fails", async () => {
  await expect(withLock(path, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(existsSync(path)).toBe(false);
});

it("takes over from a process that is gone", async () => {
  await writeFile(path, `4194304 ${hostname()}\n`);
  expect(await withLock(path, async () => "done")).toBe("done");
});

it("takes over when the heartbeat is old, whoever has that process id now", async () => {
  await writeFile(path, `${process.pid} ${hostname()}\n`);
  const before = new Date(Date.now() - 120_000);
  await utimes(path, before, before);
  expect(await withLock(path, async () => "done")).toBe("done");
});

it("waits for another machine that is at work", async () => {
  await writeFile(path, "4194304 another-machine\n");
  setTimeout(() => rm(path), 300);
  const holders: string[] = [];
  await withLock(
    path,
    async () => {},
    (pid) => holders.push(pid),
  );
  expect(holders).toEqual(["4194304"]);
});
