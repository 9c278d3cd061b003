import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { findModel, InputError } from "@tfjs-zoo/models";
import { isSoftwareDevice } from "@tfjs-zoo/models/kernels/webgpu";
import { runtimeArguments } from "../node/backends/ask-child.ts";
import { type BackendName, backendNames, type Progress, setupNative } from "../node/backends/index.ts";
import { oneLine } from "../node/backends/one-line.ts";
import { alternate } from "./alternate.ts";
import { type BenchEnvironment, benchEnvironment } from "./bench-environment.ts";
import { otherLoad } from "./busy.ts";
import { checkChoice } from "./check-choice.ts";
import { Contestant, type ContestantCommand, type Ready } from "./contestant.ts";
import { type PeerRate, peerRateOf, type Rate, rateOf } from "./statistics.ts";
import { peerPython } from "./torch-peer.ts";
import { precisionNames, unitOf } from "./workload.ts";

/** What is measured: whole training steps, or a network's outputs. */
export type BenchTask = "train" | "infer";

/** What we are measured against: `unfolded` is our own network as it was trained. */
export const peerNames = { train: ["stock", "torch", "chromium"], infer: ["unfolded", "torch"] } as const;

export type PeerName = (typeof peerNames)[BenchTask][number];

export interface BenchSpeedOptions {
  model: string;
  /** Default "train". */
  task?: BenchTask;
  /** Default "auto": the best that works. */
  backend?: string;
  /** Default "f32". "bf16" needs `tensorflow` and a processor that multiplies it. */
  precision?: string;
  /** Images a step. Default 128 on tensorflow, 32 elsewhere. */
  batch?: number;
  /** Names of peers: "stock" is tf.layers with `optimizer.minimize`, "torch" PyTorch. */
  peers?: readonly string[];
  /** PyTorch's side: the script that speaks the protocol, and the Python that runs it. */
  torch?: { script: string; python?: string };
  /** The browser's side: a program that speaks the protocol and takes model, backend and batch. */
  chromium?: string;
  /** Timed steps of each. Default 30. */
  steps?: number;
  progress?: Progress;
}

export interface BenchSpeedResult {
  task: BenchTask;
  model: string;
  backend: string;
  precision: string;
  /** images or texts a step */
  batch: number;
  /** what rates count */
  unit: "images" | "tokens";
  ours: Rate;
  peers: { [name in PeerName]?: PeerRate };
  /** lines on what could not be measured, and on what makes the figures doubtful */
  notes: string[];
  environment: BenchEnvironment & {
    /** cores that other programs kept at work just before or just after, whichever is more */
    busy_cores: number;
    /** of each contestant */
    threads: { [name: string]: number };
    versions: { [name: string]: { [name: string]: string } };
  };
}

/**
 * Measures whole training steps (forward, loss, backward, SGD with momentum, loss read back) on a fixed batch of noise:
 * ours and the peers', in processes of their own that take turns. Or, as `infer`, a network's outputs in inference mode,
 * read back: ours with its batch norms folded into the convolutions.
 *
 * @throws InputError in one line for an unknown model, backend, precision or peer, a batch or a number of steps that is
 *   none, and for a contestant that does not start, crashes or hangs; the others are ended then
 */
export async function benchSpeed(options: BenchSpeedOptions): Promise<BenchSpeedResult> {
  const { model, task = "train", backend = "auto", precision = "f32", batch, steps = 30, progress } = options;
  const entry = findModel(model);
  checkChoice("backend", backend, ["auto", ...backendNames]);
  checkChoice("precision", precision, precisionNames);
  if (batch !== undefined) checkCount("--batch", batch);
  checkCount("--steps", steps);
  const peers = [...new Set(options.peers ?? [])].map((peer) => checkChoice<string>("peer", peer, peerNames[task]));
  const torch = peers.includes("torch") ? torchCommand(options) : undefined;
  await prepareNative(backend, progress);
  const loadBefore = await otherLoad();

  const contestants: Contestant[] = [];
  const readies: { [name: string]: Ready } = {};
  const enter = async (command: ContestantCommand): Promise<Ready> => {
    progress?.({ label: `Starting ${command.name}`, done: contestants.length, total: peers.length + 1, unit: "items" });
    const contestant = new Contestant(command);
    contestants.push(contestant);
    const ready = await contestant.ready();
    // A network of text is measured in the peers' configuration, whose size is ours to say.
    const params = readies.ours?.params ?? (entry.task === "classification" ? entry.params : ready.params);
    if (ready.params !== params) {
      throw new InputError(`${command.name} trains ${ready.params} parameters, ${model} has ${params}: not the same`);
    }
    readies[command.name] = ready;
    return ready;
  };

  const killAll = () => Promise.all(contestants.map((contestant) => contestant.kill()));
  try {
    const size = String(batch ?? "");
    const form = task === "train" ? "train" : "folded";
    const ours = await enter(ownCommand("ours", "ours", [model, backend, size, precision, form]));
    const used = ours.backend as BackendName;
    const onCard = ours.device !== undefined && !isSoftwareDevice(ours.device);
    const notes =
      ours.device === undefined || onCard ? [] : [`ours ran on ${ours.device}: no figure of a graphics card`];
    if (peers.includes("stock")) {
      if (precision === "bf16") notes.push("stock: TensorFlow.js itself has no bf16");
      else if (used === "wasm") notes.push("stock: TensorFlow.js's own wasm backend can't train a convolution");
      else await enter(ownCommand("stock", "stock", [model, used, String(ours.batch)]));
    }
    if (peers.includes("unfolded")) {
      await enter(ownCommand("unfolded", "ours", [model, used, String(ours.batch), precision, "unfolded"]));
    }
    if (peers.includes("chromium")) {
      if (used !== "wasm" && used !== "webgpu") {
        throw new InputError(`--peer chromium needs --backend wasm or webgpu: ${used} does not run in a browser`);
      }
      if (options.chromium === undefined) throw new InputError("no program that runs Chromium was given");
      await enter(programCommand("chromium", options.chromium, [model, used, String(ours.batch)]));
    }
    if (torch) {
      const threads = (used === "tensorflow" && ours.threads) || availableParallelism();
      const device = onCard ? "gpu" : "cpu";
      const flags = { model, task, batch: ours.batch, precision, threads, device };
      await enter({
        ...torch,
        args: [...torch.args, ...Object.entries(flags).flatMap(([k, v]) => [`--${k}`, `${v}`])],
      });
    }
    const times = await alternate(contestants, {
      steps,
      onTurn: (name, done, total) => progress?.({ label: `Measuring ${name}`, done, total, unit: "items" }),
    });
    await killAll();
    const busy = Math.max(loadBefore, await otherLoad());
    if (busy > busyLimit) notes.push(busyNote(busy));
    const items = ours.items ?? ours.batch;
    const rates = Object.fromEntries(
      contestants.slice(1).map(({ name }, i) => [name, peerRateOf(times[i + 1], times[0], items)]),
    );
    return {
      task,
      model,
      backend: used,
      precision,
      batch: ours.batch,
      unit: unitOf(model),
      ours: rateOf(times[0], items),
      peers: rates,
      notes,
      environment: environment(readies, busy),
    };
  } finally {
    await killAll();
  }
}

/** Cores that other programs may keep at work before the figures count as doubtful. */
const busyLimit = 0.3;

function busyNote(busy: number): string {
  return `other programs kept ${busy.toFixed(1)} cores busy: the figures are doubtful, PyTorch's most (its threads wait for each other)`;
}

function checkCount(flag: string, value: number): void {
  if (!Number.isInteger(value) || value < 1)
    throw new InputError(`${flag} ${value}: give a whole number of at least 1`);
}

/** Contestants start in a moment: what there is to download and compile comes before. */
async function prepareNative(backend: string, progress: Progress | undefined): Promise<void> {
  try {
    if (backend === "tensorflow") await setupNative({ progress });
    if (backend === "auto") await setupNative({ progress, again: false }).catch(() => {});
  } catch (error) {
    throw new InputError(`the ${backend} backend does not start here: ${oneLine(error)}`);
  }
}

/** One of the contestants beside this file. */
function ownCommand(name: string, program: "ours" | "stock", args: readonly string[]): ContestantCommand {
  const file = fileURLToPath(new URL(`./contestants/${program}${extname(import.meta.url)}`, import.meta.url));
  return programCommand(name, file, args);
}

const programCommand = (name: string, file: string, args: readonly string[]): ContestantCommand => ({
  name,
  command: process.execPath,
  args: [...runtimeArguments(file), file, ...args],
});

function torchCommand({ torch }: BenchSpeedOptions): ContestantCommand {
  if (torch === undefined || !existsSync(torch.script)) {
    throw new InputError(
      `no PyTorch script${torch ? ` at ${torch.script}` : ""}: it is test/bench/peers/torch_train.py of the repository`,
    );
  }
  return { name: "torch", command: peerPython(torch.python), args: [torch.script] };
}

function environment(readies: { [name: string]: Ready }, busy: number): BenchSpeedResult["environment"] {
  const of = <T>(pick: (ready: Ready) => T | undefined): { [name: string]: T } =>
    Object.fromEntries(
      Object.entries(readies).flatMap(([name, ready]) => {
        const value = pick(ready);
        return value === undefined ? [] : [[name, value]];
      }),
    );
  return {
    ...benchEnvironment(readies.ours?.device),
    busy_cores: Number(busy.toFixed(2)),
    threads: of(({ threads }) => threads),
    versions: of(({ versions }) => versions),
  };
}
