import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { oneLine } from "../one-line.ts";
import type { Progress } from "../types.ts";
import { tensorflowVersion } from "./layout.ts";
import { type CommandResult, runCommand } from "./run-command.ts";

const pips = [["python3", "-m", "pip"], ["pip3"], ["pip"], ["python", "-m", "pip"]];

/** The first pip that answers, as a command line. */
async function findPip(): Promise<string[]> {
  for (const pip of pips) {
    const { code } = await runCommand(pip[0], [...pip.slice(1), "--version"], { timeoutMs: 30_000 });
    if (code === 0) return pip;
  }
  throw new Error(
    "no pip to fetch TensorFlow's library with: install Python's pip (Debian, Ubuntu: sudo apt install python3-pip)",
  );
}

/** The bytes of all files under a folder, whatever happens to them meanwhile. */
async function folderSize(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => [])) {
    if (!entry.isFile()) continue;
    bytes += await stat(join(entry.parentPath ?? entry.path, entry.name)).then(
      (file) => file.size,
      () => 0,
    );
  }
  return bytes;
}

const units: Record<string, number> = { kB: 1e3, MB: 1e6, GB: 1e9 };

/** The size that pip announces: `Downloading NAME (273.8 MB)`. */
export function announcedSize(text: string): number | undefined {
  const match = /Downloading \S+\.whl[^(\n]*\((\d+(?:\.\d+)?) (kB|MB|GB)\)/.exec(text);
  return match ? Number(match[1]) * units[match[2]] : undefined;
}

/** Why a pip download failed, in one line. */
export function pipFailure(result: CommandResult): string {
  const text = `${result.stdout}\n${result.stderr}`;
  if (result.failure === "timeout") return "pip took too long; try again, or on a faster connection";
  if (/No space left on device|Errno 28/.test(text)) return "pip: no space left on the disk";
  if (isNetworkFailure(text)) return "pip reaches no package index: check the network, or pip's own configuration";
  const lines = text.split("\n").map((line) => line.trim());
  const errors = lines.filter((line) => /^(ERROR|error)/.test(line));
  const last = errors.at(-1) ?? lines.filter(Boolean).at(-1) ?? `it ended with ${result.signal ?? result.code}`;
  return oneLine(`pip: ${last}`);
}

function isNetworkFailure(text: string): boolean {
  return /NewConnectionError|ConnectTimeout|Connection (refused|reset|aborted|to \S+ timed out)|Temporary failure in name|Name or service not known|Failed to establish|Network is unreachable|ProxyError|Read timed out|getaddrinfo failed/i.test(
    text,
  );
}

/**
 * Has pip download TensorFlow's Linux wheel (about 270 MB) into `folder`. pip's own configuration says from where.
 *
 * No Python code of the wheel is ever run, so its Python tag does not matter and is pinned, whichever Python pip runs on.
 *
 * @returns the wheel's path
 * @throws with one line: no pip, no network, no such wheel
 */
export async function fetchWheel(folder: string, progress?: Progress): Promise<string> {
  const pip = await findPip();
  const temporary = join(folder, "pip");
  await mkdir(temporary, { recursive: true });
  const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
  const name = process.arch === "arm64" ? "tensorflow" : "tensorflow-cpu";
  const tags = ["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311"];
  for (const glibc of ["2_27", "2_17", "2_28", "2_31"]) tags.push("--platform", `manylinux_${glibc}_${machine}`);
  tags.push("--platform", `manylinux2014_${machine}`);

  let total: number | undefined;
  const label = `Downloading TensorFlow ${tensorflowVersion} (${name})`;
  const watch = setInterval(
    async () => progress?.({ label, done: await folderSize(folder), total, unit: "bytes" }),
    500,
  );
  const download = (extra: string[]) =>
    runCommand(
      pip[0],
      [
        ...pip.slice(1),
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--no-input",
        "--disable-pip-version-check",
        ...["--progress-bar", "off", "--retries", "0"],
        ...["--dest", folder],
        ...extra,
        `${name}==${tensorflowVersion}`,
      ],
      {
        timeoutMs: 30 * 60_000,
        // pip gathers the file in its temporary folder: there it can be watched, and nothing stays elsewhere.
        env: { ...process.env, TMPDIR: temporary, PYTHONWARNINGS: "ignore" },
        onOutput: (text) => {
          total ??= announcedSize(text);
        },
      },
    );
  try {
    let result = await download(tags);
    const wheels = async () => (await readdir(folder)).filter((file) => file.endsWith(".whl"));
    if (result.code !== 0 && result.failure === undefined && !isNetworkFailure(result.stdout + result.stderr)) {
      // An index that has the wheel for other tags only: whatever suits the local Python serves as well.
      const plain = await download([]);
      if (plain.code === 0) result = plain;
    }
    if (result.code !== 0) throw new Error(pipFailure(result));
    const [wheel] = await wheels();
    if (!wheel) throw new Error("pip left no wheel behind");
    return join(folder, wheel);
  } finally {
    clearInterval(watch);
  }
}
