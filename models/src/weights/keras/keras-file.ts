/**
 * Networks that Keras saved:
 *
 * - `model.save("x.h5")` and `save_weights("x.h5")` of Keras 2, and Keras 3's form of the former: groups by the layers'
 *   names, which `layer_names` and `weight_names` list;
 * - `save_weights("x.weights.h5")` of Keras 3: groups by the layers' classes, `layers/conv2d_1/vars/0`;
 * - `model.save("x.keras")`: a ZIP archive of such a file and the network's description.
 */
import { type UnzipFileInfo, unzipSync } from "fflate";
import { InputError } from "../../errors.ts";
import { crc32 } from "../crc32.ts";
import { shownName } from "../names.ts";
import type { SafeTensor } from "../safetensors.ts";
import { zipDirectory } from "../stored-zip.ts";
import { type ForeignLayer, type ForeignNetwork, type GraphNode, type Role, roleOf } from "./foreign-network.ts";
import { readGraph } from "./graph.ts";
import { type Hdf5Group, isGroup, readHdf5 } from "./hdf5.ts";

const [CONFIG, WEIGHTS] = ["config.json", "model.weights.h5"];

/** Weights hardly compress; a file that says more is made to fill the memory. */
const MOST_INFLATION = 64;

/** Names of a ZIP archive's members; none where it can't be read. */
function zipMembers(bytes: Uint8Array): string[] {
  const names: string[] = [];
  try {
    unzipSync(bytes, { filter: ({ name }) => names.push(name) < 0 });
  } catch {
    return [];
  }
  return names;
}

export const isKerasArchive = (bytes: Uint8Array): boolean => zipMembers(bytes).includes(WEIGHTS);

/** @throws InputError, one line: when it is damaged, or larger than it can be */
export function readKerasArchive(bytes: Uint8Array): ForeignNetwork {
  const members = inflated(bytes);
  if (members[CONFIG] === undefined) throw new InputError(`its archive holds no ${CONFIG}: save it with Keras`);
  return readKerasHdf5(members[WEIGHTS], readGraph(new TextDecoder().decode(members[CONFIG])));
}

function inflated(bytes: Uint8Array): Record<string, Uint8Array> {
  const limit = MOST_INFLATION * bytes.length;
  let total = 0;
  const filter = ({ name, originalSize }: UnzipFileInfo): boolean => {
    if (name !== CONFIG && name !== WEIGHTS) return false;
    total += originalSize;
    if (total > limit)
      throw new InputError(`its archive says that it unpacks to ${total} bytes, from ${bytes.length}: refused`);
    return true;
  };
  let members: Record<string, Uint8Array>;
  try {
    members = unzipSync(bytes, { filter });
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`its ZIP archive can't be read: ${shownName((error as Error).message)}`);
  }
  // fflate does not look at them, and Keras does not compress: damage would go unnoticed.
  for (const { name, crc } of zipDirectory(bytes)) {
    if (Object.hasOwn(members, name) && crc32(members[name]) !== crc)
      throw new InputError(`its archive is damaged: the CRC-32 of ${name} is not what it says`);
  }
  return members;
}

/**
 * @param graph of the network, where the file is part of an archive
 * @throws InputError, one line: when it is damaged, or no file of Keras
 */
export function readKerasHdf5(bytes: Uint8Array, graph?: readonly GraphNode[]): ForeignNetwork {
  const root = readHdf5(bytes);
  const whole = root.members.get("model_weights");
  const config = root.attributes.get("model_config");
  const named = isGroup(whole) ? whole : root;
  const known = graph ?? (typeof config === "string" ? readGraph(config) : undefined);
  if (list(named, "layer_names") !== undefined) return { layers: byNames(named), order: "all", graph: known };
  const container = root.members.get("layers") ?? root.members.get("_layer_checkpoint_dependencies");
  if (isGroup(container)) return { layers: byClasses(container, known), order: "kinds", graph: known };
  throw new InputError("it is an HDF5 file that Keras did not write: it lists no layers");
}

/** A list of names among a group's attributes; a long one is in several, `layer_names0`, `layer_names1` … */
function list(group: Hdf5Group, key: string): string[] | undefined {
  const found = group.attributes.get(key);
  if (found !== undefined) return [found].flat();
  const parts: string[] = [];
  for (let n = 0; group.attributes.has(`${key}${n}`); n++)
    parts.push(...[group.attributes.get(`${key}${n}`) ?? []].flat());
  return parts.length > 0 ? parts : undefined;
}

function byNames(root: Hdf5Group): ForeignLayer[] {
  return (list(root, "layer_names") ?? []).flatMap((name) => {
    const group = memberAt(root, name);
    if (!isGroup(group)) throw new InputError(`its layer ${shownName(name)} is listed but not there`);
    const weights = new Map<string, SafeTensor>();
    for (const path of list(group, "weight_names") ?? []) {
      const role = roleOf(path);
      if (weights.has(role)) {
        throw new InputError(`its layer ${shownName(name)} is a model itself, which can't be matched: save that alone`);
      }
      weights.set(role, tensorAt(group, path));
    }
    return weights.size > 0 ? [{ name, weights }] : [];
  });
}

/** Names may have slashes, as tf.keras 2's `conv1/conv`: to HDF5 these are groups within groups. */
function memberAt(group: Hdf5Group, path: string): Hdf5Group | SafeTensor | undefined {
  let at: Hdf5Group | SafeTensor | undefined = group;
  for (const part of path.split("/")) at = isGroup(at) ? at.members.get(part) : undefined;
  return at;
}

function tensorAt(group: Hdf5Group, path: string): SafeTensor {
  const at = memberAt(group, path);
  if (at === undefined || isGroup(at)) throw new InputError(`its weight ${shownName(path)} is listed but not there`);
  return at;
}

/** Layers whose groups are named after their classes: conv2d, conv2d_1 … in the order of their making. */
function byClasses(container: Hdf5Group, graph: readonly GraphNode[] | undefined): ForeignLayer[] {
  const groups = [...container.members].sort(([a], [b]) => numberOf(a) - numberOf(b));
  const nodes = new Map(graph?.map((node) => [node.name, node]));
  return groups.flatMap(([key, group]) => {
    const vars = isGroup(group) ? group.members.get("vars") : undefined;
    if (!isGroup(group) || !isGroup(vars)) return [];
    if (group.members.has("layers")) {
      throw new InputError(`its layer ${shownName(key)} is a model itself, which can't be matched: save that alone`);
    }
    const tensors = Array.from({ length: vars.members.size }, (_, i) => tensorAt(vars, String(i)));
    if (tensors.length === 0) return [];
    const given = vars.attributes.get("name");
    const name = typeof given === "string" ? given : key;
    const config = nodes.get(name)?.config ?? {};
    const roles = rolesOf(key, tensors.length, config);
    return [{ name, weights: new Map(tensors.map((tensor, i) => [roles[i] ?? `${i}`, tensor])) }];
  });
}

const numberOf = (key: string): number => Number(/_(\d+)$/.exec(key)?.[1] ?? 0);

/** What a layer's variables are, which Keras 3 keeps by number. */
function rolesOf(key: string, count: number, config: GraphNode["config"]): Role[] {
  const className = key.replace(/_\d+$/, "");
  const affine: Role[] = [
    ...(config.scale === false ? [] : ["gamma" as const]),
    ...(config.center === false ? [] : ["beta" as const]),
  ];
  if (className === "batch_normalization") {
    const roles: Role[] = [...affine, "moving_mean", "moving_variance"];
    if (roles.length === count) return roles;
    throw new InputError(
      `its layer ${shownName(key)} has ${count} weights; expected ${roles.length}: save the whole model (.keras)`,
    );
  }
  if (className === "layer_normalization") return affine;
  return /^(conv\dd|depthwise_conv\dd|dense)$/.test(className) ? ["kernel", "bias"] : [];
}
