import { CHART_STYLE, percent, renderConfusion } from "@tfjs-zoo/training/charts";
import { type Backend, backendTitle } from "../shared/backend.ts";
import { byId, siteUrl } from "../shared/dom.ts";
import { download } from "../shared/download.ts";
import { keepOffline } from "../shared/offline.ts";
import { attempt, complain, say } from "../shared/say.ts";
import { useStyle } from "../shared/use-style.ts";
import { offerWebgpu } from "../shared/webgpu-option.ts";
import { type Choice, choices } from "./choices.ts";
import { emptyHistory, renderCurves } from "./curves.ts";
import type { PackedSet } from "./packed-set.ts";
import type { History, Kept, Order, Report, Settings } from "./protocol.ts";
import { forgetTraining, keptTraining } from "./store.ts";

/** milliseconds between two drawings of the curves */
const DRAW_EVERY = 400;
/** Weights in a file are at most this long: the largest network here has 0.3 million of them. */
const MAX_FILE = 64e6;

const form = byId<HTMLFormElement>("form");
const whatBox = byId<HTMLSelectElement>("what");
const backendBox = byId<HTMLSelectElement>("backend");
const trainButton = byId<HTMLButtonElement>("train");
const stopButton = byId<HTMLButtonElement>("stop");
const continueButton = byId<HTMLButtonElement>("continue");
const saveButton = byId<HTMLButtonElement>("save");
const loadInput = byId<HTMLInputElement>("load");
const numbers = {
  epochs: byId<HTMLInputElement>("epochs"),
  batchSize: byId<HTMLInputElement>("batch"),
  learningRate: byId<HTMLInputElement>("rate"),
};

let sets: PackedSet[] = [];
let history: History = emptyHistory();
let kept: Kept | undefined;
/** Whether the worker has weights. */
let trained = false;

const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
worker.addEventListener("error", (event) => {
  event.preventDefault();
  complain(`The training does not start in this browser: ${event.message || "its worker can't be loaded"}`);
  setBusy(false);
});
worker.addEventListener("message", ({ data }: MessageEvent<Report>) => void hear(data));

const choice = (): Choice => choices[Number(whatBox.value)];
const setOf = (dataset: string): PackedSet | undefined => sets.find(({ name }) => name === dataset);
const settings = (): Settings => ({
  model: choice().model,
  dataset: choice().dataset,
  epochs: numbers.epochs.valueAsNumber,
  batchSize: numbers.batchSize.valueAsNumber,
  learningRate: numbers.learningRate.valueAsNumber,
});

function ask(order: Order): void {
  complain("");
  if (order.kind !== "stop") setBusy(true);
  stopButton.disabled = order.kind !== "train";
  worker.postMessage(order);
}

function setBusy(busy: boolean): void {
  const noData = setOf(choice().dataset) === undefined;
  for (const input of [whatBox, backendBox, ...Object.values(numbers)]) input.disabled = busy;
  trainButton.disabled = loadInput.disabled = busy || noData;
  stopButton.disabled = true; // until a training begins
  continueButton.disabled = busy || noData;
  saveButton.disabled = busy || !trained;
  byId("progress").hidden = !busy;
}

/** What the worker says. */
async function hear(report: Report): Promise<void> {
  if (report.kind === "state") say(report.text);
  else if (report.kind === "step") showStep(report);
  else if (report.kind === "epoch") {
    history.heldOutLoss.push(report.loss);
    history.heldOutAccuracy.push(report.accuracy);
    say(`Epoch ${report.loss.epoch}: ${percent(report.accuracy.value)} of the held-out images`);
    draw();
  } else if (report.kind === "kept") await showKept();
  else if (report.kind === "ended") {
    stopButton.disabled = true;
    say(report.end === "interrupted" ? "Stopped" : "Finished");
  } else if (report.kind === "tested") showTest(report);
  else if (report.kind === "weights") say(`Saved as ${download(report.bytes, report.name)}`);
  else if (report.kind === "problem") {
    complain(report.text);
    say("");
  } else setBusy(false);
}

let drawing: ReturnType<typeof setTimeout> | undefined;

function showStep({ loss, accuracy, meanLoss, imagesPerSecond, secondsLeft }: Report & { kind: "step" }): void {
  history.loss.push(loss);
  history.accuracy.push(accuracy);
  if (!trained) say("Training");
  trained = true;
  byId<HTMLProgressElement>("progress").value = loss.epoch / numbers.epochs.valueAsNumber;
  // A live region would speak at every step: this line is none.
  byId("live").textContent =
    `Step ${loss.step}, epoch ${loss.epoch.toFixed(2)}: mean loss ${meanLoss.toFixed(3)}, ` +
    `${imagesPerSecond.toPrecision(3)} images/s, ${duration(secondsLeft)} left`;
  drawing ??= setTimeout(draw, DRAW_EVERY);
}

function draw(): void {
  clearTimeout(drawing);
  drawing = undefined;
  byId("charts").innerHTML = renderCurves(history);
}

function showTest({ accuracy, images, classes, confusion }: Report & { kind: "tested" }): void {
  trained = true;
  draw();
  byId("tested").hidden = false;
  byId("accuracy").textContent = `${percent(accuracy, 2)} of ${images.toLocaleString("en")} test images`;
  byId("confusion").innerHTML = renderConfusion([...classes], confusion);
  byId("live").textContent = "";
  say(`Tested: ${percent(accuracy, 2)} of the test images are recognised`);
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Offers to go on with the training that this browser keeps. */
async function showKept(): Promise<void> {
  kept = await keptTraining().catch(() => undefined);
  continueButton.hidden = kept === undefined;
  if (kept === undefined) return;
  const { model, dataset } = kept.settings;
  continueButton.textContent = `Continue ${model} on ${dataset} after step ${kept.step}`;
}

/** Shows in the form what a kept training was set to. */
function restoreForm({ settings: own }: Kept): void {
  const at = choices.findIndex(({ model, dataset }) => model === own.model && dataset === own.dataset);
  if (at >= 0) whatBox.value = String(at);
  numbers.batchSize.valueAsNumber = own.batchSize;
  numbers.learningRate.valueAsNumber = own.learningRate;
  showChoice();
}

function showChoice(): void {
  const { dataset } = choice();
  const set = setOf(dataset);
  byId("data-note").textContent =
    set === undefined
      ? `This site was built without ${dataset}: run "npm run zoo -- data ${dataset}", and build it again.`
      : `${set.train.count.toLocaleString("en")} images to train on, ${set.test.count.toLocaleString("en")} to test.`;
  setBusy(false);
}

function startOver(): void {
  history = emptyHistory();
  trained = false;
  byId("tested").hidden = true;
  byId("charts").replaceChildren();
  byId<HTMLProgressElement>("progress").value = 0;
}

function train(from?: Kept): void {
  const set = setOf(choice().dataset);
  if (set === undefined) return;
  startOver();
  if (from !== undefined) history = structuredClone(from.history);
  say(`Starting ${backendTitle[backendBox.value as Backend]} …`);
  ask({ kind: "train", settings: settings(), set, backend: backendBox.value as Backend, from });
}

async function load(file: File): Promise<void> {
  const set = setOf(choice().dataset);
  if (set === undefined) return;
  if (file.size > MAX_FILE) {
    complain(`${file.name} has ${file.size} bytes: no weights of these networks are as long`);
    return;
  }
  startOver();
  const bytes = new Uint8Array(await file.arrayBuffer());
  ask({
    kind: "open",
    settings: settings(),
    set,
    backend: backendBox.value as Backend,
    file: { bytes, name: file.name },
  });
}

function listen(): void {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!form.reportValidity()) return;
    void forgetTraining()
      .catch(() => undefined)
      .then(showKept);
    train();
  });
  continueButton.addEventListener("click", () => {
    if (kept === undefined) return;
    restoreForm(kept);
    // A finished training goes on for one more epoch at least.
    numbers.epochs.valueAsNumber = Math.max(
      kept.settings.epochs,
      numbers.epochs.valueAsNumber,
      kept.position.epoch + 1,
    );
    train(kept);
  });
  stopButton.addEventListener("click", () => {
    say("Stopping after this step …");
    ask({ kind: "stop" });
  });
  saveButton.addEventListener("click", () => ask({ kind: "save" }));
  loadInput.addEventListener("change", () => {
    const [file] = loadInput.files ?? [];
    loadInput.value = "";
    if (file) void attempt(() => load(file));
  });
  whatBox.addEventListener("change", () => {
    for (const [field, input] of Object.entries(numbers)) {
      input.valueAsNumber = choice()[field as keyof typeof numbers];
    }
    showChoice();
  });
}

async function start(): Promise<void> {
  useStyle(CHART_STYLE);
  for (const [i, { title }] of choices.entries()) whatBox.append(new Option(title, String(i)));
  listen();
  const response = await fetch(siteUrl("sets.json")).catch(() => undefined);
  const listed: PackedSet[] = response?.ok ? await response.json() : [];
  const whole = ({ file, count }: PackedSet["train"]) => ({ file: siteUrl(file), count });
  sets = listed.map((set) => ({ ...set, train: whole(set.train), test: whole(set.test) }));
  whatBox.dispatchEvent(new Event("change"));
  const { missing, software } = await offerWebgpu();
  if (missing === undefined && !software) backendBox.value = "webgpu";
  await showKept();
  if (kept !== undefined) {
    restoreForm(kept);
    numbers.epochs.valueAsNumber = kept.settings.epochs;
    history = kept.history;
    draw();
  }
  void keepOffline();
}

void attempt(start);
