import type * as tfl from "@tensorflow/tfjs-layers";
import { onlyShape } from "./shapes.ts";
import { ZooLayer } from "./zoo-layer.ts";

/** A layer of one input whose output has its shape. */
export abstract class ElementWise extends ZooLayer {
  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return onlyShape(inputShape);
  }
}
