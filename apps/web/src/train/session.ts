import type * as tfl from "@tensorflow/tfjs-layers";
import { evaluationBatches, holdOut, type ImageDataset, type ImageSet } from "@tfjs-zoo/datasets";
import { createModel, InputError, randomStream } from "@tfjs-zoo/models";
import {
  type ClassifierInfo,
  classification,
  classifierBytes,
  classifierFrom,
  confusionMatrix,
  evaluate,
  fit,
  imageBatches,
  parameterGroups,
  type Recipe,
  recipeFor,
  type StepEvent,
  scheduleOf,
  Trainer,
} from "@tfjs-zoo/training";
import { type Backend, startBackend } from "../shared/backend.ts";
import { fetchSet, type PackedSet } from "./packed-set.ts";
import type { History, Kept, Order, Report, Settings } from "./protocol.ts";
import { keepTraining } from "./store.ts";

const SEED = 0;
/** Images kept out of the training set, at most. */
const HELD_OUT = 1000;
/** Images a batch when nothing is learned. */
const EVALUATION_BATCH = 100;
/** milliseconds between two times that a training is kept */
const KEEP_EVERY = 60_000;
/** share of the last steps in the rate that is shown */
const NEW = 0.1;

type Work = Exclude<Order, { kind: "stop" | "save" }>;

/** A network, and who trains it. */
interface Network {
  model: tfl.LayersModel;
  trainer: ReturnType<typeof trainerFor>;
  info: ClassifierInfo;
  recipe: Recipe;
}

/** One training in a worker: the loop, the recipe and the seeds are those of `npm run train`. */
export class Session {
  private network: Network | undefined;
  private data: { name: string; set: ImageDataset } | undefined;
  private stopping = new AbortController();

  constructor(private readonly report: (report: Report) => void) {}

  stop(): void {
    this.stopping.abort();
  }

  /** The weights as a file that `npm run predict -- --weights` takes too. */
  async save(): Promise<void> {
    if (this.network === undefined) throw new InputError("There are no weights yet: train first");
    const { model, info } = this.network;
    const bytes = await classifierBytes(model, info);
    this.report({ kind: "weights", bytes, name: `${info.model}-${info.dataset}.safetensors` });
  }

  /** Takes up a file of weights, and tests the network. */
  async open({ settings, set, backend, file }: Work & { kind: "open" }): Promise<void> {
    const data = await this.prepare(set, backend);
    this.build(settings, data, weightsFor(settings, data, file));
    await this.test(data);
  }

  /** Trains from the start, or goes on from where a training was kept; tests the network afterwards. */
  async train({ settings, set, backend, from }: Work & { kind: "train" }): Promise<void> {
    this.stopping = new AbortController();
    const data = await this.prepare(set, backend);
    const { trainer, recipe, model } = this.build(settings, data);
    if (from !== undefined) trainer.restore(from.state, from.step);
    const history: History = from?.history ?? { loss: [], accuracy: [], heldOutLoss: [], heldOutAccuracy: [] };
    const heldOut = Math.min(HELD_OUT, Math.floor(data.train.count / 10));
    const { train, validation } = holdOut(data.train, heldOut, randomStream(SEED, "held out"));
    let rate = 0;
    let keptAt = performance.now();

    this.report({ kind: "state", text: "The first step …" });
    const { end } = await fit(trainer, {
      data: imageBatches(train, data, recipe, SEED),
      epochs: recipe.epochs,
      learningRate: recipe.learningRate,
      schedule: scheduleOf(recipe),
      position: from?.position,
      signal: this.stopping.signal,
      validate: async () => {
        const { accuracy, loss } = await this.measure(model, data, validation);
        return { accuracy, loss };
      },
      onStep: (event) => {
        const now = (1000 * event.items) / (event.dataMs + event.stepMs);
        rate = rate === 0 ? now : (1 - NEW) * rate + NEW * now;
        this.report(stepReport(event, recipe.epochs, rate, history));
      },
      onEpoch: ({ epoch, step, validation: held }) => {
        if (held === undefined) return;
        const loss = { step, epoch, value: held.loss };
        const accuracy = { step, epoch, value: held.accuracy };
        history.heldOutLoss.push(loss);
        history.heldOutAccuracy.push(accuracy);
        this.report({ kind: "epoch", loss, accuracy });
      },
      onPosition: async (position, at) => {
        const due = at === "epoch" || this.stopping.signal.aborted || performance.now() - keptAt > KEEP_EVERY;
        if (!due) return;
        keptAt = performance.now();
        await this.keep({ settings, state: await trainer.state(), step: trainer.step, position, history });
      },
    });
    this.report({ kind: "ended", end });
    await this.test(data);
  }

  /** Starts the backend and fetches the data set, unless they are here already. */
  private async prepare(set: PackedSet, backend: Backend): Promise<ImageDataset> {
    this.dispose(); // before the backend that it lies on goes
    await startBackend(backend);
    if (this.data?.name !== set.name) {
      const fetched = await fetchSet(set, (share) => {
        this.report({ kind: "state", text: `Fetching ${set.name}: ${Math.floor(100 * share)} %` });
      });
      this.data = { name: set.name, set: fetched };
    }
    return this.data.set;
  }

  private build(settings: Settings, data: ImageDataset, weights?: tfl.LayersModel): Network {
    const { epochs, batchSize, learningRate } = settings;
    const recipe: Recipe = { ...recipeFor("quick", data.name), epochs, batchSize, learningRate };
    const { name: dataset, classes, shape: inputShape, mean, std } = data;
    const info = { model: settings.model, dataset, classes, inputShape, mean, std };
    const model = weights ?? createModel(settings.model, { seed: SEED, classes: classes.length, inputShape });
    this.network = { model, trainer: trainerFor(model, inputShape, recipe), info, recipe };
    return this.network;
  }

  private measure(model: tfl.LayersModel, data: ImageDataset, set: ImageSet, onBatch?: (images: number) => void) {
    return evaluate(model, data.shape, evaluationBatches({ ...data, set, batchSize: EVALUATION_BATCH }), { onBatch });
  }

  private async test(data: ImageDataset): Promise<void> {
    const { model } = this.network as Network;
    const evaluation = await this.measure(model, data, data.test, (images) => {
      this.report({ kind: "state", text: `Testing: ${images} of ${data.test.count} images` });
    });
    const { accuracy, images } = evaluation;
    const confusion = confusionMatrix(evaluation, data.classes.length);
    this.report({ kind: "tested", accuracy, images, classes: data.classes, confusion });
  }

  private async keep(kept: Kept): Promise<void> {
    try {
      await keepTraining(kept);
      this.report({ kind: "kept" });
    } catch {
      // A private window keeps nothing: the training goes on all the same.
    }
  }

  private dispose(): void {
    this.network?.trainer.dispose();
    this.network?.model.dispose();
    this.network = undefined;
  }
}

const trainerFor = (model: tfl.LayersModel, shape: PackedSet["shape"], recipe: Recipe) =>
  new Trainer(classification(model, shape), { groups: parameterGroups(recipe), seed: SEED });

/** @throws InputError when a file of weights is of another network or data set than is chosen */
function weightsFor({ model, dataset }: Settings, data: ImageDataset, file: { bytes: Uint8Array; name: string }) {
  const opened = classifierFrom(file.bytes, file.name);
  const { info } = opened;
  if (
    info.model === model &&
    info.inputShape.join() === data.shape.join() &&
    info.classes.join() === data.classes.join()
  )
    return opened.model;
  opened.model.dispose();
  throw new InputError(
    `${file.name} has weights of ${info.model} for ${info.dataset}, and ${model} for ${dataset} is chosen: choose what they are for`,
  );
}

function stepReport(event: StepEvent, epochs: number, rate: number, history: History): Report {
  const { step, epoch, stepInEpoch, stepsPerEpoch, items } = event;
  const at = { step, epoch: epoch - 1 + stepInEpoch / stepsPerEpoch };
  const loss = { ...at, value: event.loss };
  const accuracy = { ...at, value: event.metrics.correct / items };
  history.loss.push(loss);
  history.accuracy.push(accuracy);
  const stepsLeft = (epochs - epoch + 1) * stepsPerEpoch - stepInEpoch;
  return {
    kind: "step",
    loss,
    accuracy,
    meanLoss: event.meanLoss,
    imagesPerSecond: rate,
    secondsLeft: (stepsLeft * items) / rate,
  };
}
