import * as tf from "@tensorflow/tfjs-core";
import { Dense } from "./dense.ts";

/** A dense layer under the name that GPT-2 has for it; its files keep the weight as [in, units]. */
export class Conv1D extends Dense {
  static override readonly className = "ZooConv1D";
}
tf.serialization.registerClass(Conv1D);
