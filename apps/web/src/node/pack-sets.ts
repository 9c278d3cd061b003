import { createHash } from "node:crypto";
import { type LoadDatasetOptions, loadDataset } from "@tfjs-zoo/datasets/node";
import { type PackedImages, type PackedSet, packImages } from "../train/packed-set.ts";

/** What the page trains on. */
const names = ["cifar10", "mnist"];
/** Images of each unless all are asked for: enough to learn from, and soon fetched. */
const FEW = { train: 10_000, test: 1_000 };

/** Data sets and their files, to go into the site. */
export interface Packed {
  sets: PackedSet[];
  files: { name: string; bytes: Uint8Array }[];
  /** Data sets that can't be had, and why. */
  missing: { name: string; why: string }[];
}

/**
 * Packs the data sets that this machine has.
 *
 * @param full all images, not only the first few
 * @param options.offline false: what this machine has not got is fetched
 */
export async function packSets(full: boolean, options: LoadDatasetOptions): Promise<Packed> {
  const packed: Packed = { sets: [], files: [], missing: [] };
  for (const name of names) {
    try {
      const { classes, shape, mean, std, ...parts } = await loadDataset(name, options);
      const pack = async (part: "train" | "test"): Promise<PackedImages> => {
        const count = full ? parts[part].count : Math.min(FEW[part], parts[part].count);
        const bytes = await packImages(parts[part], count);
        const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 8);
        const file = `data/${name}-${part}-${hash}.bin`;
        packed.files.push({ name: file, bytes });
        return { file, count };
      };
      packed.sets.push({ name, classes, shape, mean, std, train: await pack("train"), test: await pack("test") });
    } catch (error) {
      if ((error as Error).name !== "InputError") throw error;
      packed.missing.push({ name, why: (error as Error).message });
    }
  }
  return packed;
}
