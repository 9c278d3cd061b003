import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type * as tfl from "@tensorflow/tfjs-layers";
import { fromFloat32, loadWeights, readSafetensors, type SafeTensor, toFloat32 } from "@tfjs-zoo/models/weights";
import type { RunFolder } from "./runs/run-folder.ts";

const NAME = /^epoch-(\d+)\.safetensors$/;

/**
 * The weights of a run's last epochs, kept to be averaged at its end (Vaswani et al. 2017, sec. 6.1: the last five of
 * those written every ten minutes).
 */
export class LastWeights {
  private readonly folder: string;

  /** @param count epochs; 0 or 1 keeps none */
  constructor(
    run: RunFolder,
    private readonly count: number,
  ) {
    this.folder = join(run.dir, "checkpoints");
  }

  /** Keeps the weights of an epoch and lets go of what is no longer among the last. */
  async keep(epoch: number, save: (path: string) => Promise<unknown>): Promise<void> {
    if (this.count < 2) return;
    await save(join(this.folder, `epoch-${epoch}.safetensors`));
    for (const { number, path } of await this.files()) {
      if (number <= epoch - this.count || number > epoch) await rm(path, { force: true });
    }
  }

  /** Puts the mean of what is kept into the network, and lets go of it. */
  async average(model: tfl.LayersModel): Promise<void> {
    const files = await this.files();
    if (files.length < 2) return;
    const sums = new Map<string, { shape: readonly number[]; values: Float64Array }>();
    for (const { path } of files) {
      for (const [name, tensor] of readSafetensors(await readFile(path)).tensors) {
        const values = toFloat32(tensor);
        const sum = sums.get(name) ?? { shape: tensor.shape, values: new Float64Array(values.length) };
        sums.set(name, sum);
        for (const [i, value] of values.entries()) sum.values[i] += value / files.length;
      }
    }
    const tensors = [...sums].map(([name, { shape, values }]): [string, SafeTensor] => [
      name,
      { dtype: "F32", shape: [...shape], data: fromFloat32(Float32Array.from(values), "F32") },
    ]);
    loadWeights(model, { tensors: new Map(tensors), metadata: {} });
  }

  /** Removes what is kept. */
  async clear(): Promise<void> {
    for (const { path } of await this.files()) await rm(path, { force: true });
  }

  private async files(): Promise<{ number: number; path: string }[]> {
    const names = (await readdir(this.folder)).filter((name) => NAME.test(name));
    return names.map((name) => ({ number: Number(NAME.exec(name)?.[1]), path: join(this.folder, name) }));
  }
}
