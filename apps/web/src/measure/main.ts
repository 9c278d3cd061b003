import { type Backend, backendTitle } from "../shared/backend.ts";
import { byId } from "../shared/dom.ts";
import { download } from "../shared/download.ts";
import { keepOffline } from "../shared/offline.ts";
import { attempt, complain, say } from "../shared/say.ts";
import { offerWebgpu } from "../shared/webgpu-option.ts";
import { networks } from "./networks.ts";
import type { Checked, Order, Report, Settings, Speed } from "./protocol.ts";
import { showChecks, showCosts, showSpeeds } from "./tables.ts";

const form = byId<HTMLFormElement>("form");
const modelBox = byId<HTMLSelectElement>("model");
const backendBox = byId<HTMLSelectElement>("backend");
const numbers = { batch: byId<HTMLInputElement>("batch"), steps: byId<HTMLInputElement>("steps") };
const stopButton = byId<HTMLButtonElement>("stop");
const saveButton = byId<HTMLButtonElement>("save");
const progress = byId<HTMLProgressElement>("progress");

/** What was measured since the page was opened. */
const speeds: Speed[] = [];
let checks: { backend: Backend; ops: Checked[] } | undefined;
let device: string | undefined;

const settings = (): Settings => ({
  model: modelBox.value,
  backend: backendBox.value as Backend,
  batch: numbers.batch.valueAsNumber,
  steps: numbers.steps.valueAsNumber,
});

let stop = (): void => undefined;

/** Has a worker do something; one of its own for each order, whose end gives back all that it took of the device. */
function run(order: Order): Promise<void> {
  complain("");
  say(`Starting ${backendTitle[order.backend]} …`);
  setBusy(true);
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  return new Promise<void>((resolve) => {
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      complain(`It does not start in this browser: ${event.message || "its worker can't be loaded"}`);
      say("");
      resolve();
    });
    worker.addEventListener("message", ({ data }: MessageEvent<Report>) => {
      if (hear(data)) resolve();
    });
    stop = () => {
      say("Stopped");
      resolve();
    };
    worker.postMessage(order);
  }).finally(() => {
    worker.terminate();
    setBusy(false);
  });
}

function setBusy(busy: boolean): void {
  for (const input of [modelBox, backendBox, ...Object.values(numbers)]) input.disabled = busy;
  byId<HTMLButtonElement>("measure").disabled = byId<HTMLButtonElement>("check").disabled = busy;
  stopButton.disabled = !busy;
  saveButton.disabled = busy || (speeds.length === 0 && checks === undefined);
  progress.hidden = true; // until something tells how far it is
}

/** What the worker says. @returns whether that was the last of it */
function hear(report: Report): boolean {
  if (report.kind === "state") say(report.text);
  else if (report.kind === "speed") showSpeed(report.speed);
  else if (report.kind === "checked") showChecked(report);
  else if (report.kind === "problem") {
    complain(report.text);
    say("");
  }
  return report.kind === "done" || report.kind === "problem";
}

function showSpeed(speed: Speed): void {
  speeds.push(speed);
  byId("speed").hidden = false;
  showSpeeds(byId("speeds"), speeds);
  byId("costs").hidden = !showCosts(byId("ops"), speed);
  const [before, after] = speed.tensors;
  if (after !== before)
    complain(`${speed.model} had ${before} tensors before its steps and ${after} after them: a leak`);
  say(`${speed.model} on ${backendTitle[speed.backend]}: ${speed.ours.items_per_s} ${speed.unit} a second`);
}

function showChecked({ checked, done, total }: Report & { kind: "checked" }): void {
  if (checks === undefined) return;
  checks.ops.push(checked);
  byId("gradients").hidden = progress.hidden = false;
  progress.value = done / total;
  const wrong = checks.ops.filter((op) => op.wrong.length > 0);
  // Those that are wrong first.
  showChecks(byId("checks"), [...wrong, ...checks.ops.filter((op) => op.wrong.length === 0)]);
  const found = wrong.length === 0 ? "all right" : `${wrong.length} WRONG: ${wrong[0].wrong[0]}`;
  byId("verdict").textContent = `${done} of ${total} on ${backendTitle[checks.backend]}, ${found}`;
  say(done < total ? `Checked ${checked.op}` : `Checked on ${backendTitle[checks.backend]}`);
}

/** All that was measured, with what it was measured on. */
function save(): void {
  const environment = {
    browser: navigator.userAgent,
    cores: navigator.hardwareConcurrency,
    device,
    date: new Date().toISOString(),
  };
  const text = JSON.stringify({ environment, speeds, gradients: checks }, null, 2);
  say(`Saved as ${download(new TextEncoder().encode(`${text}\n`), "tfjs-zoo-measured.json")}`);
}

function listen(): void {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (form.reportValidity()) void attempt(() => run({ kind: "speed", ...settings() }));
  });
  byId("check").addEventListener("click", () => {
    const { backend } = settings();
    checks = { backend, ops: [] };
    void attempt(() => run({ kind: "gradients", backend }));
  });
  stopButton.addEventListener("click", () => stop());
  saveButton.addEventListener("click", save);
}

async function start(): Promise<void> {
  for (const { name } of networks) modelBox.append(new Option(name, name, false, name === "resnet20"));
  listen();
  const webgpu = await offerWebgpu();
  device = webgpu.device;
  if (device !== undefined) byId("device").textContent = `WebGPU here: ${device}.`;
  if (device !== undefined && !webgpu.software) backendBox.value = "webgpu";
  void keepOffline();
}

void attempt(start);
