import { UnsortedSegmentSum } from "@tensorflow/tfjs-core";
import { floats, registerWasm } from "./backend.ts";

/**
 * Sums rows by segment, the gradient of gather and of embeddings:
 *
 *   y[k, …] = Σ_{i : segment[i] = k} x[i, …]
 *
 * Rows of a segment that does not exist are dropped, as in TensorFlow.
 */
export function registerUnsortedSegmentSum(): void {
  registerWasm<{ numSegments: number }>(UnsortedSegmentSum, ({ inputs, attrs, backend }) => {
    const { x, segmentIds } = inputs;
    const { numSegments } = attrs;
    const inner = x.shape.slice(segmentIds.shape.length);
    const size = inner.reduce((product, n) => product * n, 1);
    const result = backend.makeOutput([numSegments, ...inner], x.dtype);
    // int32 and float32 are both summed as what they are: the view has the tensor's own type.
    const rows = floats(backend, x);
    const segments = backend.typedArrayFromHeap(segmentIds) as Int32Array;
    const sums = floats(backend, result);
    sums.fill(0);
    for (let i = 0; i < segments.length; i++) {
      const segment = segments[i];
      if (segment < 0 || segment >= numSegments) continue;
      const to = segment * size;
      const from = i * size;
      for (let k = 0; k < size; k++) sums[to + k] += rows[from + k];
    }
    return result;
  });
}
