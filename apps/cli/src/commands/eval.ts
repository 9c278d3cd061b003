import type { ImageDataset } from "@tfjs-zoo/datasets";
import { loadDataset } from "@tfjs-zoo/datasets/node";
import { InputError } from "@tfjs-zoo/models";
import {
  type ClassifierFile,
  type Evaluation,
  ensembleOf,
  inferenceNetworkOf,
  readClassifier,
  type TestViews,
  testViews,
} from "@tfjs-zoo/training/node";
import { type Command, Option } from "commander";
import {
  backendOption,
  type CommonFlags,
  createOutput,
  jsonOption,
  type Output,
  startBackendFor,
  threadsOption,
} from "../context.ts";
import { weightsFile } from "../target.ts";
import { formatTable } from "../terminal/table.ts";
import { onTestSet } from "./test-set.ts";
import { percent } from "./training.ts";

interface EvalFlags extends CommonFlags {
  dataset?: string;
  testViews: TestViews;
}

export function registerEval(program: Command): void {
  program
    .command("eval")
    .description("the accuracy of weights on a test set; of several, that of their ensemble too")
    .argument("<weights...>", "NAME.TAG, a run's folder or a .safetensors file")
    .option("--dataset <name>", "another test set than that of the weights' own data set")
    .addOption(
      new Option("--test-views <views>", "average over views of an image: itself, with its mirror image, both shifted")
        .choices(testViews)
        .default("plain"),
    )
    .addOption(backendOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(evaluateWeights);
}

async function evaluateWeights(targets: string[], flags: EvalFlags): Promise<void> {
  const output = createOutput(flags);
  const files: ClassifierFile[] = [];
  for (const target of targets) files.push(await readClassifier(await weightsFile(target)));
  for (const [i, { info }] of files.entries()) checkSameClasses(info.classes, targets[i], files[0], targets[0]);
  await startBackendFor(flags, output);
  const name = flags.dataset ?? files[0].info.dataset;
  const members: Evaluation[] = [];
  let dataset: ImageDataset | undefined;
  for (const [i, file] of files.entries()) {
    const size = file.info.inputShape;
    // Pictures of a folder come in the size that each network sees.
    if (dataset?.shape.join() !== size.join()) {
      dataset = await loadDataset(name, { progress: output.progress.update, size });
    }
    members.push(await evaluated(file, targets[i], dataset as ImageDataset, flags.testViews, output));
  }
  const images = `on ${members[0].images.toLocaleString("en")} images of ${name}`;
  if (members.length === 1) {
    const { accuracy, top5, loss } = members[0];
    output.result(
      figuresOf(members[0]),
      () => `accuracy ${percent(accuracy)}, top-5 ${percent(top5)}, loss ${loss.toFixed(4)} ${images}`,
    );
    return;
  }
  const ensemble = ensembleOf(members);
  output.result(
    {
      ensemble: figuresOf(ensemble),
      members: members.map((member, i) => ({ weights: targets[i], ...figuresOf(member) })),
    },
    () => `${tableOf(members, targets, ensemble)}\n${images}`,
  );
}

async function evaluated(
  file: ClassifierFile,
  target: string,
  dataset: ImageDataset,
  views: TestViews,
  output: Output,
): Promise<Evaluation> {
  const { classes, dataset: its } = file.info;
  if (dataset.classes.length !== classes.length) {
    throw new InputError(
      `${target} tells ${classes.length} classes apart and ${dataset.name} has ${dataset.classes.length}: give the data set that it was trained on (${its})`,
    );
  }
  const model = inferenceNetworkOf(file);
  try {
    return await onTestSet(model, file.info, dataset, output, views);
  } finally {
    model.dispose();
  }
}

/** @throws InputError where an ensemble's members would not speak of the same classes */
function checkSameClasses(
  classes: readonly string[],
  target: string,
  first: ClassifierFile,
  firstTarget: string,
): void {
  const others = first.info.classes;
  if (classes.length === others.length && classes.every((name, k) => name === others[k])) return;
  const shown = (names: readonly string[]) => `${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""}`;
  throw new InputError(
    `${firstTarget} tells ${others.length} classes apart (${shown(others)}), ${target} ${classes.length} (${shown(classes)}): an ensemble's members must have the same`,
  );
}

const figuresOf = ({ accuracy, top5, loss, images }: Evaluation) => ({ accuracy, top5, loss, images });

function tableOf(members: readonly Evaluation[], targets: readonly string[], ensemble: Evaluation): string {
  const row = (weights: string, { accuracy, top5, loss }: Evaluation) => ({
    weights,
    accuracy: percent(accuracy),
    "top-5": percent(top5),
    loss: loss.toFixed(4),
  });
  const rows = members.map((member, i) => row(targets[i], member));
  return formatTable(
    [...rows, row(`ensemble of ${members.length}`, ensemble)],
    [
      { key: "weights" },
      { key: "accuracy", align: "right" },
      { key: "top-5", align: "right" },
      { key: "loss", align: "right" },
    ],
  );
}
