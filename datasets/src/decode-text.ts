import { InputError } from "./errors.ts";

/**
 * The text of a file: UTF-8 without its byte order mark, lines ended by \n alone. Control characters other than NUL stay
 * as they are: form feeds, escapes and the like are in texts that people have.
 *
 * @param name of the file, for messages
 * @throws InputError where it is empty, is not UTF-8, or has a NUL as files have that are no text; with line and byte
 */
export function decodeText(bytes: Uint8Array, name: string): string {
  if (bytes.length === 0) throw new InputError(`${name} is empty: expected text in UTF-8`);
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw new InputError(`${name} is in UTF-16: save it as UTF-8`);
  }
  const nul = bytes.indexOf(0);
  if (nul >= 0) {
    throw new InputError(
      `${name}, line ${lineOf(bytes, nul)}: byte ${nul} is NUL, which no text has: expected text in UTF-8, not UTF-16 or another kind of file`,
    );
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const at = invalidByte(bytes);
    throw new InputError(
      `${name}, line ${lineOf(bytes, at)}: byte ${at} (0x${bytes[at].toString(16)}) is not UTF-8: save the file as UTF-8; it may be in Latin-1 or Windows-1252`,
    );
  }
  return text.replaceAll("\r\n", "\n");
}

/** The lines of a text; empty ones at its end are none. */
export function linesOf(text: string): string[] {
  const lines = text.split("\n");
  while (lines.at(-1) === "") lines.pop();
  return lines;
}

function lineOf(bytes: Uint8Array, offset: number): number {
  let line = 1;
  for (let i = 0; i < offset; i++) if (bytes[i] === 0x0a) line++;
  return line;
}

/** Where the first sequence begins that the table of well-formed ones does not have (The Unicode Standard, table 3-7). */
function invalidByte(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const [lead, second] = [bytes[at], bytes[at + 1]];
    const length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    const overlong = (lead === 0xe0 && second < 0xa0) || (lead === 0xf0 && second < 0x90);
    const beyond = (lead === 0xed && second >= 0xa0) || (lead === 0xf4 && second >= 0x90);
    if (length === 0 || overlong || beyond) return at;
    for (let i = 1; i < length; i++) if ((bytes[at + i] & 0xc0) !== 0x80) return at;
    at += length;
  }
  return at - 1;
}
