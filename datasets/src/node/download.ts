import { open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Progress } from "../types.ts";
import { type Checksum, mismatch } from "./checksum.ts";

export interface DownloadOptions {
  url: string;
  /** Where the partial file lies. */
  folder: string;
  /** The file's name there, the same at every attempt so that a later one can go on. */
  name: string;
  /** Of the file as it is sent. Where absent the caller verifies. */
  checksum?: Checksum;
  /** Most bytes that are taken. */
  limit: number;
  progress?: Progress;
  /** Time for the server to begin its answer. */
  connectTimeoutMs?: number;
  /** Time without a single byte after which the server counts as gone. */
  stallTimeoutMs?: number;
}

/** Attempts that add bytes are followed by another one, up to this many. */
const ATTEMPTS = 4;

/**
 * Fetches a file. What arrives is kept in `NAME.PID.part`; a broken transfer goes on from there by Range, in this
 * process or a later one, and nothing is left when it succeeds.
 *
 * @returns the whole file
 * @throws Error with one line that says why
 */
export async function download(options: DownloadOptions): Promise<Buffer> {
  const part = await claimPart(options.folder, options.name);
  let resumable = true;
  try {
    for (let attempt = 1; ; attempt++) {
      const before = await sizeOf(part);
      try {
        await transfer(options, part);
      } catch (error) {
        const grew = (await sizeOf(part)) > before;
        if (grew && attempt < ATTEMPTS && (error as { final?: boolean }).final !== true) continue;
        throw error;
      }
      const bytes = await readFile(part);
      const wrong = options.checksum && mismatch(bytes, options.checksum);
      if (!wrong) {
        resumable = false;
        return bytes;
      }
      await rm(part, { force: true });
      // What an earlier process left may have been another version of the file: that alone deserves a second try.
      if (before === 0 || attempt >= ATTEMPTS) throw new Error(`the file received ${wrong}`);
    }
  } finally {
    if (resumable && (await sizeOf(part)) > 0)
      await rename(part, join(options.folder, `${options.name}.part`)).catch(() => {});
    else await rm(part, { force: true });
    active.delete(part);
  }
}

const active = new Set<string>();

/**
 * A part file that is this call's own. What an earlier call left is taken over by renaming it, which only one of
 * several processes manages; a part that a living process writes to is left alone.
 */
async function claimPart(folder: string, name: string): Promise<string> {
  let own = join(folder, `${name}.${process.pid}.part`);
  for (let i = 1; active.has(own); i++) own = join(folder, `${name}.${process.pid}-${i}.part`);
  active.add(own);
  for (const file of await readdir(folder)) {
    const path = join(folder, file);
    if (!file.startsWith(`${name}.`) || !file.endsWith("part") || path === own || active.has(path)) continue;
    const pid = /^(?:(\d+)(?:-\d+)?\.)?part$/.exec(file.slice(name.length + 1));
    if (!pid || (pid[1] && Number(pid[1]) !== process.pid && isAlive(Number(pid[1])))) continue;
    if (
      await rename(path, own).then(
        () => true,
        () => false,
      )
    ) {
      break;
    }
  }
  return own;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function transfer(options: DownloadOptions, part: string): Promise<void> {
  const { url, limit, progress, connectTimeoutMs = 10_000, stallTimeoutMs = 30_000 } = options;
  const abort = new AbortController();
  const giveUp = (why: string, ms: number) => setTimeout(() => abort.abort(new Error(why)), ms);
  let timer = giveUp(`no answer within ${connectTimeoutMs / 1000} s`, connectTimeoutMs);
  try {
    let have = await sizeOf(part);
    // Without "identity" a server may send the file compressed once more, with a length that is not the file's.
    const headers: Record<string, string> = { "accept-encoding": "identity" };
    if (have > 0) headers.range = `bytes=${have}-`;
    const response = await fetch(url, { headers, signal: abort.signal });

    if (response.status === 416 && have > 0) {
      // Nothing after what we have: either it is all there, which the checksum tells, or it is another file.
      await response.body?.cancel();
      if (contentRange(response)?.total === have) return;
      await rm(part, { force: true });
      throw new Error("the server cannot go on with the partial file; it was dropped");
    }
    if (!response.ok) {
      await response.body?.cancel();
      throw final(`HTTP ${response.status} ${response.statusText}`.trim());
    }
    if (response.headers.get("content-type")?.startsWith("text/html")) {
      await response.body?.cancel();
      throw final("answered with a web page instead of the file");
    }
    const range = contentRange(response);
    if (response.status === 206 && range?.start !== have) {
      await response.body?.cancel();
      await rm(part, { force: true });
      throw new Error("sent another part than was asked for");
    }
    if (response.status !== 206) have = 0;
    const length = Number(response.headers.get("content-length") ?? Number.NaN);
    const total = range?.total ?? (Number.isFinite(length) ? have + length : undefined);
    if (total !== undefined && total > limit) {
      await response.body?.cancel();
      throw final(`offers ${total} bytes where at most ${limit} were expected`);
    }

    const file = await open(part, have > 0 ? "a" : "w");
    try {
      for await (const chunk of response.body ?? []) {
        clearTimeout(timer);
        timer = giveUp(`no data for ${stallTimeoutMs / 1000} s`, stallTimeoutMs);
        await file.write(chunk);
        have += chunk.length;
        if (have > limit) {
          await rm(part, { force: true });
          throw final(`sent more than the expected ${limit} bytes`);
        }
        progress?.({ label: url, done: have, total, unit: "bytes" });
      }
    } finally {
      await file.close();
    }
    if (total !== undefined && have < total) throw new Error(`the connection ended after ${have} of ${total} bytes`);
  } catch (error) {
    if (abort.signal.aborted) throw abort.signal.reason;
    throw readable(error);
  } finally {
    clearTimeout(timer);
  }
}

function contentRange(response: Response): { start: number; total?: number } | undefined {
  const match = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "");
  if (!match) return undefined;
  return { start: Number(match[1] ?? -1), total: match[2] === "*" ? undefined : Number(match[2]) };
}

/** An answer that trying again would not change. */
function final(message: string): Error {
  return Object.assign(new Error(message), { final: true });
}

/** fetch says "fetch failed" or "terminated" and keeps the reason in its cause. */
function readable(error: unknown): Error {
  const { cause, message } = error as Error & { cause?: Error & { errors?: Error[] } };
  const reason = cause?.errors?.[0]?.message ?? cause?.message;
  if (!reason) return error as Error;
  return new Error(message === "terminated" ? `the connection broke (${reason})` : reason);
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}
