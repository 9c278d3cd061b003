import * as tf from "@tensorflow/tfjs-core";

const batch = 32;
const size = 32;
const channels = 64;
/** A multiply and an add for each of 3x3x64 weights, for each of 64 outputs at each pixel. */
const flops = 2 * 9 * channels * channels * size * size * batch;

export const measuredWork = `3x3 convolution, ${channels} to ${channels} channels, ${batch}x${size}x${size}, f32, forward`;

/**
 * The current backend's speed at a typical convolution, in GFLOP/s: the median of as many runs as fit into a second
 * and a half after a warm-up run (one, without a warm-up, where a run takes longer than that).
 */
export async function measureGflops(): Promise<number> {
  const x = tf.randomUniform<tf.Rank.R4>([batch, size, size, channels]);
  const filter = tf.randomUniform<tf.Rank.R4>([3, 3, channels, channels]);
  // A backend that is slower than this by orders of magnitude works on a 32nd of the batch.
  const probe = tf.slice(x, [0, 0, 0, 0], [1, size, size, channels]);
  const run = async (input: tf.Tensor4D) => {
    const before = performance.now();
    const y = tf.conv2d(input, filter, 1, "same");
    const one = tf.slice(y, [0, 0, 0, 0], [1, 1, 1, 1]);
    await one.data();
    const seconds = (performance.now() - before) / 1000;
    tf.dispose([y, one]);
    return seconds;
  };
  try {
    const first = await run(probe);
    if (first * batch > 30) return flops / batch / first / 1e9;
    await run(x);
    const seconds: number[] = [];
    const end = performance.now() + 1500;
    do seconds.push(await run(x));
    while (performance.now() < end);
    seconds.sort((a, b) => a - b);
    return flops / seconds[Math.floor(seconds.length / 2)] / 1e9;
  } finally {
    tf.dispose([x, filter, probe]);
  }
}
