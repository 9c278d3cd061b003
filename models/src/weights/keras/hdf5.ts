/**
 * A reader of HDF5 files (HDF Group, "HDF5 file format specification", version 3), as far as Keras and h5py write them
 * for weights: groups, texts as attributes, and datasets that lie in one piece. Numbers are views into the file, no
 * size is believed that the file's length doesn't bear out, and damage can neither make it loop nor allocate.
 */
import { InputError } from "../../errors.ts";
import { shownName } from "../names.ts";
import { type Dtype, type SafeTensor, sizeOf } from "../safetensors.ts";

export interface Hdf5Group {
  /** Attributes that are texts or lists of texts. */
  readonly attributes: ReadonlyMap<string, string | readonly string[]>;
  /** What lies in it, by name, in the order of the names. */
  readonly members: ReadonlyMap<string, Hdf5Group | SafeTensor>;
}

export const isHdf5 = (bytes: Uint8Array): boolean =>
  [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a].every((byte, i) => bytes[i] === byte);

export const isGroup = (member: Hdf5Group | SafeTensor | undefined): member is Hdf5Group =>
  member !== undefined && "members" in member;

/**
 * @param bytes the whole file
 * @returns its root
 * @throws InputError, one line: when it is damaged, or made in a way that Keras's files are not
 */
export function readHdf5(bytes: Uint8Array): Hdf5Group {
  try {
    return new Hdf5Reader(bytes).root();
  } catch (error) {
    if (error instanceof RangeError) throw damaged("it is cut short, or refers to what lies outside of it");
    throw error;
  }
}

const UNDEFINED_ADDRESS = 2n ** 64n - 1n;

/** Groups within groups; Keras's files have some ten. */
const MAX_DEPTH = 64;

/** Messages of an object's header. */
const [DATASPACE, LINK_INFO, DATATYPE, LINK, LAYOUT, FILTERS, ATTRIBUTE, CONTINUATION, SYMBOL_TABLE] = [
  0x1, 0x2, 0x3, 0x6, 0x8, 0xb, 0xc, 0x10, 0x11,
];

interface HeaderMessage {
  type: number;
  at: number;
  shared: boolean;
}

/** What a datatype message says, as far as we use it. */
interface Datatype {
  kind: Dtype | "text" | "long text" | "other";
  bytes: number;
}

class Hdf5Reader {
  private readonly view: DataView;
  /** Structures that may still be read: a damaged file may refer to one of them again and again. */
  private left: number;
  /** Bytes of text that may still be read; many attributes may be the same text. */
  private textLeft: number;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.left = 1000 + bytes.length / 8;
    this.textLeft = 1000 + 4 * bytes.length;
  }

  root(): Hdf5Group {
    const version = this.u8(8);
    const [sizes, header] = version < 2 ? [13, version === 0 ? 64 : 68] : [9, 36];
    if (version > 3) throw damaged(`its format has version ${version}; expected 0 to 3`);
    if (this.u8(sizes) !== 8 || this.u8(sizes + 1) !== 8) throw damaged("its addresses do not have 64 bits");
    const found = this.object(this.address(header), 0);
    if (!isGroup(found)) throw damaged("it does not begin with a group");
    return found;
  }

  private object(address: number, depth: number): Hdf5Group | SafeTensor {
    if (depth > MAX_DEPTH) throw damaged("its groups are nested without end");
    const messages = this.messages(address);
    const layout = messages.find(({ type }) => type === LAYOUT);
    if (layout !== undefined) return this.dataset(messages, layout.at);
    const attributes = new Map<string, string | string[]>();
    for (const { type, at, shared } of messages) if (type === ATTRIBUTE && !shared) this.attribute(at, attributes);
    const members = new Map<string, Hdf5Group | SafeTensor>();
    for (const [name, target] of this.links(messages)) members.set(name, this.object(target, depth + 1));
    return { attributes, members };
  }

  private messages(address: number): HeaderMessage[] {
    this.spend();
    const messages: HeaderMessage[] = [];
    const isNew = this.signature(address) === "OHDR";
    if (!isNew && this.u8(address) !== 1) throw damaged("an object's header has an unknown form");
    const flags = isNew ? this.u8(address + 5) : 0;
    const headSize = isNew ? (flags & 4 ? 6 : 4) : 8;
    const blocks: [from: number, to: number][] = [];
    if (isNew) {
      const sizeAt = address + 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
      const width = 1 << (flags & 3);
      const from = sizeAt + width;
      blocks.push([from, from + this.unsigned(sizeAt, width)]);
    } else blocks.push([address + 16, address + 16 + this.u32(address + 8)]);
    const continued = new Set<number>();
    for (let block = 0; block < blocks.length; block++) {
      let [at, to] = blocks[block];
      for (; at + headSize <= to; ) {
        this.spend();
        const type = isNew ? this.u8(at) : this.u16(at);
        const size = isNew ? this.u16(at + 1) : this.u16(at + 2);
        const shared = (this.u8(at + (isNew ? 3 : 4)) & 2) !== 0;
        at += headSize;
        if (type === CONTINUATION) {
          const [from, length] = [this.address(at), this.address(at + 8)];
          if (continued.has(from)) throw damaged("an object's header refers to a part of it twice");
          continued.add(from);
          blocks.push(isNew ? [from + 4, from + length - 4] : [from, from + length]);
        } else messages.push({ type, at, shared });
        at += size;
      }
    }
    return messages;
  }

  /** The objects in a group: of an old one in a B-tree, of a new one in its header. */
  private links(messages: readonly HeaderMessage[]): [name: string, address: number][] {
    const found: [string, number][] = [];
    for (const { type, at } of messages) {
      if (type === SYMBOL_TABLE) this.symbols(this.address(at), this.heap(this.address(at + 8)), found);
      if (type === LINK) this.link(at, found);
      if (
        type === LINK_INFO &&
        this.view.getBigUint64(at + 2 + (this.u8(at + 1) & 1 ? 8 : 0), true) !== UNDEFINED_ADDRESS
      )
        throw damaged("it was saved with libver='latest': save it with h5py's or Keras's defaults");
    }
    return found.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  }

  private symbols(node: number, heap: number, found: [string, number][]): void {
    this.spend();
    const signature = this.signature(node);
    if (signature === "TREE") {
      const [level, entries] = [this.u8(node + 5), this.u16(node + 6)];
      for (let i = 0; i < entries; i++) {
        const child = this.address(node + 24 + 16 * i + 8);
        if (this.signature(child) === "TREE" && this.u8(child + 5) >= level) throw damaged("a group's tree is no tree");
        this.symbols(child, heap, found);
      }
      return;
    }
    if (signature !== "SNOD") throw damaged("a group's tree has an unknown part");
    for (let i = 0; i < this.u16(node + 6); i++) {
      this.spend();
      const entry = node + 8 + 40 * i;
      const isLink = this.u32(entry + 16) === 2;
      if (!isLink) found.push([this.text(heap + this.address(entry), undefined), this.address(entry + 8)]);
    }
  }

  /** Where the names of an old group lie. */
  private heap(address: number): number {
    if (this.signature(address) !== "HEAP") throw damaged("a group lacks its names");
    return this.address(address + 24);
  }

  private link(start: number, found: [string, number][]): void {
    const flags = this.u8(start + 1);
    let at = start + 2;
    const isHard = flags & 8 ? this.u8(at++) === 0 : true;
    if (flags & 4) at += 8;
    if (flags & 16) at += 1;
    const width = 1 << (flags & 3);
    const length = this.unsigned(at, width);
    if (isHard) found.push([this.text(at + width, length), this.address(at + width + length)]);
  }

  private attribute(start: number, attributes: Map<string, string | string[]>): void {
    const version = this.u8(start);
    const padded = (size: number) => (version === 1 ? Math.ceil(size / 8) * 8 : size);
    const [nameSize, typeSize, spaceSize] = [this.u16(start + 2), this.u16(start + 4), this.u16(start + 6)];
    const name = this.text(start + (version === 3 ? 9 : 8), nameSize);
    const typeAt = start + (version === 3 ? 9 : 8) + padded(nameSize);
    const { kind, bytes } = this.datatype(typeAt);
    const spaceAt = typeAt + padded(typeSize);
    const shape = this.dataspace(spaceAt);
    const data = spaceAt + padded(spaceSize);
    if (kind !== "text" && kind !== "long text") return;
    const count = sizeOf(shape);
    if (!(count * Math.max(bytes, 1) <= this.bytes.length))
      throw damaged(`its attribute ${shownName(name)} is longer than the file`);
    const texts = Array.from({ length: count }, (_, i) =>
      kind === "text" ? this.text(data + i * bytes, bytes) : this.longText(data + i * bytes),
    );
    attributes.set(name, shape.length === 0 ? texts[0] : texts);
  }

  /** A text of any length, which lies in a heap. */
  private longText(reference: number): string {
    const [length, index] = [this.u32(reference), this.u32(reference + 12)];
    if (length === 0) return this.text(reference, 0);
    const heap = this.address(reference + 4);
    if (this.signature(heap) !== "GCOL") throw damaged("a text is not where it should be");
    const end = heap + this.address(heap + 8);
    for (let at = heap + 16; at + 16 <= end; ) {
      this.spend();
      const [found, size] = [this.u16(at), this.address(at + 8)];
      if (found === index) return this.text(at + 16, Math.min(length, size));
      if (found === 0) break;
      at += 16 + Math.ceil(size / 8) * 8;
    }
    throw damaged("a text is not where it should be");
  }

  private dataset(messages: readonly HeaderMessage[], layout: number): SafeTensor {
    const at = (wanted: number) => {
      const message = messages.find(({ type }) => type === wanted);
      if (message === undefined || message.shared) throw damaged("a dataset does not say what it is");
      return message.at;
    };
    const shape = this.dataspace(at(DATASPACE));
    const { kind, bytes } = this.datatype(at(DATATYPE));
    const dtype = kind === "text" || kind === "long text" || kind === "other" ? "U8" : kind;
    if (dtype === "U8" && kind !== "U8") return { dtype, shape: [0], data: new Uint8Array(0) }; // no numbers
    if (messages.some(({ type }) => type === FILTERS)) throw damaged("it is compressed: save it without compression");
    const [version, storage] = [this.u8(layout), this.u8(layout + 1)];
    if (version < 3 || storage > 1) throw damaged("its datasets do not lie in one piece: save it without chunks");
    const size = sizeOf(shape) * bytes;
    const [from, length] =
      storage === 0 ? [layout + 4, this.u16(layout + 2)] : [this.addressOrNone(layout + 2), this.address(layout + 10)];
    if (size === 0) return { dtype, shape, data: new Uint8Array(0) };
    if (from === undefined) throw damaged("a dataset was never written");
    if (!(size <= length && from + size <= this.bytes.length))
      throw damaged("a dataset reaches beyond the file (is it cut short?)");
    return { dtype, shape, data: this.bytes.subarray(from, from + size) };
  }

  private dataspace(at: number): number[] {
    const [version, rank] = [this.u8(at), this.u8(at + 1)];
    if (version !== 1 && version !== 2) throw damaged("a shape has an unknown form");
    return Array.from({ length: rank }, (_, i) => this.address(at + (version === 1 ? 8 : 4) + 8 * i));
  }

  private datatype(at: number): Datatype {
    const [kind, flags, more, bytes] = [this.u8(at) & 15, this.u8(at + 1), this.u8(at + 8 + 5), this.u32(at + 4)];
    if (kind === 3) return { kind: "text", bytes };
    if (kind === 9) return { kind: (flags & 15) === 1 ? "long text" : "other", bytes };
    const isBigEndian = (flags & 1) !== 0 && bytes > 1;
    if (kind === 0 && !isBigEndian && [1, 2, 4, 8].includes(bytes)) {
      const isSigned = (flags & 8) !== 0;
      return { kind: `${isSigned ? "I" : "U"}${8 * bytes}` as Dtype, bytes };
    }
    if (kind === 1 && isBigEndian) throw damaged("its numbers are big-endian");
    const exponentBits = { 2: 5, 4: 8, 8: 11 }[bytes];
    return kind === 1 && exponentBits === more ? { kind: `F${8 * bytes}` as Dtype, bytes } : { kind: "other", bytes };
  }

  /** A text that fills its place, or, of unknown length, one that ends with a zero. */
  private text(at: number, length: number | undefined): string {
    this.spend(); // an empty one too
    const longest = this.bytes.subarray(at, at + (length ?? this.textLeft));
    const zero = longest.indexOf(0);
    const text = zero < 0 ? longest : longest.subarray(0, zero);
    this.textLeft -= text.length;
    if (this.textLeft < 0 || (length !== undefined && longest.length < length))
      throw damaged("a text is too long for it");
    return new TextDecoder().decode(text);
  }

  private spend(): void {
    if (--this.left < 0) throw damaged("it refers to itself");
  }

  private signature(at: number): string {
    return String.fromCharCode(this.u8(at), this.u8(at + 1), this.u8(at + 2), this.u8(at + 3));
  }

  private u8(at: number): number {
    return this.view.getUint8(at);
  }

  private u16(at: number): number {
    return this.view.getUint16(at, true);
  }

  private u32(at: number): number {
    return this.view.getUint32(at, true);
  }

  /** An address or a size: of 64 bits, but a file has fewer bytes than a double has integers. */
  private address(at: number): number {
    return Number(this.view.getBigUint64(at, true));
  }

  private addressOrNone(at: number): number | undefined {
    const value = this.view.getBigUint64(at, true);
    return value === UNDEFINED_ADDRESS ? undefined : Number(value);
  }

  private unsigned(at: number, width: number): number {
    if (width === 8) return this.address(at);
    return width === 4 ? this.u32(at) : width === 2 ? this.u16(at) : this.u8(at);
  }
}

const damaged = (why: string) => new InputError(`its HDF5 can't be read: ${why}`);
