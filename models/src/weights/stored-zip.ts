/** A reader of ZIP archives: of their directory, and of members that are stored, not compressed, as PyTorch writes them. */
import { InputError } from "../errors.ts";

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;

export const isZip = (bytes: Uint8Array): boolean =>
  bytes.length > 4 && bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;

/** What an archive's directory says of a member. */
export interface ZipEntry {
  readonly name: string;
  /** how it is compressed; 0: it is not */
  readonly method: number;
  readonly crc: number;
  /** bytes of the member, and of what is stored of it */
  readonly size: number;
  readonly stored: number;
  /** where its local header is */
  readonly header: number;
}

/**
 * @param bytes the whole archive
 * @throws InputError when it is damaged
 */
export function zipDirectory(bytes: Uint8Array): ZipEntry[] {
  const { u16, u32, within } = readerOf(bytes);
  let end = bytes.length - 22;
  const isEnd = () => end >= 0 && u32(end) === END_OF_DIRECTORY;
  while (end >= Math.max(0, bytes.length - 22 - 65535) && !isEnd()) end--;
  if (!isEnd()) throw damaged("it has no directory (is it cut short?)");
  const entries: ZipEntry[] = [];
  let at = u32(end + 16);
  for (let count = u16(end + 10); count > 0; count--) {
    if (u32(at) !== DIRECTORY_ENTRY) throw damaged("its directory has no such entry");
    const [nameLength, extraLength, commentLength] = [u16(at + 28), u16(at + 30), u16(at + 32)];
    const name = new TextDecoder().decode(bytes.subarray(within(at + 46, nameLength), at + 46 + nameLength));
    const [method, crc, stored, size, header] = [u16(at + 10), u32(at + 16), u32(at + 20), u32(at + 24), u32(at + 42)];
    entries.push({ name, method, crc, size, stored, header });
    at += 46 + nameLength + extraLength + commentLength;
  }
  return entries;
}

/**
 * @param bytes the whole archive; members are views into it
 * @returns members by name
 * @throws InputError when it is damaged, or holds what is compressed
 */
export function readStoredZip(bytes: Uint8Array): Map<string, Uint8Array> {
  const { u16, u32, within } = readerOf(bytes);
  const members = new Map<string, Uint8Array>();
  for (const { name, method, size, stored, header } of zipDirectory(bytes)) {
    if (method !== 0 || size !== stored) throw damaged(`its member ${JSON.stringify(name)} is compressed`);
    if (u32(header) !== LOCAL_HEADER) throw damaged(`its member ${JSON.stringify(name)} is not where it should be`);
    const data = header + 30 + u16(header + 26) + u16(header + 28);
    members.set(name, bytes.subarray(within(data, size), data + size));
  }
  return members;
}

function readerOf(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const within = (at: number, size: number): number => {
    if (at < 0 || at + size > bytes.length) throw damaged("it is cut short");
    return at;
  };
  return {
    within,
    u16: (at: number) => view.getUint16(within(at, 2), true),
    u32: (at: number) => view.getUint32(within(at, 4), true),
  };
}

const damaged = (why: string) => new InputError(`its ZIP archive can't be read: ${why}`);
