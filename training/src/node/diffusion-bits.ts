import type * as tfl from "@tensorflow/tfjs-layers";
import type { ImageDataset, ImageSet } from "@tfjs-zoo/datasets";
import { plainImages } from "../loop/image-batches.ts";
import { type BitsMeasure, evaluateBits } from "../tasks/diffusion-bits.ts";
import type { DiffusionInfo } from "../tasks/diffusion-weights.ts";

/** Test images that bits are measured on at most, how many at a time, and times beside the first: minutes, not hours. */
const IMAGES = 200;
const BATCH = 25;
const TIMES = 50;

/** Bits per dimension of the first test images of a data set; see `evaluateBits`. */
export async function measureBits(
  model: tfl.LayersModel,
  info: DiffusionInfo,
  { test }: ImageDataset,
  onTest: (images: number, total: number) => void = () => {},
): Promise<BitsMeasure> {
  const count = Math.min(IMAGES, test.count);
  const some: ImageSet = { ...test, count, read: (indices, into) => test.read(indices, into) };
  const batches = plainImages(some, BATCH, "-1 to 1");
  return evaluateBits(model, info, batches, count, { times: TIMES, seed: 0, onTime: onTest });
}
