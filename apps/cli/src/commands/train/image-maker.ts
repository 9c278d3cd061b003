import type { ImageDataset } from "@tfjs-zoo/datasets";
import { loadDataset } from "@tfjs-zoo/datasets/node";
import type { EpochEvent, ImageMakerTraining, RunFolder } from "@tfjs-zoo/training/node";
import { asUsage, type Output } from "../../context.ts";
import { goesOnText, shown, stepsShown } from "../training.ts";
import type { TrainFlags } from "./flags.ts";
import { machineFor, trainInRun } from "./runs.ts";

/** What a run of a network that makes images is asked to do, whichever it is. */
export interface ImagePlan {
  [more: string]: unknown;
  model: string;
  dataset: string;
  recipeName: string;
  recipe: { epochs: number };
  seed: number;
  full: boolean;
  precision: string;
}

/** What tells such trainings apart. */
interface Kind<Plan extends ImagePlan, Result> {
  /** @throws InputError for flags that do not fit */
  planOf(): Plan;
  /** of the pictures of a folder: [height, width, channels] */
  sizeFor(plan: Plan): readonly [number, number, number];
  train(training: ImageMakerTraining): Promise<Result | undefined>;
  /** What is said of the network and what it learns, when it begins. */
  about(plan: Plan, dataset: ImageDataset): string;
  epochText(event: EpochEvent, epochs: number): string;
  finish(run: RunFolder, result: Result, output: Output): void;
}

/** Trains a network that makes images: in a run that goes on, or in a new one. */
export async function trainImageMakerIn<Plan extends ImagePlan, Result>(
  open: RunFolder | undefined,
  flags: TrainFlags,
  output: Output,
  { planOf, sizeFor, train, about, epochText, finish }: Kind<Plan, Result>,
): Promise<void> {
  const plan = open ? (open.config as unknown as Plan) : asUsage(planOf);
  const machine = await machineFor(open, plan.precision, flags, output);
  const { precision, within } = machine;
  const size = plan.dataset.startsWith("folder:") ? sizeFor(plan) : undefined;
  const dataset = await loadDataset(plan.dataset, { size, unlabelled: true, progress: output.progress.update });
  if (dataset.note) output.line(dataset.note);
  const config = { ...plan, recipe: { ...plan.recipe } };
  const { epochs } = plan.recipe;
  await trainInRun(
    { open, config, flags, machine, output },
    (run, going) =>
      train({
        ...{ run, dataset, within, ...going },
        onStart({ resumedAt, images, heldOut }) {
          const held = heldOut > 0 ? `, ${heldOut.toLocaleString("en")} held out` : "";
          output.line(
            `${plan.model} on ${dataset.name}, ${about(plan, dataset)}, recipe ${plan.recipeName}, ${precision}, seed ${plan.seed}: ${images.toLocaleString("en")} images${held}: ${shown(run.dir)}`,
          );
          if (resumedAt) output.line(goesOnText(resumedAt));
        },
        onStep: stepsShown(output, epochs, "images"),
        onEpoch: (event) => output.line(epochText(event, epochs)),
        onTest: (done, total) => output.progress.update({ label: "testing", done, total, unit: "items" }),
      }),
    finish,
  );
}
