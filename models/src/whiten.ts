import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { InputError } from "./errors.ts";
import { Conv2D } from "./layers/index.ts";

/** Added to a variance before its root: directions in which patches hardly vary are noise, and must not be blown up. */
const EPSILON = 5e-4;

/**
 * Lets a network's first convolution whiten what it sees, and keeps its filters so: nothing has to be learned about how
 * neighbouring pixels depend on each other (Coates & Ng 2011; as a convolution's filters: Page 2019, Jordan 2024, sec. 3.2).
 *
 *   filters 2i and 2i + 1 = ± eᵢ / √(λᵢ + ε)        E[p pᵀ] eᵢ = λᵢ eᵢ, over patches p of the filters' size
 *
 * @param images [count, height, width, channels], normalised as for training
 * @throws InputError unless the first convolution has two filters for each direction of a patch
 */
export function whitenFirstConvolution(
  model: tfl.LayersModel,
  images: Float32Array,
  [count, height, width, channels]: readonly [number, number, number, number],
): void {
  const conv = model.layers.find((layer) => layer instanceof Conv2D);
  const weight = conv?.weights.find(({ shape }) => shape.length === 4);
  const [kh = 0, kw = 0, inputs = 0, filters = 0] = (weight?.shape ?? []) as number[];
  const directions = kh * kw * inputs;
  if (weight === undefined || inputs !== channels || filters !== 2 * directions) {
    throw new InputError(
      `can't whiten ${model.name}: its first convolution has ${filters} filters of ${kh}x${kw}x${inputs}; expected ` +
        `${2 * kh * kw * channels}, two for each direction of a patch (as airbench94 has)`,
    );
  }
  const moments = patchMoments(images, [count, height, width, channels], [kh, kw]);
  const { realEigenvalues: lambda, eigenvectorMatrix: e } = new EigenvalueDecomposition(moments, {
    assumeSymmetric: true,
  });
  const values = new Float32Array(directions * filters);
  for (let p = 0; p < directions; p++) {
    for (let i = 0; i < directions; i++) {
      const scaled = e.get(p, i) / Math.sqrt(lambda[i] + EPSILON);
      values[p * filters + 2 * i] = scaled;
      values[p * filters + 2 * i + 1] = -scaled;
    }
  }
  const filter = tf.tensor(values, [kh, kw, inputs, filters]);
  weight.write(filter);
  weight.trainable = false;
  filter.dispose();
}

/** E[p pᵀ] over all patches of all images: [kh · kw · channels] squared. */
function patchMoments(
  images: Float32Array,
  [count, height, width, channels]: readonly [number, number, number, number],
  [kh, kw]: readonly [number, number],
): Matrix {
  const offsets: number[] = [];
  for (let u = 0; u < kh; u++) {
    for (let v = 0; v < kw; v++) {
      for (let c = 0; c < channels; c++) offsets.push((u * width + v) * channels + c);
    }
  }
  const size = offsets.length;
  const sums = new Float64Array(size * size);
  for (let n = 0; n < count; n++) {
    for (let y = 0; y <= height - kh; y++) {
      for (let x = 0; x <= width - kw; x++) {
        const at = ((n * height + y) * width + x) * channels;
        for (let i = 0; i < size; i++) {
          const value = images[at + offsets[i]];
          for (let j = 0; j <= i; j++) sums[i * size + j] += value * images[at + offsets[j]];
        }
      }
    }
  }
  const patches = count * (height - kh + 1) * (width - kw + 1);
  const moments = new Matrix(size, size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      moments.set(i, j, sums[i * size + j] / patches);
      moments.set(j, i, sums[i * size + j] / patches);
    }
  }
  return moments;
}
