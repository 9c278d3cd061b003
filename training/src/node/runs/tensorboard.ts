import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readdirSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { crc32c } from "./crc.ts";
import { describeWriteError, errorCode } from "./write-error.ts";

const FLUSH_BYTES = 16 * 1024;
const FLUSH_SECONDS = 2;

/**
 * Writes a TensorBoard event file, `<folder>/events.out.tfevents.<secs>.<host>`.
 *
 * A file is a row of records (TFRecord): length u64, masked CRC-32C of the length u32, data, masked CRC-32C of the
 * data u32, all little-endian; each record's data is an `Event` protocol buffer (tensorflow/core/util/event.proto).
 *
 * A resumed run opens a new file, whose name sorts after the others', and passes `resumedAt`: the last step it keeps.
 * The file then starts with a session mark at the step after, at which TensorBoard forgets what the interrupted
 * session wrote of later steps: a curve never goes backwards.
 */
export class EventWriter {
  readonly path: string;
  readonly #now: () => number;
  #descriptor: number | undefined;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #flushed: number;

  /**
   * @param folder made if missing; the run's `tensorboard` folder
   * @param options.resumedAt the step of the checkpoint that a resumed run continues from
   * @param options.now seconds since 1970, for tests
   * @throws InputError if the file can't be written
   */
  constructor(folder: string, options: { resumedAt?: number; now?: () => number } = {}) {
    this.#now = options.now ?? (() => Date.now() / 1000);
    this.#flushed = this.#now();
    const taken = takenSeconds(folder);
    const seconds = Math.max(Math.floor(this.#now()), ...taken.map((value) => value + 1));
    const host = hostname().replace(/[^\w.-]+/g, "-") || "localhost";
    this.path = join(folder, `events.out.tfevents.${String(seconds).padStart(10, "0")}.${host}`);
    try {
      mkdirSync(folder, { recursive: true });
      this.#descriptor = openSync(this.path, "wx");
    } catch (error) {
      throw describeWriteError(error, this.path, 0, "nothing was left behind");
    }
    this.#add([...float64Field(1, this.#now()), ...bytesField(3, Buffer.from("brain.Event:2"))]);
    if (options.resumedAt !== undefined) {
      const sessionStart = [...varintField(1, 1)];
      this.#add([
        ...float64Field(1, this.#now()),
        ...varintField(2, options.resumedAt + 1),
        ...bytesField(7, sessionStart),
      ]);
    }
    this.flush();
  }

  /**
   * Adds a point to the curve `tag`; it reaches the disk with the next flush, two seconds later at most if more follow.
   *
   * @param tag e.g. "loss/train"; a slash groups curves
   */
  scalar(tag: string, value: number, step: number): void {
    const point = [...bytesField(1, Buffer.from(tag)), ...float32Field(2, value)];
    const summary = bytesField(1, point);
    this.#add([...float64Field(1, this.#now()), ...varintField(2, step), ...bytesField(5, summary)]);
    if (this.#pendingBytes >= FLUSH_BYTES || this.#now() - this.#flushed >= FLUSH_SECONDS) this.flush();
  }

  /** @throws InputError when the disk is full */
  flush(): void {
    if (this.#descriptor === undefined) return;
    const data = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#flushed = this.#now();
    const before = fstatSync(this.#descriptor).size;
    try {
      for (let written = 0; written < data.length; ) written += writeSync(this.#descriptor, data, written);
    } catch (error) {
      // Half a record would hide from readers whatever follows it.
      ftruncateSync(this.#descriptor, before);
      throw describeWriteError(error, this.path, data.length, "the curves written before are intact");
    }
  }

  close(): void {
    if (this.#descriptor === undefined) return;
    try {
      this.flush();
    } finally {
      closeSync(this.#descriptor);
      this.#descriptor = undefined;
    }
  }

  #add(event: number[]): void {
    const bytes = record(Uint8Array.from(event));
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
  }
}

/** One TFRecord. */
function record(data: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(8 + 4 + data.length + 4);
  bytes.writeBigUInt64LE(BigInt(data.length), 0);
  bytes.writeUInt32LE(maskedCrc(bytes.subarray(0, 8)), 8);
  bytes.set(data, 12);
  bytes.writeUInt32LE(maskedCrc(data), 12 + data.length);
  return bytes;
}

/** Rotated and shifted, so that the checksum of data that holds checksums stays strong (tensorflow/core/lib/hash/crc32c.h). */
export function maskedCrc(data: Uint8Array): number {
  const crc = crc32c(data);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function takenSeconds(folder: string): number[] {
  try {
    return readdirSync(folder)
      .flatMap((name) => /^events\.out\.tfevents\.(\d+)\./.exec(name)?.[1] ?? [])
      .map(Number);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw describeWriteError(error, folder, 0, "nothing was left behind");
  }
}

// Protocol-buffer fields: a key (number << 3 | wire type), then the value.

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}

function varintField(field: number, value: number): number[] {
  return [field << 3, ...varint(value)];
}

function float64Field(field: number, value: number): number[] {
  return [(field << 3) | 1, ...new Uint8Array(new Float64Array([value]).buffer)];
}

function bytesField(field: number, bytes: ArrayLike<number>): number[] {
  return [(field << 3) | 2, ...varint(bytes.length), ...Array.from(bytes)];
}

function float32Field(field: number, value: number): number[] {
  return [(field << 3) | 5, ...new Uint8Array(new Float32Array([value]).buffer)];
}
