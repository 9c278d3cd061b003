import { opAttrs, registerTensorflow } from "./backend.ts";

/** ∂L/∂x = ∂L/∂y [y > 0] in one pass. */
export function registerRelu(): void {
  registerTensorflow("ZooReluGrad", ({ dy, y }, _, backend) =>
    backend.executeSingleOutput("ReluGrad", opAttrs(backend, { T: { type: "float32" } }), [dy, y]),
  );
}
