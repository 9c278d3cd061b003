/**
 * Files of weights from elsewhere, in the folder `hub` of the user's cache: NAME/original-FILE as it came, until it is
 * imported, then NAME/model.safetensors.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Checksum,
  cacheDir,
  download,
  mismatch,
  type Progress,
  writableFolder,
  writeAtomically,
} from "@tfjs-zoo/datasets/node";
import { InputError } from "@tfjs-zoo/models";
import type { RemoteFile } from "./remote-file.ts";

/** The folder of some pulled weights. */
export const hubFolder = (name: string): string => join(cacheDir(), "hub", name);

/** The imported weights of a name, where they were pulled. */
export function pulledWeights(name: string): string | undefined {
  if (!/^[\w-][\w.-]*$/.test(name)) return undefined;
  const path = join(hubFolder(name), "model.safetensors");
  return existsSync(path) ? path : undefined;
}

export interface FetchOptions {
  name: string;
  remote: RemoteFile;
  /** in hexadecimal digits, all or the first eight */
  sha256?: string;
  /** its length; else the most that is taken */
  bytes?: number;
  limit: number;
  progress: Progress;
}

export interface Fetched {
  path: string;
  bytes: Buffer;
  /** false where somebody put it there */
  isOurs: boolean;
  /** whether a checksum says that it is whole */
  isVerified: boolean;
}

/**
 * The file of NAME: the one that is in its folder already, else from its address, or from `ZOO_HUB_MIRROR/NAME/FILE`.
 *
 * @throws InputError, one line that says what to do: when it can't be fetched, or is another than it should be
 */
export async function fetchWeights({ name, remote, sha256, bytes, limit, progress }: FetchOptions): Promise<Fetched> {
  const folder = hubFolder(name);
  const path = join(folder, `original-${remote.file}`);
  const given: Checksum | undefined = sha256 === undefined ? undefined : { algorithm: "sha256", hex: sha256 };
  if (existsSync(path)) {
    const found = await readFile(path);
    const wrong = given && mismatch(found, given);
    if (wrong) throw new InputError(`${path} ${wrong}: delete it, and it is fetched again`);
    return { path, bytes: found, isOurs: false, isVerified: given !== undefined };
  }
  await writableFolder(folder);
  const mirror = process.env.ZOO_HUB_MIRROR?.replace(/\/+$/, "");
  const url = mirror ? `${mirror}/${name}/${remote.file}` : remote.url;
  try {
    const checksum = given ?? (remote.isOnHub && !mirror ? await checksumOnHub(url) : undefined);
    const received = await download({
      url,
      folder,
      name: remote.file,
      checksum,
      limit: bytes ?? limit,
      progress: (event) => progress({ ...event, label: name }),
    });
    if (received.length === 0) throw new Error("the file is empty");
    if (bytes !== undefined && received.length !== bytes)
      throw new Error(`it sent ${received.length} of ${bytes} bytes`);
    if (/^\s*</.test(received.subarray(0, 64).toString("latin1"))) throw new Error("it answered with a web page");
    await writeAtomically(path, received);
    return { path, bytes: received, isOurs: true, isVerified: checksum !== undefined };
  } catch (error) {
    const why = (error as Error).message.replace(/\s+/g, " ");
    throw new InputError(
      `${name} could not be fetched from ${url}: ${why}. Try again, put the file at ${path}, or set ZOO_HUB_MIRROR to a server that has ${name}/${remote.file}`,
    );
  }
}

/** What the hub says of a large file, in its answer before the redirection to where it is stored. */
async function checksumOnHub(url: string): Promise<Checksum | undefined> {
  const response = await fetch(url, { method: "HEAD", redirect: "manual", signal: AbortSignal.timeout(10_000) }).catch(
    () => undefined,
  );
  const hex = /^"?([0-9a-f]{64})"?$/.exec(response?.headers.get("x-linked-etag") ?? "")?.[1];
  return hex === undefined ? undefined : { algorithm: "sha256", hex };
}
