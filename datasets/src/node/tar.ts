import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { InputError } from "../errors.ts";

const BLOCK = 512;

/**
 * The regular files of a tar archive (ustar with pax and GNU long names), by name; the bytes are views, nothing is
 * written to disk. Names and sizes are the archive's word only, so both are checked.
 *
 * @param name of the archive, for messages
 * @throws InputError where a header is damaged, an entry runs past the end, or a path leaves the archive's folder
 */
export function readTar(archive: Uint8Array, name: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  let longName: string | undefined;
  let offset = 0;
  while (offset + BLOCK <= archive.length) {
    const header = archive.subarray(offset, offset + BLOCK);
    if (header.every((byte) => byte === 0)) return files;
    if (!headerChecksumHolds(header)) {
      throw new InputError(`${name} is no tar archive, or is damaged at byte ${offset}: delete it and fetch it again`);
    }
    const size = number(header.subarray(124, 136));
    const first = offset + BLOCK;
    if (!Number.isSafeInteger(size) || size < 0 || first + size > archive.length) {
      throw new InputError(
        `${name} is truncated, or lies about the size of an entry at byte ${offset}: fetch it again`,
      );
    }
    const content = archive.subarray(first, first + size);
    offset = first + Math.ceil(size / BLOCK) * BLOCK;

    const type = String.fromCharCode(header[156]);
    if (type === "x") longName = paxPath(text(content)) ?? longName;
    else if (type === "L") longName = text(content);
    else {
      const path = longName ?? ustarPath(header);
      longName = undefined;
      if (
        path.startsWith("/") ||
        path.startsWith("\\") ||
        /^[a-z]:/i.test(path) ||
        path.split(/[\\/]/).includes("..")
      ) {
        throw new InputError(`${name} holds the path "${path}", which leaves its folder: do not use this archive`);
      }
      if (type === "0" || type === "\0") files.set(path.replace(/^(\.\/)+/, ""), content);
    }
  }
  throw new InputError(`${name} is truncated: it lacks the end of a tar archive; fetch it again`);
}

/**
 * Unpacks gzip.
 *
 * @param limit most bytes that may come out, against archives that blow up
 * @throws InputError where the data is damaged or holds more
 */
export async function ungzip(bytes: Uint8Array, name: string, limit: number): Promise<Uint8Array> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: limit });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "ERR_BUFFER_TOO_LARGE" ? `holds more than ${limit} bytes` : message;
    throw new InputError(`${name} is no whole gzip file (${why}): delete it and fetch it again`);
  }
}

function headerChecksumHolds(header: Uint8Array): boolean {
  let sum = 8 * 0x20;
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += header[i];
  return number(header.subarray(148, 156)) === sum;
}

/** An octal number, or GNU's base 256 where it does not fit. */
function number(field: Uint8Array): number {
  if (field[0] & 0x80) return field.subarray(1).reduce((value, byte) => value * 256 + byte, field[0] & 0x7f);
  const digits = text(field).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : digits === "" ? 0 : Number.NaN;
}

function ustarPath(header: Uint8Array): string {
  const isUstar = text(header.subarray(257, 262)) === "ustar";
  // GNU's own format ("ustar  ") keeps other things where POSIX has the prefix.
  const prefix = isUstar && header[262] === 0 ? text(header.subarray(345, 500)) : "";
  const path = text(header.subarray(0, 100));
  return prefix ? `${prefix}/${path}` : path;
}

function paxPath(records: string): string | undefined {
  return /^\d+ path=(.*)$/m.exec(records)?.[1];
}

function text(field: Uint8Array): string {
  const end = field.indexOf(0);
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString("utf8");
}
