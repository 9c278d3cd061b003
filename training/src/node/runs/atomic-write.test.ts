import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { removeTemporaryFiles, writeFileAtomic } from "./atomic-write.ts";

let folder: string;
let mounted: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zoo-atomic-"));
  mounted = [];
});

afterEach(() => {
  for (const path of mounted) execFileSync("umount", [path]);
  rmSync(folder, { recursive: true, force: true });
});

/** A real file system of its own, so that it can be full or read-only; only root may mount one. */
function mount(options: string): string {
  const path = join(folder, `mount-${mounted.length}`);
  mkdirSync(path);
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path], { stdio: "pipe" });
  mounted.push(path);
  return path;
}

function canMount(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  const path = mkdtempSync(join(tmpdir(), "zoo-mount-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", path], { stdio: "pipe" });
    execFileSync("umount", [path]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

describe("writeFileAtomic", () => {
  it("writes and replaces, and leaves no other file", async () => {
    const path = join(folder, "a.bin");
    await writeFileAtomic(path, "first");
    await writeFileAtomic(path, Uint8Array.of(1, 2, 3));
    expect([...readFileSync(path)]).toEqual([1, 2, 3]);
    expect(readdirSync(folder)).toEqual(["a.bin"]);
  });

  it("says in one line that the folder is missing", async () => {
    await expect(writeFileAtomic(join(folder, "no", "a.bin"), "x")).rejects.toMatchObject({
      name: "InputError",
      message: expect.stringMatching(/^Can't write .*a\.bin \(1 byte needed\): its folder does not exist; .*; nothing/),
    });
  });

  it.skipIf(!canMount())("keeps the previous file when the disk is full", async () => {
    const disk = mount("size=256k");
    const path = join(disk, "last.safetensors");
    await writeFileAtomic(path, "good");
    await expect(writeFileAtomic(path, new Uint8Array(1_000_000))).rejects.toMatchObject({
      name: "InputError",
      message: `Can't write ${path} (1,000,000 bytes needed): the disk is full; free some space or choose a folder on another disk; the previous file is intact`,
    });
    expect(readdirSync(disk)).toEqual(["last.safetensors"]);
    expect(readFileSync(path, "utf8")).toBe("good");
    await writeFileAtomic(path, "there is room again");
  });

  it.skipIf(!canMount())("names a read-only file system", async () => {
    const disk = mount("size=64k");
    const path = join(disk, "a.json");
    writeFileSync(path, "good");
    execFileSync("mount", ["-o", "remount,ro", disk]);
    await expect(writeFileAtomic(path, "new")).rejects.toThrow(/the file system is read-only; .* intact$/);
    expect(readFileSync(path, "utf8")).toBe("good");
  });

  it.skipIf(process.platform === "win32" || process.getuid?.() === 0)("names a forbidden folder", async () => {
    chmodSync(folder, 0o555);
    await expect(writeFileAtomic(join(folder, "a"), "x")).rejects.toThrow(/permission was denied/);
    chmodSync(folder, 0o755);
  });

  it.skipIf(process.platform === "win32")("removes the temporary file when a write fails midway", () => {
    const path = join(folder, "a.bin");
    writeFileSync(path, "good");
    const module = new URL("./atomic-write.ts", import.meta.url).href;
    const script = `
      const { writeFileAtomic } = await import(${JSON.stringify(module)});
      await writeFileAtomic(${JSON.stringify(path)}, new Uint8Array(1_000_000)).catch((e) => console.log(e.name, e.message));`;
    const command = `ulimit -f 64; exec "$0" --import tsx --input-type=module -e "$1"`;
    const { stdout } = spawnSync("sh", ["-c", command, process.execPath, script], { encoding: "utf8" });
    expect(stdout).toMatch(/^InputError Can't write .* \(1,000,000 bytes needed\): the file would exceed .* intact\n$/);
    expect(readdirSync(folder)).toEqual(["a.bin"]);
    expect(readFileSync(path, "utf8")).toBe("good");
  });
});

describe("removeTemporaryFiles", () => {
  it("removes what a kill left, and nothing else", async () => {
    for (const name of ["last.safetensors", ".last.safetensors.0123456789ab.tmp", ".keep.tmp", "notes.tmp"]) {
      writeFileSync(join(folder, name), "");
    }
    await removeTemporaryFiles(folder);
    expect(readdirSync(folder).sort()).toEqual([".keep.tmp", "last.safetensors", "notes.tmp"]);
  });
});
