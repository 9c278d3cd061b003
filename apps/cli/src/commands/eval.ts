import { loadDataset } from "@tfjs-zoo/datasets/node";
import { InputError } from "@tfjs-zoo/models";
import { loadForInference, type TestViews, testViews } from "@tfjs-zoo/training/node";
import { type Command, Option } from "commander";
import {
  backendOption,
  type CommonFlags,
  createOutput,
  jsonOption,
  startBackendFor,
  threadsOption,
} from "../context.ts";
import { weightsFile } from "../target.ts";
import { onTestSet } from "./test-set.ts";

export function registerEval(program: Command): void {
  program
    .command("eval")
    .description("the accuracy of weights on a test set")
    .argument("<weights>", "NAME.TAG, a run's folder or a .safetensors file")
    .option("--dataset <name>", "another test set than that of the weights' own data set")
    .addOption(
      new Option("--test-views <views>", "average over views of an image: itself, with its mirror image, both shifted")
        .choices(testViews)
        .default("plain"),
    )
    .addOption(backendOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(async (target: string, flags: CommonFlags & { dataset?: string; testViews: TestViews }) => {
      const output = createOutput(flags);
      const file = await weightsFile(target);
      await startBackendFor(flags, output);
      const { model, info } = await loadForInference(file);
      const progress = output.progress.update;
      const dataset = await loadDataset(flags.dataset ?? info.dataset, { progress, size: info.inputShape });
      if (dataset.classes.length !== info.classes.length) {
        throw new InputError(
          `${target} tells ${info.classes.length} classes apart and ${dataset.name} has ${dataset.classes.length}: give the data set that it was trained on (${info.dataset})`,
        );
      }
      const { accuracy, top5, loss, images } = await onTestSet(model, info, dataset, output, flags.testViews);
      output.result(
        { accuracy, top5, loss, images },
        () =>
          `accuracy ${(100 * accuracy).toFixed(2)} %, top-5 ${(100 * top5).toFixed(2)} %, loss ${loss.toFixed(4)} on ${images.toLocaleString("en")} images of ${dataset.name}`,
      );
    });
}
