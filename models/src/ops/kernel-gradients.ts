import * as tf from "@tensorflow/tfjs-core";

type Attrs = { [name: string]: unknown };

let registered = false;

/**
 * Gradients of stock kernels that TensorFlow.js has none of, and that the backward passes here are made of: a gradient of
 * a gradient needs them. Those that somebody else has registered are left alone.
 */
export function registerKernelGradients(): void {
  if (registered) return;
  registered = true;
  for (const gradient of gradients) {
    if (tf.getGradient(gradient.kernelName) === undefined) tf.registerGradient(gradient);
  }
}

const gradients: tf.GradConfig[] = [
  {
    // Linear in x and in ∂L/∂y: what comes back is a filter w′, and with it ∂/∂x is a convolution's gradient, ∂/∂(∂L/∂y) a convolution.
    kernelName: tf.Conv2DBackpropFilter,
    inputsToSave: ["x", "dy"],
    gradFunc: (filter, [x, dy], attrs) => ({
      x: () => run(tf.Conv2DBackpropInput, { dy, filter: filter as tf.Tensor }, { ...attrs, inputShape: x.shape }),
      dy: () => run(tf.Conv2D, { x, filter: filter as tf.Tensor }, { dilations: 1, ...attrs }),
    }),
  },
  {
    // Linear in ∂L/∂y, whatever the images are.
    kernelName: tf.AvgPoolGrad,
    inputsToSave: ["input"],
    gradFunc: (change, [input], attrs) => ({
      dy: () => run(tf.AvgPool, { x: change as tf.Tensor }, attrs),
      input: () => tf.zerosLike(input),
    }),
  },
  {
    kernelName: tf.StridedSlice,
    inputsToSave: ["x"],
    gradFunc: (dy, [x], attrs) => ({ x: () => spread(dy as tf.Tensor, x.shape, attrs) }),
  },
];

function run(kernel: string, inputs: tf.NamedTensorMap, attrs: Attrs): tf.Tensor {
  return tf.engine().runKernel(kernel, inputs, attrs as unknown as tf.NamedAttrMap) as tf.Tensor;
}

/** Puts what every s-th place gave back there, and zeros elsewhere: the shape of `dy` -> `shape`. */
function spread(dy: tf.Tensor, shape: readonly number[], attrs: Attrs): tf.Tensor {
  const { begin, strides } = attrs as { begin: number[]; strides: number[] };
  const masks = ["beginMask", "endMask", "ellipsisMask", "newAxisMask", "shrinkAxisMask"];
  if (masks.some((mask) => attrs[mask] !== 0) || [...begin, ...strides.map((s) => s - 1)].some((n) => n < 0)) {
    throw new Error("the gradient of tf.stridedSlice is there for slices that go forward and have no masks");
  }
  return shape.reduce<tf.Tensor>((values, size, axis) => {
    const [first, stride, count] = [begin[axis], strides[axis], values.shape[axis]];
    const [before, after] = [values.shape.slice(0, axis), values.shape.slice(axis + 1)];
    const inner = tf.util.sizeFromShape(after);
    const apart = tf.pad(tf.reshape(values, [-1, 1, inner]), [
      [0, 0],
      [0, stride - 1],
      [0, 0],
    ]); // [before · count, stride, inner]
    const span = (count - 1) * stride + 1;
    const kept = tf.slice(tf.reshape(apart, [-1, count * stride, inner]), [0, 0, 0], [-1, span, -1]);
    const whole = tf.pad(kept, [
      [0, 0],
      [first, size - first - span],
      [0, 0],
    ]);
    return tf.reshape(whole, [...before, size, ...after]);
  }, dy);
}
