/**
 * A reader of Python's pickles that builds data and nothing else (the format: CPython, Lib/pickletools.py). A pickle is
 * a program; its one dangerous instruction calls what it names. Here it can name only what the caller lists, and those
 * are functions of ours.
 */
import { InputError } from "../errors.ts";

/** What a pickle may name, as "module.name", and what a call of it makes. */
export type Callables = ReadonlyMap<string, (...args: unknown[]) => unknown>;

export interface PickleOptions {
  callables: Callables;
  /** Makes the object that a persistent id stands for. */
  persistent?(id: unknown): unknown;
}

/** A dictionary: keys may be any value. */
export type PickleDict = Map<unknown, unknown>;

/** The name of something callable, before it is called. */
class Named {
  constructor(readonly name: string) {}
}

const MARK = Symbol("mark");

/** Longer than any file of weights needs: some twenty for each tensor. */
const MAX_INSTRUCTIONS = 2_000_000;

/** More than what makes a tensor takes. */
const MAX_ARGUMENTS = 16;

/**
 * Reads one pickle.
 *
 * @param bytes may go on after it
 * @returns the object, and where the pickle ends
 * @throws InputError when it is damaged, or names or does what no file of weights needs to
 */
export function readPickle(bytes: Uint8Array, options: PickleOptions, start = 0): { value: unknown; end: number } {
  const reader = new PickleReader(bytes, options, start);
  const value = reader.run();
  return { value, end: reader.position };
}

class PickleReader {
  position: number;
  private readonly view: DataView;
  private readonly stack: unknown[] = [];
  private readonly memo = new Map<number, unknown>();

  constructor(
    private readonly bytes: Uint8Array,
    private readonly options: PickleOptions,
    start: number,
  ) {
    this.position = start;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  run(): unknown {
    for (let count = 0; count < MAX_INSTRUCTIONS; count++) {
      const opcode = String.fromCharCode(this.take(1)[0]);
      if (opcode === ".") return this.pop();
      this.execute(opcode);
    }
    throw damaged("it does not end");
  }

  private execute(opcode: string): void {
    const { stack } = this;
    switch (opcode) {
      case "\x80": // PROTO
        if (this.take(1)[0] > 5) throw damaged("its protocol is newer than 5");
        return;
      case "\x95": // FRAME
        this.take(8);
        return;
      case "(":
        stack.push(MARK);
        return;
      case "0": // POP
        this.pop();
        return;
      case "1": // POP_MARK
        this.toMark();
        return;
      case "2": // DUP
        stack.push(this.top());
        return;
      case "N":
        stack.push(null);
        return;
      case "\x88":
        stack.push(true);
        return;
      case "\x89":
        stack.push(false);
        return;
      case "J":
        stack.push(this.view.getInt32(this.skip(4), true));
        return;
      case "K":
        stack.push(this.take(1)[0]);
        return;
      case "M":
        stack.push(this.view.getUint16(this.skip(2), true));
        return;
      case "\x8a": // LONG1
        stack.push(longOf(this.take(this.take(1)[0])));
        return;
      case "G":
        stack.push(this.view.getFloat64(this.skip(8), false));
        return;
      case "X": // BINUNICODE
      case "T": // BINSTRING
        stack.push(this.text(this.view.getUint32(this.skip(4), true)));
        return;
      case "\x8c": // SHORT_BINUNICODE
      case "U": // SHORT_BINSTRING
        stack.push(this.text(this.take(1)[0]));
        return;
      case "B": // BINBYTES
        stack.push(this.take(this.view.getUint32(this.skip(4), true)));
        return;
      case "C": // SHORT_BINBYTES
        stack.push(this.take(this.take(1)[0]));
        return;
      case ")":
        stack.push([]);
        return;
      case "]":
        stack.push([]);
        return;
      case "}":
        stack.push(new Map());
        return;
      case "t":
        stack.push(this.toMark());
        return;
      case "l":
        stack.push(this.toMark());
        return;
      case "\x85":
      case "\x86":
      case "\x87": {
        const count = opcode.charCodeAt(0) - 0x84;
        stack.push(Array.from({ length: count }, () => this.pop()).reverse());
        return;
      }
      case "a": {
        const item = this.pop();
        this.list().push(item);
        return;
      }
      case "e": {
        const items = this.toMark();
        const list = this.list();
        for (const item of items) list.push(item);
        return;
      }
      case "s": {
        const value = this.pop();
        const key = this.pop();
        this.dict().set(key, value);
        return;
      }
      case "u": {
        const items = this.toMark();
        const dict = this.dict();
        for (let i = 0; i + 1 < items.length; i += 2) dict.set(items[i], items[i + 1]);
        return;
      }
      case "d": {
        const items = this.toMark();
        const dict: PickleDict = new Map();
        for (let i = 0; i + 1 < items.length; i += 2) dict.set(items[i], items[i + 1]);
        stack.push(dict);
        return;
      }
      case "q":
        this.memo.set(this.take(1)[0], this.top());
        return;
      case "r":
        this.memo.set(this.view.getUint32(this.skip(4), true), this.top());
        return;
      case "\x94":
        this.memo.set(this.memo.size, this.top());
        return;
      case "h":
        stack.push(this.remembered(this.take(1)[0]));
        return;
      case "j":
        stack.push(this.remembered(this.view.getUint32(this.skip(4), true)));
        return;
      case "c":
        stack.push(this.named(this.line(), this.line()));
        return;
      case "\x93": {
        const [name, module] = [this.pop(), this.pop()];
        if (typeof name !== "string" || typeof module !== "string") throw damaged("it names what has no name");
        stack.push(this.named(module, name));
        return;
      }
      case "R": // REDUCE
      case "\x81": {
        // NEWOBJ
        const args = this.pop();
        stack.push(this.call(this.pop(), args));
        return;
      }
      case "b": // BUILD: a state for an object of ours, which has none
        this.pop();
        return;
      case "Q": {
        const { persistent } = this.options;
        if (persistent === undefined) throw damaged("it refers to objects outside itself");
        stack.push(persistent(this.pop()));
        return;
      }
      default:
        throw damaged(`it has the instruction ${JSON.stringify(opcode)}, which no file of weights needs`);
    }
  }

  private named(module: string, name: string): Named {
    const full = `${module}.${name}`;
    if (!this.options.callables.has(full)) {
      const shown = JSON.stringify(full.slice(0, 80)).slice(1, -1);
      throw new InputError(`it wants to call ${shown}, which weights don't need: refused; save the state_dict alone`);
    }
    return new Named(full);
  }

  private call(callee: unknown, args: unknown): unknown {
    if (!(callee instanceof Named) || !Array.isArray(args)) throw damaged("it calls what is nothing to call");
    if (args.length > MAX_ARGUMENTS) throw damaged(`it calls with ${args.length} arguments`);
    return this.options.callables.get(callee.name)?.(...args);
  }

  private take(count: number): Uint8Array {
    const from = this.skip(count);
    return this.bytes.subarray(from, from + count);
  }

  private skip(count: number): number {
    const from = this.position;
    if (count > this.bytes.length - from) throw damaged("it is cut short");
    this.position = from + count;
    return from;
  }

  private text(length: number): string {
    return new TextDecoder().decode(this.take(length));
  }

  private line(): string {
    const end = this.bytes.indexOf(10, this.position);
    if (end < 0) throw damaged("it is cut short");
    const line = this.text(end - this.position);
    this.position = end + 1;
    return line;
  }

  private pop(): unknown {
    const value = this.stack.pop();
    if (value === undefined || value === MARK) throw damaged("it takes more from its stack than there is");
    return value;
  }

  private top(): unknown {
    const value = this.stack.at(-1);
    if (value === undefined) throw damaged("its stack is empty");
    return value;
  }

  private toMark(): unknown[] {
    const mark = this.stack.lastIndexOf(MARK);
    if (mark < 0) throw damaged("it lacks a mark on its stack");
    const items = this.stack.splice(mark + 1);
    this.stack.pop();
    return items;
  }

  private list(): unknown[] {
    const list = this.top();
    if (!Array.isArray(list)) throw damaged("it appends to what is no list");
    return list;
  }

  private dict(): PickleDict {
    const dict = this.top();
    if (!(dict instanceof Map)) throw damaged("it sets items of what is no dictionary");
    return dict;
  }

  private remembered(key: number): unknown {
    const value = this.memo.get(key);
    if (value === undefined) throw damaged("it refers to what it has not made");
    return value;
  }
}

/** A whole number of any length, two's complement, little-endian. */
function longOf(bytes: Uint8Array): number | bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]);
  const signed = BigInt.asIntN(8 * bytes.length, value);
  return signed >= BigInt(Number.MIN_SAFE_INTEGER) && signed <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(signed)
    : signed;
}

const damaged = (why: string) => new InputError(`its pickle is damaged: ${why}`);
