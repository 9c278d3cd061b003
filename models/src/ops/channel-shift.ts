import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors.ts";
import { differentiable, type Op } from "./differentiable.ts";

export type ChannelShiftInputs = { x: tf.Tensor; shift: tf.Tensor };

/**
 * Adds to every pixel of an image one vector, each image its own: how a U-Net is told the time (Ho, Jain & Abbeel 2020,
 * app. B).
 *
 *   y[n, i, j, c] = x[n, i, j, c] + s[n, c]        ∂L/∂x = ∂L/∂y        ∂L/∂s[n, c] = Σ_{i,j} ∂L/∂y[n, i, j, c]
 *
 * @param x [batch, height, width, channels]  @param shift s [batch, channels]
 * @returns the shape of x
 * @throws InputError when the shapes don't fit
 */
export const channelShift: Op<ChannelShiftInputs, object> = differentiable("ChannelShift", {
  gradients: ["x", "shift"],

  forward({ x, shift }: ChannelShiftInputs) {
    const [batch, channels] = [x.shape[0], x.shape[3] as number];
    if (!tf.util.arraysEqual(shift.shape, [batch, channels])) {
      throw new InputError(
        `channelShift got x [${x.shape}] and shift [${shift.shape}]; expected [${batch}, ${channels}]`,
      );
    }
    return { output: tf.add(x, tf.reshape(shift, [batch, 1, 1, channels])), saved: {} };
  },

  backward(dy) {
    return { x: dy, shift: () => tf.sum(dy, [1, 2]) };
  },
});
