/**
 * Files of PyTorch's torch.save (.pt, .pth, .bin): the ZIP archive of today and the form before version 1.6. Both hold a
 * pickle; it is read by a reader that builds tensors and nothing else (pickle.ts), so nothing in the file is executed.
 */
import { InputError } from "../errors.ts";
import { shownName } from "./names.ts";
import { type PickleDict, type PickleOptions, readPickle } from "./pickle.ts";
import { type Dtype, type SafeTensor, sizeOf } from "./safetensors.ts";
import { isZip, readStoredZip } from "./stored-zip.ts";

/** PyTorch's storages, and what their elements are. */
const storages: { readonly [name: string]: { dtype: Dtype; bytes: number } } = {
  FloatStorage: { dtype: "F32", bytes: 4 },
  HalfStorage: { dtype: "F16", bytes: 2 },
  BFloat16Storage: { dtype: "BF16", bytes: 2 },
  DoubleStorage: { dtype: "F64", bytes: 8 },
  LongStorage: { dtype: "I64", bytes: 8 },
  IntStorage: { dtype: "I32", bytes: 4 },
  ShortStorage: { dtype: "I16", bytes: 2 },
  CharStorage: { dtype: "I8", bytes: 1 },
  ByteStorage: { dtype: "U8", bytes: 1 },
  BoolStorage: { dtype: "BOOL", bytes: 1 },
};

/** The first object of the form before ZIP. */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;

/** A run of elements that tensors share; the legacy form's bytes come after the pickle. */
interface Storage {
  dtype: Dtype;
  elementBytes: number;
  elements: number;
  data?: Uint8Array;
}

/** PyTorch's own limit. */
const MAX_RANK = 64;

/** A tensor as the pickle describes it. */
class PickledTensor {
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}

  /** Whether its elements lie in order, row by row. */
  private get inOrder(): boolean {
    return this.shape.every((n, axis) => n <= 1 || this.strides[axis] === sizeOf(this.shape.slice(axis + 1)));
  }

  /** Bytes that `contiguous` copies. */
  get copied(): number {
    return this.inOrder ? 0 : sizeOf(this.shape) * this.storage.elementBytes;
  }

  /** Its elements in order; a view where they lie so. */
  contiguous(): SafeTensor {
    const { storage, offset, shape, strides } = this;
    const { dtype, elementBytes, data } = storage;
    if (data === undefined) throw damaged("a tensor's numbers are not in it");
    const count = sizeOf(shape);
    const last = shape.reduce((sum, n, axis) => sum + Math.max(0, n - 1) * strides[axis], offset);
    if (Number.isNaN(count) || offset < 0 || strides.some((s) => s < 0) || (count > 0 && last >= storage.elements)) {
      throw damaged(`a tensor of shape [${shape}] reaches beyond its storage`);
    }
    if (count > storage.elements) throw damaged(`a tensor of shape [${shape}] has more elements than its storage`);
    const rowMajor = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
    if (this.inOrder) {
      return { dtype, shape, data: data.subarray(offset * elementBytes, (offset + count) * elementBytes) };
    }
    const gathered = new Uint8Array(count * elementBytes);
    for (let i = 0; i < count; i++) {
      let from = offset;
      for (const [axis, n] of shape.entries()) from += (Math.floor(i / rowMajor[axis]) % n) * strides[axis];
      gathered.set(data.subarray(from * elementBytes, (from + 1) * elementBytes), i * elementBytes);
    }
    return { dtype, shape, data: gathered };
  }
}

/** Whether bytes begin as a file of torch.save does: with an archive, or with the pickle of the older form's magic. */
export const isTorchFile = (bytes: Uint8Array): boolean =>
  isZip(bytes) || [0x80, 2, 0x8a, 10].every((byte, i) => bytes[i] === byte);

/**
 * Reads the tensors of a file of torch.save: those of a state_dict, or of the state_dict in a checkpoint.
 *
 * @returns tensors by name
 * @throws InputError when it is damaged, holds no tensors, or asks for anything that tensors don't need
 */
export function readTorchFile(bytes: Uint8Array): Map<string, SafeTensor> {
  const tensors = tensorsOf(isZip(bytes) ? readArchive(bytes) : readLegacy(bytes));
  // A tensor that must be put in order may stand under many names.
  const copied = [...tensors.values()].reduce((sum, tensor) => sum + tensor.copied, 0);
  if (!(copied <= 4 * bytes.length)) throw damaged("its tensors overlap more than any network's do");
  return new Map([...tensors].map(([name, tensor]) => [name, tensor.contiguous()]));
}

function readArchive(bytes: Uint8Array): unknown {
  const members = readStoredZip(bytes);
  const pickle = [...members.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickle === undefined) throw damaged("its archive holds no data.pkl");
  const folder = pickle.slice(0, -"data.pkl".length);
  const order = members.get(`${folder}byteorder`);
  if (order !== undefined && new TextDecoder().decode(order).trim() !== "little") {
    throw new InputError("its numbers are big-endian: save it on a little-endian machine");
  }
  const made = new Map<string, Storage>();
  const persistent = storageBy(
    (key) => made.get(key),
    (key, storage) => {
      storage.data = members.get(`${folder}data/${key}`);
      if (storage.data === undefined) throw damaged(`its archive lacks the storage ${shownName(key)}`);
      if (storage.data.length < storage.elements * storage.elementBytes)
        throw damaged(`its storage ${shownName(key)} is too short`);
      made.set(key, storage);
    },
  );
  return readPickle(members.get(pickle) as Uint8Array, { callables, persistent }).value;
}

function readLegacy(bytes: Uint8Array): unknown {
  const made = new Map<string, Storage>();
  const persistent = storageBy(
    (key) => made.get(key),
    (key, storage) => made.set(key, storage),
  );
  let at = 0;
  const next = (options: PickleOptions): unknown => {
    const { value, end } = readPickle(bytes, options, at);
    at = end;
    return value;
  };
  const plain = { callables: new Map() };
  if (next(plain) !== LEGACY_MAGIC) throw damaged("it is no file of torch.save");
  next(plain); // the version of the form
  const system = next(plain);
  if (system instanceof Map && system.get("little_endian") === false) {
    throw new InputError("its numbers are big-endian: save it on a little-endian machine");
  }
  const value = next({ callables, persistent });
  const keys = next(plain);
  if (!Array.isArray(keys)) throw damaged("it lacks the list of its storages");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const key of keys) {
    const storage = made.get(key as string);
    if (storage === undefined || at + 8 > bytes.length) throw damaged("it is cut short");
    const size = storage.elements * storage.elementBytes;
    if (Number(view.getBigInt64(at, true)) !== storage.elements || at + 8 + size > bytes.length) {
      throw damaged(`its storage ${shownName(String(key))} is not as long as it says (is it cut short?)`);
    }
    storage.data = bytes.subarray(at + 8, at + 8 + size);
    at += 8 + size;
  }
  return value;
}

/** The objects that ids like ("storage", FloatStorage, key, device, elements) stand for. */
function storageBy(known: (key: string) => Storage | undefined, add: (key: string, storage: Storage) => void) {
  return (id: unknown): Storage => {
    const [kind, type, key, , elements] = Array.isArray(id) ? id : [];
    const name = named(type);
    if (
      kind !== "storage" ||
      typeof key !== "string" ||
      !Object.hasOwn(storages, name) ||
      !Number.isSafeInteger(elements) ||
      elements < 0
    ) {
      throw damaged("it refers to something that is no storage of numbers");
    }
    const found = known(key);
    if (found !== undefined) return found;
    const { dtype, bytes } = storages[name];
    const storage: Storage = { dtype, elementBytes: bytes, elements };
    add(key, storage);
    return storage;
  };
}

/** FloatStorage of torch.FloatStorage, as far as it is named. */
const named = (value: unknown): string => /^torch\.(\w+)$/.exec((value as { name?: string })?.name ?? "")?.[1] ?? "";

function rebuildTensor(storage: unknown, offset: unknown, shape: unknown, strides: unknown): PickledTensor {
  const counts = (value: unknown): value is number[] => Array.isArray(value) && value.every(Number.isSafeInteger);
  const isStorage = typeof storage === "object" && storage !== null && "elementBytes" in storage;
  if (
    !isStorage ||
    !Number.isSafeInteger(offset) ||
    !counts(shape) ||
    !counts(strides) ||
    shape.length !== strides.length ||
    shape.length > MAX_RANK
  ) {
    throw damaged("it describes a tensor that can't be");
  }
  return new PickledTensor(storage as Storage, offset as number, shape, strides);
}

/** Python 2 gives an OrderedDict its items, Python 3 sets them afterwards. */
function orderedDict(items: unknown): PickleDict {
  const pairs = Array.isArray(items) ? items : [];
  if (!pairs.every((pair) => Array.isArray(pair) && pair.length === 2)) throw damaged("a dictionary's items are none");
  return new Map(pairs as [unknown, unknown][]);
}

const callables: PickleOptions["callables"] = new Map<string, (...args: unknown[]) => unknown>([
  ["collections.OrderedDict", orderedDict],
  ["torch._utils._rebuild_tensor_v2", rebuildTensor],
  ["torch._utils._rebuild_tensor", rebuildTensor],
  ["torch._utils._rebuild_parameter", (data) => data],
  ["torch.Size", (sizes) => sizes],
  // Named as types, never called.
  ...Object.keys(storages).map((name): [string, () => never] => [
    `torch.${name}`,
    () => {
      throw damaged("it makes a storage of its own");
    },
  ]),
]);

/** Where checkpoints keep the network's tensors beside other things. */
const usualKeys = [
  "state_dict",
  "model_state_dict",
  "model",
  "net",
  "network",
  "weights",
  "state_dict_ema",
  "model_ema",
];

function tensorsOf(value: unknown): Map<string, PickledTensor> {
  const tensors = new Map<string, PickledTensor>();
  if (value instanceof Map) {
    for (const [name, tensor] of value as PickleDict) {
      if (typeof name === "string" && tensor instanceof PickledTensor) tensors.set(name, tensor);
    }
    if (tensors.size > 0) return tensors;
    for (const key of usualKeys) {
      const inner = value.get(key);
      if (inner instanceof Map) return tensorsOf(inner);
    }
  }
  throw new InputError("it holds no tensors by name: save a state_dict with torch.save");
}

const damaged = (why: string) => new InputError(`it can't be read as a file of PyTorch: ${why}`);
