import { readFile } from "node:fs/promises";
import { InputError } from "@tfjs-zoo/models";
import { readSafetensors, toFloat32, writeSafetensors } from "@tfjs-zoo/models/weights";
import type { Position } from "../loop/fit.ts";
import type { TrainerState } from "../loop/trainer.ts";
import { writeFileAtomic } from "./runs/atomic-write.ts";

/** All that a training needs to go on: vectors, how many steps were taken, and the place in the data. */
export interface Checkpoint {
  state: TrainerState;
  step: number;
  position: Position;
}

/**
 * Writes a checkpoint as safetensors, whole or not at all; an earlier one stays until then.
 *
 * The learning rate, the shuffling and every random draw follow from the seed, the step and the position, so that
 * nothing else has to be kept.
 */
export async function saveCheckpoint(path: string, model: string, { state, step, position }: Checkpoint) {
  const tensors = Object.entries(state).map(([name, values]) => {
    const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return [name, { dtype: "F32" as const, shape: [values.length], data }] as const;
  });
  const metadata = { kind: "tfjs-zoo checkpoint", model, step: String(step), position: JSON.stringify(position) };
  await writeFileAtomic(path, writeSafetensors(new Map(tensors), metadata));
}

/**
 * @returns the checkpoint, or undefined where there is none yet
 * @throws InputError when the file is damaged or holds something else
 */
export async function loadCheckpoint(path: string): Promise<Checkpoint | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new InputError(`can't read the checkpoint ${path}: ${(error as Error).message}`);
  }
  try {
    const { tensors, metadata } = readSafetensors(bytes);
    const step = Number(metadata.step);
    if (metadata.kind !== "tfjs-zoo checkpoint" || !Number.isInteger(step)) throw new InputError("it is no checkpoint");
    const state = Object.fromEntries([...tensors].map(([name, tensor]) => [name, toFloat32(tensor).slice()]));
    return { state, step, position: JSON.parse(metadata.position) as Position };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new InputError(`the checkpoint ${path} can't be used: ${why}; delete it to start the run again`);
  }
}
