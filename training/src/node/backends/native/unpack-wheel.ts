import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Transform } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { type Entry, openPromise, type ZipFile } from "yauzl";
import { oneLine } from "../one-line.ts";
import type { Progress } from "../types.ts";
import { libraryNames } from "./layout.ts";

const includes = "tensorflow/include/";
/** The parts of the wheel's 13,000 headers that the binding reaches. */
const wantedIncludes = ["tensorflow/c/", "tensorflow/core/platform/", "tsl/platform/", "xla/tsl/c/"];

/** Where an entry of the wheel goes: a library, a header, or nowhere (undefined). */
function destination(name: string): { kind: "library" | "include"; path: string } | undefined {
  for (const library of libraryNames) {
    if (name === `tensorflow/${library}`) return { kind: "library", path: library };
  }
  if (!name.startsWith(includes) || name.endsWith("/")) return undefined;
  const path = name.slice(includes.length);
  return wantedIncludes.some((prefix) => path.startsWith(prefix)) ? { kind: "include", path } : undefined;
}

/** The wheel's own list of SHA-256 sums, base64url without padding, by path. */
async function readRecord(zip: ZipFile, record: Entry | undefined): Promise<Map<string, string>> {
  if (!record) throw new Error("the wheel has no RECORD");
  const sums = new Map<string, string>();
  for (const line of (await text(await zip.openReadStreamPromise(record))).split(/\r?\n/)) {
    const match = /^(.+),sha256=([\w-]+),\d+$/.exec(line);
    if (match) sums.set(match[1].replace(/^"(.*)"$/, "$1"), match[2]);
  }
  return sums;
}

/**
 * Takes TensorFlow's two libraries and the headers that the binding needs out of its wheel, and checks each against
 * the SHA-256 that the wheel's RECORD states.
 *
 * @param libraries folder for the libraries  @param include folder for the headers; both are made
 * @throws with one line: not a zip, cut short, a wrong sum, a file missing
 */
export async function unpackWheel(
  wheel: string,
  { libraries, include }: { libraries: string; include: string },
  progress?: Progress,
): Promise<void> {
  let zip: ZipFile;
  try {
    // yauzl refuses absolute names and names with "..", so no entry can leave the folder it is sent to.
    zip = await openPromise(wheel, { lazyEntries: true, autoClose: false });
  } catch (error) {
    throw new Error(`the wheel is damaged or cut short (${oneLine(error)}): try again`);
  }
  try {
    const chosen: { entry: Entry; to: NonNullable<ReturnType<typeof destination>> }[] = [];
    let record: Entry | undefined;
    for await (const entry of zip.eachEntry()) {
      const to = destination(entry.fileName);
      if (to) chosen.push({ entry, to });
      else if (/^[^/]+\.dist-info\/RECORD$/.test(entry.fileName)) record = entry;
    }
    const found = chosen.filter(({ to }) => to.kind === "library").map(({ to }) => to.path);
    const missing = libraryNames.find((name) => !found.includes(name));
    if (missing) throw new Error(`the wheel has no ${missing}`);

    const sums = await readRecord(zip, record);
    const total = chosen.reduce((sum, { entry }) => sum + entry.uncompressedSize, 0);
    let done = 0;
    let told = 0;
    for (const { entry, to } of chosen) {
      const target = join(to.kind === "library" ? libraries : include, to.path);
      await mkdir(dirname(target), { recursive: true });
      const hash = createHash("sha256");
      const tap = new Transform({
        transform(chunk: Buffer, _encoding, next) {
          hash.update(chunk);
          done += chunk.length;
          if (done - told > 4e6 || done === total) {
            told = done;
            progress?.({ label: "Unpacking TensorFlow", done, total, unit: "bytes" });
          }
          next(null, chunk);
        },
      });
      await pipeline(await zip.openReadStreamPromise(entry), tap, createWriteStream(target));
      if (hash.digest("base64url") !== sums.get(entry.fileName)) {
        throw new Error(`${entry.fileName} differs from the wheel's own checksum: try again`);
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") throw new Error("no space left on the disk");
    throw error;
  } finally {
    zip.close();
  }
}
