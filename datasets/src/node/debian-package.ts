import { mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Progress } from "../types.ts";
import { runCommand } from "./run-command.ts";
import { readTar } from "./tar.ts";

/**
 * Fetches a Debian package's files through the machine's own apt and dpkg; nothing is installed and no rights are
 * needed.
 *
 * @param workFolder where the package lies for a moment
 * @returns the files by their path, without the leading slash
 * @throws Error with one line that says why, as on a machine that is no Debian
 */
export async function debianPackageFiles(
  name: string,
  workFolder: string,
  progress?: Progress,
): Promise<Map<string, Uint8Array>> {
  const label = `Debian package ${name}`;
  const folder = await mkdtemp(join(workFolder, ".debian-"));
  try {
    progress?.({ label, done: 0, unit: "bytes" });
    const quickly = ["-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::https::Timeout=20"];
    await runCommand("apt-get", ["download", "-q", ...quickly, name], { cwd: folder, timeoutMs: 10 * 60_000 });
    const archive = (await readdir(folder)).find((file) => file.endsWith(".deb"));
    if (!archive) throw new Error("apt-get download made no package");
    const { stdout } = await runCommand("dpkg-deb", ["--fsys-tarfile", join(folder, archive)], {
      timeoutMs: 60_000,
      maxBytes: 256 * 1024 * 1024,
    });
    progress?.({ label, done: stdout.length, total: stdout.length, unit: "bytes" });
    return readTar(stdout, label);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
