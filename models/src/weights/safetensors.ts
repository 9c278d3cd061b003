/**
 * The safetensors file format, read and written on bytes.
 *
 *   8 bytes   length N of the header, unsigned, little-endian
 *   N bytes   JSON: { "__metadata__": {string: string}, NAME: { dtype, shape, data_offsets: [begin, end] }, … }, padded with spaces
 *   the rest  the tensors' bytes, row-major, little-endian, without gaps; offsets count from here
 *
 * The reader trusts nothing in the header: whatever it accepts is exactly as large as it says.
 */
import { InputError } from "../errors.ts";
import { findDuplicateKey } from "./duplicate-key.ts";

/** Bytes an element takes, per dtype; the order is the one by which the reference implementation sorts tensors. */
const dtypeBytes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  F8_E8M0: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  C64: 8,
  F64: 8,
  I64: 8,
  U64: 8,
} as const;

/** An element type of the format. */
export type Dtype = keyof typeof dtypeBytes;

const dtypes = Object.keys(dtypeBytes) as Dtype[];

/** One tensor of a file. `shape` is [] for a scalar; `data` holds its elements, row-major and little-endian. */
export interface SafeTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** A whole file: its tensors by name, in the order of the header, and its free-form metadata. */
export interface SafeTensors {
  readonly tensors: Map<string, SafeTensor>;
  readonly metadata: Record<string, string>;
}

/** The reference implementation's limit on a header. */
const maxHeaderBytes = 100_000_000;

/**
 * Reads a safetensors file.
 *
 * @param bytes the whole file; the tensors returned are views into it, nothing is copied
 * @throws InputError when the file is not what its header says
 */
export function readSafetensors(bytes: Uint8Array): SafeTensors {
  const header = readHeader(bytes);
  const body = bytes.subarray(8 + header.length);
  let metadata: Record<string, string> = {};
  const entries: { name: string; dtype: Dtype; shape: number[]; begin: number; end: number }[] = [];
  for (const [name, value] of Object.entries(header.fields)) {
    if (name === "__metadata__") metadata = readMetadata(value);
    else entries.push({ name, ...readEntry(name, value) });
  }

  const byPosition = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let position = 0;
  for (const { name, begin, end } of byPosition) {
    if (end > body.length)
      throw damaged(
        `tensor ${quote(name)} ends at byte ${end} of the data, but there are only ${body.length} (is the file cut short?)`,
      );
    if (begin < position)
      throw damaged(
        `tensor ${quote(name)} begins at byte ${begin}, inside the tensor before it, which ends at ${position}`,
      );
    if (begin > position)
      throw damaged(`tensor ${quote(name)} begins at byte ${begin}, which leaves a hole after byte ${position}`);
    position = end;
  }
  if (position !== body.length)
    throw damaged(`its tensors take ${position} bytes, but ${body.length} follow the header`);

  const tensors = new Map<string, SafeTensor>();
  for (const { name, dtype, shape, begin, end } of entries)
    tensors.set(name, { dtype, shape, data: body.subarray(begin, end) });
  return { tensors, metadata };
}

/**
 * Writes a safetensors file. The same tensors and metadata give the same bytes, whatever order they come in: tensors
 * are sorted as the reference implementation sorts them (dtypes with larger elements first, then names), metadata by key.
 *
 * @param tensors by name
 * @param metadata free-form strings, kept under `__metadata__`; left out when empty
 * @throws InputError when a tensor's bytes don't fit its shape and dtype, or its name is reserved
 */
export function writeSafetensors(
  tensors: Iterable<readonly [string, SafeTensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const sorted = [...tensors].sort(
    ([nameA, a], [nameB, b]) => dtypes.indexOf(b.dtype) - dtypes.indexOf(a.dtype) || (nameA < nameB ? -1 : 1),
  );
  const fields: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0)
    fields.push(["__metadata__", Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)))]);
  const seen = new Set(["__metadata__"]);
  let position = 0;
  for (const [name, { dtype, shape, data }] of sorted) {
    if (seen.has(name)) throw new InputError(`tensor name ${quote(name)} is reserved or used twice`);
    seen.add(name);
    const size = byteSize(shape, dtype);
    if (size !== data.length)
      throw new InputError(
        `tensor ${quote(name)} has ${data.length} bytes, but ${dtype} of shape [${shape}] takes ${size}`,
      );
    fields.push([name, { dtype, shape, data_offsets: [position, position + size] }]);
    position += size;
  }

  // Joined by hand: an object would move keys that look like integers to the front.
  const json = `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`;
  const unpadded = new TextEncoder().encode(json);
  const headerLength = Math.ceil(unpadded.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + position);
  new DataView(bytes.buffer).setUint32(0, headerLength, true);
  bytes.fill(0x20, 8, 8 + headerLength);
  bytes.set(unpadded, 8);
  position = 8 + headerLength;
  for (const [, { data }] of sorted) {
    bytes.set(data, position);
    position += data.length;
  }
  return bytes;
}

/** The number of elements of a shape; 1 for a scalar's []. NaN where a size is no count or the product is too large. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const n of shape) size *= Number.isSafeInteger(n) && n >= 0 ? n : Number.NaN;
  return Number.isSafeInteger(size) ? size : Number.NaN;
}

function byteSize(shape: readonly number[], dtype: Dtype): number {
  return sizeOf(shape) * dtypeBytes[dtype];
}

function readHeader(bytes: Uint8Array): { length: number; fields: Record<string, unknown> } {
  if (bytes.length < 8)
    throw damaged(`it has ${bytes.length} bytes, fewer than the 8 that every such file begins with`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  if (length > maxHeaderBytes)
    throw damaged(`it claims a header of ${length} bytes, above the format's limit of ${maxHeaderBytes}`);
  if (length > bytes.length - 8)
    throw damaged(
      `it claims a header of ${length} bytes, but only ${bytes.length - 8} follow (is the file cut short?)`,
    );

  let fields: unknown;
  let duplicate: string | undefined;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(8, 8 + length));
    fields = JSON.parse(text);
    duplicate = findDuplicateKey(text);
  } catch {
    throw damaged("its header is not JSON");
  }
  if (!isRecord(fields)) throw damaged("its header is not a JSON object");
  if (duplicate !== undefined) throw damaged(`its header has the key ${quote(duplicate)} twice`);
  return { length, fields };
}

function readMetadata(value: unknown): Record<string, string> {
  if (!isRecord(value) || !Object.values(value).every((text) => typeof text === "string"))
    throw damaged("its __metadata__ is not an object of strings");
  return value as Record<string, string>;
}

function readEntry(name: string, value: unknown): { dtype: Dtype; shape: number[]; begin: number; end: number } {
  if (!isRecord(value)) throw damaged(`the header's entry for tensor ${quote(name)} is not an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isDtype(dtype))
    throw damaged(`tensor ${quote(name)} has the unknown dtype ${quote(dtype)}; known are ${dtypes.join(", ")}`);
  if (!isCounts(shape)) throw damaged(`tensor ${quote(name)} has the shape ${quote(shape)}, not a list of sizes`);
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0] > offsets[1])
    throw damaged(`tensor ${quote(name)} has the offsets ${quote(offsets)}, not [begin, end]`);
  const [begin, end] = offsets;
  const size = byteSize(shape, dtype);
  if (Number.isNaN(size)) throw damaged(`tensor ${quote(name)} has the shape ${quote(shape)}, too large to exist`);
  if (end - begin !== size)
    throw damaged(
      `tensor ${quote(name)} has ${end - begin} bytes, but ${dtype} of shape ${quote(shape)} takes ${size}`,
    );
  return { dtype, shape, begin, end };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isDtype(value: unknown): value is Dtype {
  return typeof value === "string" && Object.hasOwn(dtypeBytes, value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/** A value from the file as it may stand in a one-line message. */
function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? "(none)";
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function damaged(what: string): InputError {
  return new InputError(`not a valid safetensors file: ${what}`);
}
