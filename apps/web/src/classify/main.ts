import pretrained from "virtual:pretrained";
import samples from "virtual:samples";
import { InputError } from "@tfjs-zoo/models";
import { type Backend, backendTitle, startBackend } from "../shared/backend.ts";
import { byId, make, percent, short, siteUrl } from "../shared/dom.ts";
import { messageOf } from "../shared/message-of.ts";
import { keepOffline } from "../shared/offline.ts";
import { contextOf, drawCovering, openPicture, pixelsOf } from "../shared/picture.ts";
import { type Classifier, openPretrained, type Pretrained } from "../shared/pretrained.ts";
import { attempt, complain, say } from "../shared/say.ts";
import { offerWebgpu } from "../shared/webgpu-option.ts";
import { showBars } from "./bars.ts";
import { DrawingPad } from "./drawing-pad.ts";
import { showHeat } from "./heat.ts";
import { type Answer, predict } from "./predict.ts";
import { Webcam } from "./webcam.ts";

/** What the page is looking at. */
interface Shown {
  canvas: HTMLCanvasElement;
  /** in words, for those who don't see it */
  title: string;
  from: "sample" | "user" | "pad" | "webcam";
}

const DIGITS = "mnist";

const modelBox = byId<HTMLSelectElement>("model");
const backendBox = byId<HTMLSelectElement>("backend");
const camBox = byId<HTMLInputElement>("cam");
const picture = byId<HTMLCanvasElement>("picture");
const heat = byId<HTMLCanvasElement>("heat");
const webcamButton = byId<HTMLButtonElement>("webcam");
const drawButton = byId<HTMLButtonElement>("draw");

let classifier: Promise<Classifier> | undefined;
let backend: Promise<void> = Promise.resolve();
let shown: Shown | undefined;
let webcam: Webcam | undefined;

const entryOf = (name: string): Pretrained => pretrained.find((entry) => entry.name === name) as Pretrained;

/** Opens the chosen network; the one before it goes. */
function openModel(): void {
  const entry = entryOf(modelBox.value);
  const before = classifier;
  say(`Fetching ${entry.name} …`);
  const opened = backend.then(async () => {
    (await before?.catch(() => undefined))?.model.dispose();
    return openPretrained(entry, (share) => {
      if (share < 1) say(`Fetching ${entry.name}: ${percent(share, 0)}`);
    });
  });
  opened.catch(() => undefined); // whoever waits for it says so
  classifier = opened;
  showFacts(entry);
  showSamples(entry.card.metric.dataset);
}

function showFacts({ card }: Pretrained): void {
  const { metric } = card;
  const facts: [string, string][] = [
    ["Input", card.inputShape.join(" × ")],
    [
      "Accuracy",
      `${percent(metric.value, 2)} of ${metric.images.toLocaleString("en")} test images (${metric.dataset})`,
    ],
    ["Parameters", short(card.parameters)],
    ["Multiply-adds", short(card.macs)],
    ["File", `${short(card.bytes)}B`],
  ];
  byId("facts").replaceChildren(
    ...facts.map(([term, text]) => make("div", {}, make("dt", {}, term), make("dd", {}, text))),
  );
}

function showSamples(dataset: string): void {
  const files = samples[dataset] ?? [];
  byId("samples").replaceChildren(
    ...files.map((file) => {
      const name = file.replace(/^\d+-|\.png$/g, "");
      const url = siteUrl(`samples/${dataset}/${file}`);
      const image = make("img", { src: url, alt: name, width: 56, height: 56 });
      const button = make("button", { type: "button", title: name }, image);
      button.addEventListener("click", () => void attempt(() => openSample(dataset, file)));
      return make("li", {}, button);
    }),
  );
  byId("samples-title").hidden = files.length === 0;
}

async function openSample(dataset: string, file: string): Promise<void> {
  const response = await fetch(siteUrl(`samples/${dataset}/${file}`));
  if (!response.ok) throw new InputError(`the sample ${file} can't be fetched: reload the page`);
  stopInputs();
  const title = file.replace(/^\d+-|\.png$/g, "");
  await show({ canvas: await openPicture(await response.blob(), file), title: `sample: ${title}`, from: "sample" });
}

/** Opens a picture that the user gave. */
function openFile(file: File): Promise<void> {
  return attempt(async () => {
    stopInputs();
    const name = file.name || "the pasted picture";
    await show({ canvas: await openPicture(file, name), title: name, from: "user" });
  });
}

/** Shows a picture and what is in it. */
async function show(next: Shown): Promise<void> {
  shown = next;
  drawCovering(next.canvas, picture);
  picture.setAttribute("aria-label", next.title);
  await classify();
}

/** Only the newest of several questions is answered. */
let question = 0;

async function classify(): Promise<void> {
  if (shown === undefined || classifier === undefined) return;
  const mine = ++question;
  const { canvas, from } = shown;
  const opened = await classifier;
  if (mine !== question) return;
  const answer = await predict(opened, pixelsOf(canvas));
  if (mine !== question) return;
  showBars(byId("bars"), answer.ranked);
  byId("bars").dataset.network = opened.name;
  const [first] = answer.ranked;
  // Whoever hears the page is not told thirty times a second what a webcam sees.
  byId("state").setAttribute("aria-live", from === "webcam" ? "off" : "polite");
  const by = backendTitle[backendBox.value as Backend];
  say(`${first.name}, ${percent(first.probability)} – in ${answer.time.toFixed(1)} ms by ${by}`);
  performance.mark("answered");
  await showCam(opened, answer);
}

async function showCam(opened: Classifier, { seen }: Answer): Promise<void> {
  contextOf(heat).clearRect(0, 0, heat.width, heat.height);
  byId("cam-note").hidden = !camBox.checked;
  if (!camBox.checked) return;
  try {
    const layer = await showHeat(heat, opened, seen);
    byId("cam-note").textContent = `Bright is where the last maps (${layer}) speak for the likeliest class.`;
  } catch (error) {
    byId("cam-note").textContent = messageOf(error);
  }
}

function stopInputs(): void {
  webcam?.stop();
  webcam = undefined;
  webcamButton.setAttribute("aria-pressed", "false");
  showPad(false);
}

function showPad(visible: boolean): void {
  drawButton.setAttribute("aria-pressed", String(visible));
  byId("stage").classList.toggle("drawing", visible);
  byId("pad").hidden = byId("pad-tools").hidden = !visible;
}

/** Forgets the picture and what was in it. */
function clear(): void {
  shown = undefined;
  question++;
  for (const canvas of [picture, heat]) contextOf(canvas).clearRect(0, 0, canvas.width, canvas.height);
  picture.setAttribute("aria-label", "no picture yet");
  showBars(byId("bars"), []);
  byId("cam-note").hidden = true;
}

async function toggleWebcam(): Promise<void> {
  if (webcam !== undefined) {
    stopInputs();
    return;
  }
  stopInputs();
  say("Asking for the webcam …");
  const started = await Webcam.start();
  webcam = started;
  webcamButton.setAttribute("aria-pressed", "true");
  while (webcam === started) {
    await show({ canvas: started.frame(), title: "webcam", from: "webcam" });
    await new Promise(requestAnimationFrame);
  }
}

const pad = new DrawingPad(byId("pad"), () => {
  const digit = pad.digit();
  if (digit !== undefined) void attempt(() => show({ canvas: digit, title: "drawn digit, centred", from: "pad" }));
});

async function toggleDrawing(): Promise<void> {
  const draw = drawButton.getAttribute("aria-pressed") !== "true";
  stopInputs();
  if (!draw) return;
  showPad(true);
  startOver();
  const forDigits = pretrained.find(({ card }) => card.metric.dataset === DIGITS);
  if (entryOf(modelBox.value).card.metric.dataset !== DIGITS && forDigits !== undefined) {
    modelBox.value = forDigits.name;
    openModel();
  }
  byId("pad").focus();
  await classifier;
  if (shown === undefined) say("Draw a digit");
}

function startOver(): void {
  pad.clear();
  clear();
}

/** The network changed: a sample of another data set than its own gives way to one of its own. */
async function afterModelChange(datasetBefore: string): Promise<void> {
  const { dataset } = entryOf(modelBox.value).card.metric;
  const [first] = samples[dataset] ?? [];
  if (shown?.from === "sample" && dataset !== datasetBefore && first !== undefined) await openSample(dataset, first);
  else await classify();
}

function listen(): void {
  let dataset = entryOf(modelBox.value).card.metric.dataset;
  modelBox.addEventListener("change", () => {
    const before = dataset;
    dataset = entryOf(modelBox.value).card.metric.dataset;
    openModel();
    void attempt(() => afterModelChange(before));
  });
  backendBox.addEventListener("change", () => {
    void attempt(async () => {
      const name = backendBox.value as Backend;
      say(`Starting ${backendTitle[name]} …`);
      backend = startBackend(name);
      openModel(); // weights lie in the memory of the backend that they were loaded on
      try {
        await backend;
      } catch (error) {
        backendBox.value = "wasm";
        backend = startBackend("wasm");
        openModel();
        await classify();
        throw error;
      }
      await classify();
    });
  });
  camBox.addEventListener("change", () => void attempt(classify));
  byId("file").addEventListener("change", (event) => {
    const input = event.target as HTMLInputElement;
    const [file] = input.files ?? [];
    if (file) void openFile(file);
    input.value = ""; // so that the same file can be chosen again
  });
  webcamButton.addEventListener("click", () => void attempt(toggleWebcam));
  drawButton.addEventListener("click", () => void attempt(toggleDrawing));
  byId("clear").addEventListener("click", startOver);
  document.addEventListener("paste", (event) => {
    const [file] = event.clipboardData?.files ?? [];
    if (file) void openFile(file);
    else complain("What was pasted is no picture");
  });
  for (const kind of ["dragover", "dragleave", "drop"] as const) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      byId("drop").classList.toggle("over", kind === "dragover");
      if (kind !== "drop") return;
      const [file] = event.dataTransfer?.files ?? [];
      if (file) void openFile(file);
      else complain("What was dropped is no picture file");
    });
  }
}

function start(): void {
  for (const { name } of pretrained) modelBox.append(new Option(name, name));
  const asked = new URLSearchParams(location.search).get("model");
  const first =
    pretrained.find(({ name }) => name === asked) ?? pretrained.find(({ card }) => card.model === "resnet20");
  modelBox.value = (first ?? pretrained[0]).name;
  listen();
  void attempt(async () => {
    backend = startBackend("wasm");
    openModel();
    const { dataset } = entryOf(modelBox.value).card.metric;
    const [sample] = samples[dataset] ?? [];
    if (sample !== undefined) await openSample(dataset, sample);
    else await classifier;
    void offerWebgpu();
    void keepOffline();
  });
}

start();
