import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bindingPath, nativeFolder, nativeRoot } from "./native/layout.ts";
import { wheelObstacle } from "./native/setup-wheel.ts";
import { installedNative, type NativeSource, setupNative } from "./native-setup.ts";
import type { ProgressEvent } from "./types.ts";

let folder: string;
let cache: string;
let programs: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "zoo-native-"));
  cache = join(folder, "cache");
  programs = join(folder, "bin");
  await mkdir(programs);
  vi.stubEnv("PATH", programs);
  vi.stubEnv("CXX", undefined);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

/** Puts a shell script on an otherwise empty PATH. */
async function program(name: string, script: string): Promise<void> {
  const path = join(programs, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}

const failingNpm = 'echo "npm error code ENOTFOUND" >&2; echo "npm error network request failed" >&2; exit 1';
const pip = (download: string) => `case "$*" in *--version*) exit 0;; esac
while [ $# -gt 0 ]; do case "$1" in --dest) dest="$2";; esac; shift; done
${download}`;
const compiler = (compile: string) => `case "$*" in *--version*) exit 0;; esac
while [ $# -gt 0 ]; do case "$1" in -o) out="$2";; esac; shift; done
${compile}`;

/** A zip archive with uncompressed entries. */
function zip(files: Record<string, string | Buffer>): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const data = Buffer.from(content);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt32LE(crc32(data), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(data.length, 18);
    fields.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), fields, Buffer.from(name), data]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    centrals.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\0"), fields, place, Buffer.from(name)]));
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(centrals);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(centrals.length, 4);
  end.writeUInt16LE(centrals.length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, central, Buffer.from("PK\x05\x06"), end]);
}

const wheelFiles = {
  "tensorflow/libtensorflow_cc.so.2": "the library",
  "tensorflow/libtensorflow_framework.so.2": "the framework",
  "tensorflow/include/tensorflow/c/c_api.h": "// header",
  "tensorflow/include/Eigen/Core": "// not needed",
};

/** A wheel as pip would bring it, and a pip that does. */
async function pipWithWheel(change: (wheel: Buffer) => Buffer = (wheel) => wheel, files = wheelFiles): Promise<void> {
  const record = Object.entries(wheelFiles).map(
    ([name, text]) => `${name},sha256=${createHash("sha256").update(text).digest("base64url")},${text.length}`,
  );
  const wheel = zip({ ...files, "tensorflow_cpu-2.21.0.dist-info/RECORD": `${record.join("\n")}\n` });
  const path = join(folder, "prepared.whl");
  await writeFile(path, change(wheel));
  await program("python3", pip(`/bin/cp ${path} "$dest/tensorflow_cpu-2.21.0-cp311-cp311-linux.whl"`));
}

/** Sets up where it must fail; returns the reason, and checks that nothing half-written is left. */
async function failure(): Promise<string> {
  const reason = await setupNative({ cache }).then(
    () => "it did not fail",
    (error: Error) => error.message,
  );
  expect(reason).not.toContain("\n");
  expect(await readdir(nativeRoot(cache))).toEqual(["last-failure.json"]);
  expect(installedNative(cache)).toBeUndefined();
  return reason;
}

describe.runIf(wheelObstacle() === undefined)("setting up from the wheel, then from npm", () => {
  beforeEach(async () => {
    await program("npm", failingNpm);
    await program("g++", compiler("exit 1"));
  });

  it("names pip and npm when neither is there", async () => {
    await rm(join(programs, "npm"));
    const reason = await failure();
    expect(reason).toContain("no pip to fetch TensorFlow's library with: install Python's pip");
    expect(reason).toContain("npm install @tensorflow/tfjs-node: the program is not there");
  });

  it("names the network", async () => {
    await program("python3", pip('echo "WARNING: Failed to establish a new connection: [Errno -3]" >&2; exit 1'));
    const reason = await failure();
    expect(reason).toContain("pip reaches no package index: check the network, or pip's own configuration");
    expect(reason).toContain("npm error code ENOTFOUND");
  });

  it("passes on what pip says", async () => {
    await program("python3", pip('echo "ERROR: No matching distribution found for tensorflow-cpu" >&2; exit 1'));
    expect(await failure()).toContain("pip: ERROR: No matching distribution found for tensorflow-cpu");
  });

  it("tries another tag of the wheel", async () => {
    await program(
      "python3",
      pip('case "$*" in *) ;; esac; echo "$dest" >> "$0.calls"; echo "ERROR: none" >&2; exit 1'),
    );
    await failure();
    expect((await readFile(join(programs, "python3.calls"), "utf8")).trim().split("\n")).toHaveLength(2);
  });

  it("notices a wheel that is cut short", async () => {
    await pipWithWheel((wheel) => wheel.subarray(0, wheel.length / 2));
    expect(await failure()).toContain("the wheel is damaged or cut short");
  });

  it("notices a wrong byte", async () => {
    await pipWithWheel((wheel) => {
      wheel[wheel.indexOf("the library")] ^= 1;
      return wheel;
    });
    expect(await failure()).toContain("libtensorflow_cc.so.2 differs from the wheel's own checksum");
  });

  it("notices a wheel without the library", async () => {
    const { "tensorflow/libtensorflow_cc.so.2": _, ...rest } = wheelFiles;
    await pipWithWheel(undefined, rest as typeof wheelFiles);
    expect(await failure()).toContain("the wheel has no libtensorflow_cc.so.2");
  });

  it("names the compiler before anything is fetched", async () => {
    await rm(join(programs, "g++"));
    await program("python3", pip('/bin/touch "$0.fetched"; exit 1'));
    const reason = await failure();
    expect(await readdir(programs)).not.toContain("python3.fetched");
    expect(reason).toContain("no C++ compiler (c++, g++ or clang++): install one");
  });

  it("passes on the compiler's first error", async () => {
    await pipWithWheel();
    await program("g++", compiler('echo "a.cc:1:1: error: no such header" >&2; echo "more" >&2; exit 1'));
    expect(await failure()).toContain("g++: a.cc:1:1: error: no such header");
  });

  it("does not keep a binding that does not load", async () => {
    await pipWithWheel();
    await program("g++", compiler('echo rubbish > "$out"'));
    expect(await failure()).toContain("the binding does not load:");
  });

  it("names tfjs-node's download when its script fails", async () => {
    await program(
      "npm",
      `while [ $# -gt 0 ]; do case "$1" in --prefix) prefix="$2";; esac; shift; done
scripts="$prefix/node_modules/@tensorflow/tfjs-node/scripts"; /bin/mkdir -p "$scripts"
echo 'console.error("Error: getaddrinfo ENOTFOUND storage"); process.exit(1)' > "$scripts/install.js"`,
    );
    expect(await failure()).toContain(
      "tfjs-node's own download: its install script: Error: getaddrinfo ENOTFOUND storage",
    );
  });
});

describe("setupNative", () => {
  const source = (setup: NativeSource["setup"]): NativeSource => ({ name: "a source", tensorflow: "1.2.3", setup });
  const works = source(async (made) => {
    await mkdir(join(made, dirname(bindingPath)), { recursive: true });
    await writeFile(join(made, bindingPath), "binding");
    return "1.2.3";
  });

  it("appears whole, once, whoever asks", async () => {
    const setup = vi.fn(works.setup);
    const sources = [source(setup)];
    const folders = await Promise.all([setupNative({ cache, sources }), setupNative({ cache, sources })]);
    expect(new Set([...folders, await setupNative({ cache, sources })])).toEqual(
      new Set([nativeFolder(cache, "1.2.3")]),
    );
    expect(setup).toHaveBeenCalledTimes(1);
    expect(await readdir(nativeRoot(cache))).toEqual([folders[0].slice(nativeRoot(cache).length + 1)]);
  });

  it("goes on with the next source and reports progress", async () => {
    const events: ProgressEvent[] = [];
    const fails = source(async (_made, _work, progress) => {
      progress?.({ label: "first", done: 0, unit: "bytes" });
      throw new Error("no");
    });
    await setupNative({ cache, sources: [fails, works], progress: (event) => events.push(event) });
    expect(events.map(({ label }) => label)).toEqual(["first"]);
  });

  it("removes what a killed attempt left", async () => {
    await mkdir(join(nativeRoot(cache), ".attempt-abc", "made"), { recursive: true });
    await setupNative({ cache, sources: [works] });
    expect(await readdir(nativeRoot(cache))).toHaveLength(1);
  });

  it("does not try again within the hour unless it is asked to", async () => {
    const setup = vi.fn(async () => {
      throw new Error("no network");
    });
    const sources = [source(setup)];
    const reason = "not set up: a source: no network";
    await expect(setupNative({ cache, sources, again: false })).rejects.toThrow(reason);
    await expect(setupNative({ cache, sources, again: false })).rejects.toThrow(reason);
    expect(setup).toHaveBeenCalledTimes(1);
    await expect(setupNative({ cache, sources })).rejects.toThrow(reason);
    expect(setup).toHaveBeenCalledTimes(2);
    await setupNative({ cache, sources: [works] });
    expect(await readdir(nativeRoot(cache))).toHaveLength(1);
  });

  it("says which folder can't be written to", async () => {
    await writeFile(cache, "a file where the cache should be");
    await expect(setupNative({ cache, sources: [works] })).rejects.toThrow(
      /^cannot write to the cache folder .*native \(ENOTDIR\): set ZOO_CACHE_DIR to a folder that can be written to$/,
    );
  });

  it.skipIf(process.getuid?.() === 0 || process.platform === "win32")(
    "says so for a read-only folder too",
    async () => {
      await mkdir(cache);
      await chmod(cache, 0o500);
      await expect(setupNative({ cache, sources: [works] })).rejects.toThrow(
        /cannot write to the cache folder .*EACCES/,
      );
      await chmod(cache, 0o700);
    },
  );
});
