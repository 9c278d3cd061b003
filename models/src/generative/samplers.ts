import { ddimSample } from "./ddim-sampler.ts";
import { ddpmSample } from "./ddpm-sampler.ts";
import { dpmSolverSample } from "./dpm-solver.ts";

/** The samplers of diffusion, by name. */
export const samplers = { ddpm: ddpmSample, ddim: ddimSample, "dpm-solver": dpmSolverSample } as const;

export type SamplerName = keyof typeof samplers;
