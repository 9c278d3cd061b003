import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { link, mkdir, readFile, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout } from "node:timers/promises";
import { InputError } from "@tfjs-zoo/models";
import { describeWriteError, errorCode } from "./write-error.ts";

interface Owner {
  pid: number;
  /** What tells this process from a later one that was given the same pid. */
  startTime: string;
  host: string;
}

/** The text of a lock file that names this process. */
export function lockText(): string {
  const owner: Owner = { pid: process.pid, startTime: startTime(process.pid) ?? "unknown", host: hostname() };
  return `${JSON.stringify(owner)}\n`;
}

/**
 * Takes the lock file at `path` for this process; a lock whose process is gone is taken over.
 *
 * @throws InputError when a living process holds it, or a process of another machine, which can't be looked at
 */
export async function acquireLock(path: string, folder: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}`;
  const text = lockText();
  try {
    await writeFile(temporary, text, { flag: "wx" });
    // A link appears with its content or not at all, and fails if the name is taken: no moment without an owner.
    while (!(await linked(temporary, path))) {
      const found = await readFile(path, "utf8").catch(() => undefined);
      if (found === undefined) continue;
      refuseIfAlive(found, path, folder);
      await removeStale(path, found);
    }
  } catch (error) {
    throw describeWriteError(error, path, text.length, "the run is untouched");
  } finally {
    await rm(temporary, { force: true }).catch(() => {});
  }
}

/** Removes the lock if this process holds it. */
export async function releaseLock(path: string): Promise<void> {
  const found = await readFile(path, "utf8").catch(() => undefined);
  if (found === lockText()) await rm(path, { force: true });
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    // Some file systems (exFAT, a few network ones) know no links.
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(errorCode(error) ?? "")) throw error;
    return writeFile(to, lockText(), { flag: "wx" }).then(
      () => true,
      (failure) => {
        if (errorCode(failure) === "EEXIST") return false;
        throw failure;
      },
    );
  }
}

function refuseIfAlive(text: string, path: string, folder: string): void {
  const owner = parse(text);
  if (!owner) return;
  if (owner.host !== hostname()) {
    throw new InputError(
      `${folder} is locked by process ${owner.pid} of another machine (${owner.host}): wait for it, or remove ${path} if it is gone`,
    );
  }
  const now = startTime(owner.pid);
  const same = now === owner.startTime || (now !== undefined && [now, owner.startTime].includes("unknown"));
  if (!same) return;
  const who = owner.pid === process.pid ? "this process" : `process ${owner.pid}`;
  throw new InputError(`${folder} is in use by ${who}: wait until it ends or stop it, or choose another run`);
}

/** A takeover lasts a moment; one that is older than this was killed in the middle. */
const TAKEOVER_MS = 10_000;

/**
 * Removes a stale lock, unless somebody else has replaced it meanwhile. Only one process at a time does so: between
 * looking at a lock and removing it, it could otherwise become another's.
 */
async function removeStale(path: string, stale: string): Promise<void> {
  const guard = `${path}.takeover`;
  try {
    await mkdir(guard);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    const began = await stat(guard).then(({ mtimeMs }) => mtimeMs, Date.now);
    if (Date.now() - began > TAKEOVER_MS) await rmdir(guard).catch(() => {});
    else await setTimeout(10);
    return;
  }
  try {
    if ((await readFile(path, "utf8").catch(() => undefined)) === stale) await rm(path, { force: true });
  } finally {
    await rmdir(guard).catch(() => {});
  }
}

function parse(text: string): Owner | undefined {
  try {
    const owner = JSON.parse(text) as Owner;
    return Number.isInteger(owner?.pid) && typeof owner.startTime === "string" ? owner : undefined;
  } catch {
    return undefined;
  }
}

/** A process's start time as the system writes it; undefined if there is no such process or it is a zombie. */
function startTime(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (errorCode(error) === "ESRCH") return undefined;
  }
  if (process.platform === "linux") {
    try {
      // The command's name, in brackets, may itself hold spaces and brackets: fields count from the last bracket.
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
      return fields[0] === "Z" || fields[0] === "X" ? undefined : `${fields[19]}@${boot}`;
    } catch {
      return "unknown";
    }
  }
  if (process.platform === "win32") return "unknown";
  try {
    const options = { encoding: "utf8", env: { ...process.env, LC_ALL: "C", TZ: "UTC" } } as const;
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], options).trim();
  } catch {
    return "unknown";
  }
}
