import { type Backend, backendTitle, startBackend } from "../shared/backend.ts";
import { byId, make, percent } from "../shared/dom.ts";
import { keepOffline } from "../shared/offline.ts";
import { contextOf, drawCovering, openPicture, pixelsOf } from "../shared/picture.ts";
import type { Classifier } from "../shared/pretrained.ts";
import { fetchSample, type Sample, sampleButton, samplesOf } from "../shared/samples.ts";
import { attempt, complain, say } from "../shared/say.ts";
import { offerWebgpu } from "../shared/webgpu-option.ts";
import { showBars } from "./bars.ts";
import { DrawingPad } from "./drawing-pad.ts";
import { LookInside } from "./look-inside.ts";
import { predict } from "./predict.ts";
import { type Source, sourceOf, sources } from "./sources.ts";
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
const picture = byId<HTMLCanvasElement>("picture");
const webcamButton = byId<HTMLButtonElement>("webcam");
const drawButton = byId<HTMLButtonElement>("draw");

const inside = new LookInside();

let classifier: Promise<Classifier> | undefined;
let backend: Promise<void> = Promise.resolve();
let shown: Shown | undefined;
let webcam: Webcam | undefined;
/** Raised when the inputs stop, so that a webcam that is allowed only then is switched off again. */
let inputs = 0;
/** Only the newest of several questions is answered. */
let question = 0;

/** The networks to choose from; those of the user's own files come last. */
const offered = new Map<string, Source>();
const chosen = (): Source => offered.get(modelBox.value) as Source;

function offer(source: Source): void {
  if (!offered.has(source.name)) modelBox.append(new Option(source.name, source.name));
  offered.set(source.name, source);
}

/** Opens the chosen network; the one before it goes. */
function openModel(): void {
  const source = chosen();
  const before = classifier;
  question++; // what is asked of the one before needs no answer any more
  say(`Fetching ${source.name} …`);
  const left = inside.leave();
  const opened = backend.then(async () => {
    await left; // nothing computes with the one before any more
    (await before?.catch(() => undefined))?.model.dispose();
    return source.open((share) => {
      if (share < 1) say(`Fetching ${source.name}: ${percent(share, 0)}`);
    });
  });
  opened.catch(() => undefined); // whoever waits for it says so
  classifier = opened;
  byId("facts").replaceChildren(
    ...source.facts.map(([term, text]) => make("div", {}, make("dt", {}, term), make("dd", {}, text))),
  );
  const samples = samplesOf(source.dataset);
  byId("samples").replaceChildren(
    ...samples.map((sample) => sampleButton(sample, () => void attempt(() => openSample(sample)))),
  );
  byId("samples-title").hidden = samples.length === 0;
}

async function openSample(sample: Sample): Promise<void> {
  stopInputs();
  const asked = inputs;
  const canvas = await openPicture(await fetchSample(sample), sample.title);
  if (asked !== inputs) return; // something else was chosen meanwhile
  await show({ canvas, title: `sample: ${sample.title}`, from: "sample" });
}

/** Opens a picture that the user gave. */
function openFile(file: File): Promise<void> {
  return attempt(async () => {
    stopInputs();
    const asked = inputs;
    const name = file.name || "the pasted picture";
    const canvas = await openPicture(file, name);
    if (asked === inputs) await show({ canvas, title: name, from: "user" });
  });
}

/** Opens weights that the user gave. */
function openWeights(file: File): Promise<void> {
  return attempt(async () => {
    await backend;
    const source = await sourceOf(file);
    offer(source);
    choose(source);
    await classifyAgain();
  });
}

/** Shows a picture and what is in it. */
async function show(next: Shown): Promise<void> {
  shown = next;
  drawCovering(next.canvas, picture);
  picture.setAttribute("aria-label", next.title);
  await classify();
}

async function classify(): Promise<void> {
  const mine = ++question;
  const opened = await classifier;
  if (mine !== question || opened === undefined) return;
  if (shown === undefined) {
    say(`${opened.name} is ready: give it a picture`);
    return;
  }
  const { canvas, from } = shown;
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
  await inside.look(opened, answer, from !== "webcam");
}

function stopInputs(): void {
  inputs++;
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
  contextOf(picture).clearRect(0, 0, picture.width, picture.height);
  picture.setAttribute("aria-label", "no picture yet");
  showBars(byId("bars"), []);
  void inside.leave();
}

async function toggleWebcam(): Promise<void> {
  const on = webcamButton.getAttribute("aria-pressed") !== "true";
  const asking = webcam === undefined;
  stopInputs();
  if (!on) {
    if (asking) await classify(); // says again what it said before it asked
    return;
  }
  const mine = inputs;
  webcamButton.setAttribute("aria-pressed", "true");
  say("Asking for the webcam …");
  let started: Webcam;
  try {
    started = await Webcam.start();
  } catch (error) {
    if (mine !== inputs) return; // nobody waits for it any more
    stopInputs();
    throw error;
  }
  if (mine !== inputs) {
    started.stop();
    return;
  }
  webcam = started;
  try {
    while (webcam === started) {
      await show({ canvas: started.frame(), title: "webcam", from: "webcam" });
      await new Promise(requestAnimationFrame);
    }
  } finally {
    started.stop();
    if (webcam === started) stopInputs();
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
  const forDigits = sources.find(({ dataset }) => dataset === DIGITS);
  if (chosen().dataset !== DIGITS && forDigits !== undefined) choose(forDigits);
  byId("pad").focus();
  await classifier;
  if (shown === undefined) say("Draw a digit");
}

function startOver(): void {
  pad.clear();
  clear();
}

function choose(source: Source): void {
  modelBox.value = source.name;
  openModel();
}

/** After another network was chosen: a sample of another data set than its own gives way to one of its own. */
async function classifyAgain(): Promise<void> {
  const [...own] = samplesOf(chosen().dataset);
  const fits = own.some(({ title }) => shown?.title === `sample: ${title}`);
  if (shown?.from === "sample" && !fits && own.length > 0) await openSample(own[0]);
  else await classify();
}

function listen(): void {
  modelBox.addEventListener("change", () => {
    openModel();
    void attempt(classifyAgain);
  });
  byId("own").addEventListener("change", (event) => {
    const input = event.target as HTMLInputElement;
    const [file] = input.files ?? [];
    if (file) void openWeights(file);
    input.value = ""; // so that the same file can be chosen again
  });
  backendBox.addEventListener("change", () => {
    void attempt(async () => {
      const name = backendBox.value as Backend;
      say(`Starting ${backendTitle[name]} …`);
      backend = inside.leave().then(() => startBackend(name));
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
  byId("file").addEventListener("change", (event) => {
    const input = event.target as HTMLInputElement;
    const [file] = input.files ?? [];
    if (file) void openFile(file);
    input.value = "";
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
      if (file?.name.endsWith(".safetensors")) void openWeights(file);
      else if (file) void openFile(file);
      else complain("What was dropped is no file");
    });
  }
  // What came before they were listened to would be lost.
  for (const id of ["file", "own", "webcam", "draw"]) byId<HTMLInputElement | HTMLButtonElement>(id).disabled = false;
}

function start(): void {
  for (const source of sources) offer(source);
  const asked = new URLSearchParams(location.search).get("weights");
  const first = sources.find(({ name }) => name === asked) ?? sources.find(({ name }) => name.startsWith("resnet20."));
  listen();
  void attempt(async () => {
    backend = startBackend("wasm");
    choose(first ?? sources[0]);
    await Promise.all([backend, openFirstSample()]);
    void offerWebgpu();
    void keepOffline();
  });
}

async function openFirstSample(): Promise<void> {
  const [sample] = samplesOf(chosen().dataset);
  await (sample === undefined ? classify() : openSample(sample));
}

start();
