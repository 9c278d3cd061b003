import { InputError } from "../errors.ts";
import type { ImageDataset } from "../types.ts";
import { CIFAR_SHAPE, imagesOfRecords } from "./cifar-records.ts";
import { download } from "./download.ts";
import { type DataSource, type FileSet, type LoadOptions, loadFiles } from "./file-set.ts";
import { readTar, ungzip } from "./tar.ts";

const ARCHIVE = "cifar-100-binary.tar.gz";
const ARCHIVE_URL = `https://www.cs.toronto.edu/~kriz/${ARCHIVE}`;
const MD5 = { algorithm: "md5", hex: "03b5dce01913d631647c71ecec9e9cb8" } as const;
/** Both files and what comes with them, with some room. */
const UNPACKED_LIMIT = 256 * 1024 * 1024;

const officialArchive: DataSource = {
  name: ARCHIVE_URL,
  async fetch({ workFolder, progress }) {
    const limit = UNPACKED_LIMIT;
    const archive = await download({
      url: ARCHIVE_URL,
      folder: workFolder,
      name: ARCHIVE,
      checksum: MD5,
      limit,
      progress,
    });
    return new Map([[ARCHIVE, archive]]);
  },
};

/** CIFAR-100 (Krizhevsky 2009): the official archive, which is the one thing of it that has a published checksum. */
export const cifar100Files: FileSet = {
  name: "cifar100",
  title: "CIFAR-100",
  files: [{ name: ARCHIVE, checksum: MD5, bytes: 168_513_733, packed: true }],
  folders: ["cifar100", "cifar-100"],
  sources: [officialArchive],
};

/** A record's coarse label comes first. */
const records = { labels: 2, at: 1, classes: 100 };

/**
 * CIFAR-100: 50,000 training and 10,000 test images, 32x32x3, a hundred classes (the fine labels).
 *
 * @throws InputError as `loadFiles` does
 */
export async function loadCifar100(options: LoadOptions = {}, files: FileSet = cifar100Files): Promise<ImageDataset> {
  const archive = (await loadFiles(files, options)).get(ARCHIVE) as Uint8Array;
  const entries = readTar(await ungzip(archive, ARCHIVE, UNPACKED_LIMIT), ARCHIVE);
  const imagesOf = (name: string) => {
    const bytes = entries.get(`cifar-100-binary/${name}`);
    if (!bytes) throw new InputError(`${ARCHIVE} lacks cifar-100-binary/${name}: fetch it again`);
    return imagesOfRecords([bytes], records, name);
  };
  return {
    name: "cifar100",
    classes,
    shape: CIFAR_SHAPE,
    mean: [0.5071, 0.4865, 0.4409],
    std: [0.2673, 0.2564, 0.2762],
    train: imagesOf("train.bin"),
    test: imagesOf("test.bin"),
  };
}

/** The fine labels, in the order of their numbers: alphabetical. */
const classes = `
  apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
  caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish
  forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
  mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
  possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
  sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale
  willow_tree wolf woman worm`
  .trim()
  .split(/\s+/);
