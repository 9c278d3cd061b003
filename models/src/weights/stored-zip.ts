/** A reader of ZIP archives whose members are stored, not compressed, as PyTorch writes them. */
import { InputError } from "../errors.ts";

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;

export const isZip = (bytes: Uint8Array): boolean =>
  bytes.length > 4 && bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;

/**
 * @param bytes the whole archive; members are views into it
 * @returns members by name
 * @throws InputError when it is damaged, or holds what is compressed
 */
export function readStoredZip(bytes: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u16 = (at: number) => view.getUint16(within(at, 2), true);
  const u32 = (at: number) => view.getUint32(within(at, 4), true);
  const within = (at: number, size: number): number => {
    if (at < 0 || at + size > bytes.length) throw damaged("it is cut short");
    return at;
  };

  let end = bytes.length - 22;
  while (end >= Math.max(0, bytes.length - 22 - 65535) && view.getUint32(end, true) !== END_OF_DIRECTORY) end--;
  if (end < 0 || view.getUint32(end, true) !== END_OF_DIRECTORY)
    throw damaged("it has no directory (is it cut short?)");
  const members = new Map<string, Uint8Array>();
  let at = u32(end + 16);
  for (let count = u16(end + 10); count > 0; count--) {
    if (u32(at) !== DIRECTORY_ENTRY) throw damaged("its directory has no such entry");
    const [nameLength, extraLength, commentLength] = [u16(at + 28), u16(at + 30), u16(at + 32)];
    const name = new TextDecoder().decode(bytes.subarray(within(at + 46, nameLength), at + 46 + nameLength));
    const [size, stored, header] = [u32(at + 24), u32(at + 20), u32(at + 42)];
    if (u16(at + 10) !== 0 || size !== stored) throw damaged(`its member ${JSON.stringify(name)} is compressed`);
    if (u32(header) !== LOCAL_HEADER) throw damaged(`its member ${JSON.stringify(name)} is not where it should be`);
    const data = header + 30 + u16(header + 26) + u16(header + 28);
    members.set(name, bytes.subarray(within(data, size), data + size));
    at += 46 + nameLength + extraLength + commentLength;
  }
  return members;
}

const damaged = (why: string) => new InputError(`its ZIP archive can't be read: ${why}`);
