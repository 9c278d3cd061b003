import { unzipSync } from "fflate";
import { decodeText } from "../decode-text.ts";
import { parsePairs } from "../sentence-pairs.ts";
import type { PairDataset } from "../types.ts";
import { checkDirection } from "./direction.ts";
import { download } from "./download.ts";
import { type DataSource, type FileBytes, type FileSet, type LoadOptions, loadFiles } from "./file-set.ts";
import { splitPairs } from "./split-pairs.ts";

const ARCHIVE = "fra-eng.zip";
const FILE = "fra.txt";
const BYTES = 11_669_748;
/** The first column is English. */
const LANGUAGES = ["en", "fr"] as const;

function archiveAt(url: string): DataSource {
  return {
    name: url,
    async fetch({ workFolder, progress }) {
      return textInArchive(await download({ url, folder: workFolder, name: ARCHIVE, limit: 2 * BYTES, progress }));
    },
  };
}

/**
 * Tatoeba's English sentences with French translations, as manythings.org puts them together: the edition of 2019 that
 * courses use. The site's own file grows, so that its checksum is another one: fetch that by hand for `pairs:PATH`.
 */
export const tatoebaFiles: FileSet = {
  name: "tatoeba",
  title: "Tatoeba English-French",
  files: [
    {
      name: FILE,
      checksum: { algorithm: "sha256", hex: "0bb85dbaa1c896844649094d7eaf2e34bee34e84fe362b26ce7e8f2e12aae104" },
      bytes: BYTES,
    },
  ],
  folders: ["tatoeba", "fra-eng"],
  layouts: [{ files: [ARCHIVE], convert: async (files) => textInArchive(files.get(ARCHIVE) as Uint8Array) }],
  sources: [
    archiveAt("https://storage.googleapis.com/download.tensorflow.org/data/fra-eng.zip"),
    archiveAt("https://d2l-data.s3-accelerate.amazonaws.com/fra-eng.zip"),
    archiveAt("https://www.manythings.org/anki/fra-eng.zip"),
  ],
};

/**
 * Tatoeba: 167,130 pairs of short sentences, of which a twentieth each, at most 1,000, are drawn to validate and to test
 * on. A sentence with several translations is in one part only.
 *
 * @param options `direction`: "en-fr" or "fr-en"; `seed` of the draw, 0 by default
 * @throws InputError as `loadFiles` does, and for another direction
 */
export async function loadTatoeba(
  { direction = "en-fr", seed = 0, ...options }: LoadOptions & { direction?: string; seed?: number } = {},
  files: FileSet = tatoebaFiles,
): Promise<PairDataset> {
  const [source, target] = checkDirection(direction, LANGUAGES, files.name);
  const text = decodeText((await loadFiles(files, options)).get(FILE) as Uint8Array, FILE);
  const pairs = parsePairs(text, FILE);
  const inDirection = source === LANGUAGES[0] ? pairs : { source: pairs.target, target: pairs.source };
  return { name: files.name, source, target, ...splitPairs(inDirection, files.name, seed) };
}

/** @throws Error where it is no zip archive, or its text is larger than it can be */
function textInArchive(archive: Uint8Array): FileBytes {
  const members = unzipSync(archive, {
    filter({ name, originalSize }) {
      if (name.split("/").at(-1) !== FILE) return false;
      if (originalSize > BYTES) throw new Error(`${name} unpacks to ${originalSize} bytes instead of ${BYTES}`);
      return true;
    },
  });
  const [name] = Object.keys(members);
  if (name === undefined) throw new Error(`the archive lacks ${FILE}`);
  return new Map([[FILE, members[name]]]);
}
