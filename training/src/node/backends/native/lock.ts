import { readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

const heartbeatMs = 5_000;
const staleMs = 60_000;

/** Whether the holder named in a lock file can no longer be at work: its process is gone, or its heartbeat is. */
async function isStale(path: string): Promise<boolean> {
  const { mtimeMs } = await stat(path);
  if (Date.now() - mtimeMs > staleMs) return true;
  const [pid, host] = (await readFile(path, "utf8")).trim().split(" ");
  if (host !== hostname() || !/^\d+$/.test(pid)) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/**
 * Runs `work` while holding the lock file at `path`, which names this process; waits for a living holder.
 * A lock whose process has died, or that nobody has touched for a minute, is taken over.
 *
 * @param onWait is called with the holder's process id when there is somebody to wait for, every second
 */
export async function withLock<T>(path: string, work: () => Promise<T>, onWait?: (pid: string) => void): Promise<T> {
  while (true) {
    try {
      await writeFile(path, `${process.pid} ${hostname()}\n`, { flag: "wx" });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    try {
      if (await isStale(path)) {
        // Renaming first: of several processes that find it stale only one gets it.
        const grave = `${path}.${process.pid}.stale`;
        await rename(path, grave);
        await rm(grave, { force: true });
        continue;
      }
      onWait?.((await readFile(path, "utf8")).split(" ")[0]);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      continue;
    }
    await sleep(1_000);
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, heartbeatMs);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await rm(path, { force: true });
  }
}
