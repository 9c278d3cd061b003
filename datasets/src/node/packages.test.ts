import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { failure, makeTar, setEnvironment, temporaryFolder } from "../../test/support.ts";
import { debianPackageFiles } from "./debian-package.ts";
import { npmPackageFiles } from "./npm-package.ts";
import { runCommand } from "./run-command.ts";

const wanted = { name: "some-data", version: "1.0.0", limit: 1_000_000 };

/** Puts shell scripts before the real programs, and gives a folder to work in. */
async function programs(scripts: Record<string, string>): Promise<{ bin: string; work: string }> {
  const folder = await temporaryFolder();
  const [bin, work] = [join(folder, "bin"), join(folder, "work")];
  await mkdir(bin);
  await mkdir(work);
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(bin, name), 0o755);
  }
  setEnvironment({ PATH: `${bin}:${process.env.PATH}`, npm_config_workspace: "training" });
  return { bin, work };
}

describe.skipIf(process.platform === "win32")("npmPackageFiles", () => {
  it("gives what npm pack packed, and leaves nothing", async () => {
    // $4 is the destination; a workspace setting would make the real npm pack another package.
    const { bin, work } = await programs({
      npm: 'test "$1 $2 $3" = "pack some-data@1.0.0 --pack-destination" && test -z "$npm_config_workspace" && cp "$0.tgz" "$4/some-data-1.0.0.tgz"',
    });
    const tar = makeTar([{ path: "package/data/a.bin", content: Uint8Array.of(1, 2, 3) }]);
    await writeFile(join(bin, "npm.tgz"), gzipSync(tar));
    const files = await npmPackageFiles(wanted, work);
    expect([...(files.get("data/a.bin") ?? [])]).toEqual([1, 2, 3]);
    expect(await readdir(work)).toEqual([]);
  });

  it("says in a line why it could not", async () => {
    const { bin, work } = await programs({
      npm: 'echo "npm error code E404" >&2; echo "npm error 404 Not Found" >&2; exit 1',
    });
    expect(await failure(npmPackageFiles(wanted, work))).toMatch(/npm ended with 1: npm error 404 Not Found/);
    await writeFile(join(bin, "npm"), "#!/bin/sh\nexit 0\n");
    expect(await failure(npmPackageFiles(wanted, work))).toMatch(/made no archive/);
    setEnvironment({ PATH: work });
    expect(await failure(npmPackageFiles(wanted, work))).toMatch(/npm is not installed/);
    expect(await readdir(work)).toEqual([]);
  });

  it("refuses an archive that leaves its folder", async () => {
    const { bin, work } = await programs({ npm: 'cp "$0.tgz" "$4/x.tgz"' });
    await writeFile(join(bin, "npm.tgz"), gzipSync(makeTar([{ path: "package/../../x", content: Uint8Array.of(1) }])));
    expect(await failure(npmPackageFiles(wanted, work))).toMatch(/leaves its folder/);
  });
});

describe.skipIf(process.platform === "win32")("debianPackageFiles", () => {
  it("gives what apt and dpkg give, and leaves nothing", async () => {
    const { bin, work } = await programs({ "apt-get": "touch some_1.deb", "dpkg-deb": 'cat "$0.tar"' });
    await writeFile(join(bin, "dpkg-deb.tar"), makeTar([{ path: "./usr/share/a", content: Uint8Array.of(7) }]));
    expect([...(await debianPackageFiles("some", work))]).toEqual([["usr/share/a", Buffer.of(7)]]);
    expect(await readdir(work)).toEqual([]);
  });

  it("says in a line why it could not", async () => {
    const { work } = await programs({ "apt-get": 'echo "E: Unable to locate package some" >&2; exit 100' });
    expect(await failure(debianPackageFiles("some", work))).toMatch(/ended with 100: E: Unable to locate package some/);
    setEnvironment({ PATH: work });
    expect(await failure(debianPackageFiles("some", work))).toMatch(/apt-get is not installed/);
  });
});

describe("runCommand", () => {
  it("ends what takes too long or writes too much", async () => {
    const node = process.execPath;
    const slow = runCommand(node, ["-e", "setTimeout(() => {}, 60000)"], { timeoutMs: 300 });
    expect(await failure(slow)).toMatch(/no result within/);
    const much = runCommand(node, ["-e", "process.stdout.write('x'.repeat(1e7))"], {
      timeoutMs: 30_000,
      maxBytes: 1e6,
    });
    expect(await failure(much)).toMatch(/more than 1000000 bytes/);
  });
});
