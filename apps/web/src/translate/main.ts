import translators from "virtual:translators";
import { InputError } from "@tfjs-zoo/models";
import { type Backend, backendTitle } from "../shared/backend.ts";
import { byId, siteUrl } from "../shared/dom.ts";
import { keepFiles, keepOffline } from "../shared/offline.ts";
import type { Pretrained } from "../shared/pretrained.ts";
import { attempt, complain, say } from "../shared/say.ts";
import { offerWebgpu } from "../shared/webgpu-option.ts";
import { DirectionPanel } from "./direction-panel.ts";
import { languageName } from "./languages.ts";
import type { Answer, Order, Report } from "./protocol.ts";

const MOST_BEAMS = 16;

const backend = byId<HTMLSelectElement>("backend");
const beams = byId<HTMLInputElement>("beams");
const stop = byId<HTMLButtonElement>("stop");

/** Networks with the addresses at which a worker finds them. */
const entries: Pretrained[] = translators.map((entry) => ({
  ...entry,
  file: siteUrl(entry.file),
  tokenizer: entry.tokenizer && { ...entry.tokenizer, file: siteUrl(entry.tokenizer.file) },
}));
const panels = new Map<string, DirectionPanel>();
let worker: Worker | undefined;
/** orders that are not answered yet */
let waiting = 0;
let said: string[] = [];

/** Has a sentence translated by all networks of a direction. */
async function ask(panel: DirectionPanel): Promise<void> {
  if (waiting > 0) throw new InputError("It is still translating: stop it first");
  const sentence = panel.sentence.trim();
  if (sentence === "") {
    throw new InputError(`There is nothing to translate: type a sentence in ${languageName(panel.source)}`);
  }
  const followed = Number(beams.value);
  if (!Number.isInteger(followed) || followed < 1 || followed > MOST_BEAMS) {
    const given = beams.value || "nothing";
    throw new InputError(
      `Translations followed at a time: ${given} given, a whole number from 1 to ${MOST_BEAMS} expected`,
    );
  }
  panel.clear();
  worker ??= startWorker();
  said = [];
  for (const entry of panel.networks) {
    const order: Order = { entry, sentence, beams: followed, backend: backend.value as Backend };
    worker.postMessage(order);
    setWaiting(waiting + 1);
  }
}

function startWorker(): Worker {
  const started = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  started.addEventListener("message", ({ data }: MessageEvent<Report>) => hear(data));
  started.addEventListener("error", (event) => {
    event.preventDefault();
    endWorker();
    say("");
    complain(`The networks do not start in this browser: ${event.message || "their worker can't be loaded"}`);
  });
  return started;
}

/** Ends what is being computed, at once. */
function endWorker(): void {
  worker?.terminate();
  worker = undefined;
  setWaiting(0);
}

function hear(report: Report): void {
  if (report.kind === "state") say(report.text);
  else {
    setWaiting(waiting - 1);
    if (report.kind === "answer") show(report.answer);
    else {
      complain(report.text);
      say(said.join(" "));
    }
  }
}

function show(answer: Answer): void {
  const { name, found, seconds } = answer;
  const panel = [...panels.values()].find(({ networks }) => networks.some((network) => network.name === name));
  panel?.show(answer);
  said.push(`${name} in ${seconds.toFixed(2)} s on ${backendTitle[answer.backend]}: ${found[0].text}`);
  say(said.join(" "));
  const entry = entries.find((known) => known.name === name);
  if (entry) void keepFiles([entry.file, ...(entry.tokenizer ? [entry.tokenizer.file] : [])]);
}

function setWaiting(count: number): void {
  waiting = count;
  stop.disabled = count === 0;
  for (const panel of panels.values()) panel.setBusy(count > 0);
}

/** Sends a translation to the networks of the other direction. */
async function askBack({ source, target }: DirectionPanel, text: string): Promise<void> {
  const other = panels.get(`${target}-${source}`);
  if (other === undefined) return;
  other.sentence = text;
  await ask(other);
  other.element.scrollIntoView({ block: "nearest" });
}

async function start(): Promise<void> {
  const directions = [...new Set(entries.map(({ direction }) => direction ?? ""))];
  for (const direction of directions) {
    const networks = entries.filter((entry) => entry.direction === direction);
    const [source, target] = direction.split("-");
    const panel = new DirectionPanel({
      ...{ source, target, networks },
      onAsk: () => attempt(() => ask(panel)),
      onBack: directions.includes(`${target}-${source}`) ? (text) => attempt(() => askBack(panel, text)) : undefined,
    });
    panels.set(direction, panel);
    byId("directions").append(panel.element);
  }
  byId("none").hidden = entries.length > 0;
  byId("settings").hidden = entries.length === 0;
  stop.addEventListener("click", () => {
    endWorker();
    say("Stopped");
  });
  // WebAssembly stays chosen: so small a network, a token at a time, leaves a graphics card waiting.
  await offerWebgpu();
  await keepOffline();
}

void attempt(start);
