import type { GeluAttrs } from "../../ops/gelu.ts";
import { elementwise, registerWebgpu } from "./backend.ts";

/** The Gaussian error linear unit, of the formulas in ops/gelu.ts, in one program forward and one backward. */
export function registerGelu(): void {
  registerWebgpu<GeluAttrs>("ZooGelu", ({ inputs: { x }, attrs: { approximation = "none" }, backend }) => {
    const program = elementwise(
      { variableNames: ["x"], outputShape: x.shape, shaderKey: `zooGelu_${approximation}` },
      `let value = x[index];
        ${cumulative[approximation]}
        setOutputAtIndex(index, value * share);`,
    );
    return [backend.runWebGPUProgram(program, [x], "float32"), x];
  });

  registerWebgpu<GeluAttrs>("ZooGeluGrad", ({ inputs: { dy, x }, attrs: { approximation = "none" }, backend }) => {
    const program = elementwise(
      { variableNames: ["dy", "x"], outputShape: x.shape, shaderKey: `zooGeluGrad_${approximation}` },
      `let value = x[index];
        ${cumulative[approximation]}
        let density = ${density[approximation]};
        setOutputAtIndex(index, dy[index] * (share + value * density));`,
    );
    return [backend.runWebGPUProgram(program, [dy, x], "float32")];
  });
}

/**
 * Φ of `value`, as `share`. erf is Abramowitz & Stegun's 7.1.26, within 1.5e-7, as tfjs has it; tanh is written with a
 * power that can't overflow, since a device's own may give NaN for large numbers.
 */
const cumulative = {
  none: `let size = abs(value) * ${Math.SQRT1_2};
        let t = 1.0 / (1.0 + 0.3275911 * size);
        let series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
        let share = 0.5 * (1.0 + sign(value) * (1.0 - series * exp(-size * size)));`,
  tanh: `let u = ${Math.sqrt(2 / Math.PI)} * value * (1.0 + 0.044715 * value * value);
        let power = exp(-2.0 * abs(u));
        let bent = sign(u) * (1.0 - power) / (1.0 + power);
        let share = 0.5 * (1.0 + bent);`,
};

/** φ of `value` */
const density = {
  none: `${1 / Math.sqrt(2 * Math.PI)} * exp(-0.5 * value * value)`,
  tanh: `0.5 * (1.0 - bent * bent) * ${Math.sqrt(2 / Math.PI)} * (1.0 + 0.134145 * value * value)`,
};
