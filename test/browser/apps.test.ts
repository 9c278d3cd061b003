import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apps } from "./site.ts";

/** A folder that has something else in it than a site, or published weights. */
const otherFiles = import.meta.dirname;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "zoo-apps-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** An environment in which no data set is on this machine. */
const nothing = () => ({ ZOO_CACHE_DIR: join(folder, "cache"), ZOO_DATA_DIR: "" });

describe("npm run apps", () => {
  const refused: [string, string[], number, RegExp][] = [
    ["a flag that there isn't", ["--prot", "1"], 2, /--prot/],
    ["a port that is none", ["--port", "http"], 2, /--port got "http"; expected a whole number from 0 to 65535/],
    ["a folder that can't be made", ["--build", "--out", "/proc/none"], 1, /can't write the site to \/proc\/none/],
    ["weights that aren't there", ["--build", "--weights", "/nowhere"], 1, /can't read \/nowhere \(ENOENT\): expected/],
    [
      "weights without a card",
      ["--build", "--weights", otherFiles],
      1,
      /card\.json \(E\w+\): expected folders NAME\.TAG/,
    ],
    ["a folder of other files", ["--build", "--out", otherFiles], 1, /browser has other files in it/],
  ];
  it.each(refused)("refuses %s in one line", async (_, flags, code, line) => {
    const ended = await apps(flags, nothing());
    expect(ended.stderr.match(/^error: .*$/gm)).toHaveLength(1);
    expect(ended.stderr).not.toMatch(/^\s+at /m);
    expect(ended.stderr).toMatch(line);
    expect(ended.code).toBe(code);
  });

  it("says that a port is in use", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const ended = await apps(["--out", folder, "--port", String(port)]);
      expect(ended.stderr.split("\n").filter((line) => line.startsWith("error:"))).toEqual([
        `error: port ${port} is in use: end what uses it, or give another --port`,
      ]);
      expect(ended.code).toBe(1);
    } finally {
      server.close();
    }
  });

  it("builds without the data sets that are not here, and says so", async () => {
    const ended = await apps(["--build", "--out", join(folder, "site")], nothing());
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toMatch(
      /^the page to train on cifar10 goes without it \(npm run zoo -- data cifar10 .*not in the cache/m,
    );
    expect(JSON.parse(await readFile(join(folder, "site/sets.json"), "utf8"))).not.toContainEqual(
      expect.objectContaining({ name: "cifar10" }),
    );
  });
});
