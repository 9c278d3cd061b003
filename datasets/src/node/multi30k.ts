import { decodeText } from "../decode-text.ts";
import type { Documents } from "../documents.ts";
import { labelled } from "../labelled-texts.ts";
import { alignLines } from "../sentence-pairs.ts";
import type { DocumentDataset, LabelledTextDataset, PairDataset } from "../types.ts";
import { checkDirection } from "./direction.ts";
import { download } from "./download.ts";
import { type DataSource, type FileBytes, type FileSet, type LoadOptions, loadFiles } from "./file-set.ts";

const PARTS = { train: "train", validation: "val", test: "test_2016_flickr" } as const;

/** sha256 and size of what is in each file, by language and part. */
const CONTENTS = {
  de: {
    train: ["2c2b73fd2b548fbcde3a875e0a78d6ee94d498bfdee6bd3eae3945779e9ddf72", 2_110_398],
    validation: ["660e09eb7e1da2f856ea13ee5ad3cf6d36b3d5b0b733c857e94c5747a3dfc660", 75_981],
    test: ["4be6b5b3236b79c25475c6bb829800a7ce559e9ba7a1f6c2394fe4d40be46d16", 70_649],
  },
  en: {
    train: ["460a15fbd157e34a7a9957ee388c1ca247fe47af3ef25fb50442af6c274e0fc6", 1_801_238],
    validation: ["1f2a23d992769b5b3d209b0a10dd0b77c08cceb1f20dfb97ed0aafa49d107227", 63_297],
    test: ["399a4382932c1aadd3ceb9bef1008d388a64c76d4ae4e9d4728c6f4301cac182", 62_076],
  },
  fr: {
    train: ["5925a3c18f1587b6b54b87743106e6e8ab93618edb6f65d19eac0621f853a10d", 2_111_303],
    validation: ["5304e444d842e962b2dda4d816b70b22a1765b15401642b7ca37a67477e708dc", 73_924],
    test: ["cb3160d69b002bb638e66cc7612fcd56cb0af82eadc9c142dedc438afb885ef6", 72_261],
  },
} as const;

type Part = keyof typeof PARTS;
type Language = keyof typeof CONTENTS;
export const multi30kLanguages = Object.keys(CONTENTS) as Language[];
const parts = Object.keys(PARTS) as Part[];

const fileName = (part: Part, language: Language) => `${PARTS[part]}.${language}.gz`;
const fileNames = multi30kLanguages.flatMap((language) => parts.map((part) => fileName(part, language)));

function mirror(base: string): DataSource {
  return {
    name: base,
    async fetch({ workFolder, progress }) {
      const files: FileBytes = new Map();
      for (const name of fileNames) {
        const limit = 16 * 1024 * 1024;
        files.set(
          name,
          await download({ url: base + name, folder: workFolder, name: `multi30k-${name}`, limit, progress }),
        );
      }
      return files;
    },
  };
}

/** Multi30k (Elliott, Frank, Sima'an & Specia 2016; French: Elliott et al. 2017): task 1 in German, English, French. */
export const multi30kFiles: FileSet = {
  name: "multi30k",
  title: "Multi30k",
  files: multi30kLanguages.flatMap((language) =>
    parts.map((part) => {
      const [hex, bytes] = CONTENTS[language][part];
      return { name: fileName(part, language), checksum: { algorithm: "sha256" as const, hex }, bytes };
    }),
  ),
  folders: ["multi30k"],
  sources: [
    mirror("https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/"),
    mirror("https://cdn.jsdelivr.net/gh/multi30k/dataset@master/data/task1/raw/"),
  ],
};

/**
 * Multi30k: what pictures show, in a sentence: 29,000 pairs to train on, 1,014 to validate on, and the 1,000 of the test
 * set of 2016 (flickr).
 *
 * @param options `direction`: two of de, en and fr, as in "de-en"
 * @throws InputError as `loadFiles` does, and for another direction
 */
export async function loadMulti30k(
  { direction = "de-en", ...options }: LoadOptions & { direction?: string } = {},
  files: FileSet = multi30kFiles,
): Promise<PairDataset> {
  const [source, target] = checkDirection(direction, multi30kLanguages, files.name);
  const bytes = await loadFiles(files, options);
  const textOf = (name: string) => decodeText(bytes.get(name) as Uint8Array, name);
  const pairsOf = (part: Part) => {
    const names: [string, string] = [fileName(part, source), fileName(part, target)];
    return alignLines([textOf(names[0]), textOf(names[1])], names);
  };
  return {
    name: files.name,
    source,
    target,
    train: pairsOf("train"),
    validation: pairsOf("validation"),
    test: pairsOf("test"),
  };
}

/** The orders of three. */
const ORDERS = [
  [0, 1, 2],
  [1, 2, 0],
  [2, 0, 1],
  [0, 2, 1],
  [2, 1, 0],
  [1, 0, 2],
] as const;

/**
 * Multi30k as documents: what is said about one picture in German, English and French. A word that is hidden in one
 * language may stand in another (Conneau & Lample 2019, "Cross-lingual language model pretraining", sec. 3.3). Each sixth
 * of the documents has another order of languages, and is a group.
 *
 * @throws InputError as `loadFiles` does
 */
export async function loadMulti30kDocuments(
  options: LoadOptions = {},
  files: FileSet = multi30kFiles,
): Promise<DocumentDataset> {
  const sentences = await sentencesOf(options, files);
  const groupsOf = (part: Part): Documents[] =>
    ORDERS.map((order, group) => {
      const spoken = order.map((place) => sentences(part, multi30kLanguages[place]));
      const pictures = spoken[0].map((_, picture) => spoken.map((lines) => lines[picture]));
      return pictures.filter((_, picture) => picture % ORDERS.length === group);
    });
  return { name: files.name, train: groupsOf("train"), validation: groupsOf("validation") };
}

/**
 * The sentences of Multi30k, each with its language for a label: 87,000 to train on, 3,042 to validate on, and the 3,000
 * of the test set of 2016 (flickr).
 *
 * @throws InputError as `loadFiles` does
 */
export async function loadMulti30kLanguages(
  options: LoadOptions = {},
  files: FileSet = multi30kFiles,
): Promise<LabelledTextDataset> {
  const sentences = await sentencesOf(options, files);
  const labelledIn = (part: Part) => {
    const all = multi30kLanguages.map((language) => sentences(part, language));
    const target = all.flatMap((lines, i) => lines.map(() => multi30kLanguages[i]));
    return labelled({ source: all.flat(), target }, multi30kLanguages);
  };
  return {
    name: `${files.name}-languages`,
    classes: multi30kLanguages,
    train: labelledIn("train"),
    validation: labelledIn("validation"),
    test: labelledIn("test"),
  };
}

/** The sentences of each part and language, as many of a part in each. */
async function sentencesOf(
  options: LoadOptions,
  files: FileSet,
): Promise<(part: Part, language: Language) => readonly string[]> {
  const bytes = await loadFiles(files, options);
  const textOf = (name: string) => decodeText(bytes.get(name) as Uint8Array, name);
  return (part, language) => {
    // Aligned with a first language's lines: all have as many then.
    const names: [string, string] = [fileName(part, multi30kLanguages[0]), fileName(part, language)];
    return alignLines([textOf(names[0]), textOf(names[1])], names).target;
  };
}
