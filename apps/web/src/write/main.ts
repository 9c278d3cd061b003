import writers from "virtual:writers";
import { InputError, randomStream } from "@tfjs-zoo/models";
import { startBackend } from "../shared/backend.ts";
import { byId, make, percent } from "../shared/dom.ts";
import { keepOffline } from "../shared/offline.ts";
import { roam } from "../shared/roam.ts";
import { attempt, say } from "../shared/say.ts";
import { type Place, Writer } from "./writer.ts";

const network = byId<HTMLSelectElement>("network");
const prompt = byId<HTMLTextAreaElement>("prompt");
const temperature = byId<HTMLInputElement>("temperature");
const count = byId<HTMLInputElement>("count");
const text = byId("text");
const [write, stop] = [byId<HTMLButtonElement>("write"), byId<HTMLButtonElement>("stop")];

let writer: Writer | undefined;
/** ids that it began with, and what it wrote */
let begun: number[] = [];
let places: Place[] = [];
let stopped = false;
/** Another text for every press. */
let press = 0;

for (const { name } of writers) network.append(new Option(name, name));
temperature.addEventListener("input", () => {
  byId("temperature-value").textContent = Number(temperature.value).toFixed(2);
});
write.addEventListener("click", () => attempt(() => begin()));
stop.addEventListener("click", () => {
  stopped = true;
});
roam(text, ".place");
text.addEventListener("keydown", (event) => {
  if (!["Enter", " "].includes(event.key) || !(event.target as HTMLElement).matches(".place")) return;
  event.preventDefault();
  (event.target as HTMLElement).click();
});
void keepOffline();

async function begin(): Promise<void> {
  const opened = await open();
  const ids = opened.encode(prompt.value);
  if (ids.length === 0) throw new InputError("There is nothing to begin with: write at least one letter");
  begun = ids;
  places = [];
  text.replaceChildren(make("span", { className: "given", textContent: prompt.value }));
  await goOn(opened);
}

/** The network that is chosen, fetched where it has not been. */
async function open(): Promise<Writer> {
  if (writer?.name === network.value) return writer;
  const entry = writers.find(({ name }) => name === network.value);
  if (entry === undefined) throw new InputError("No network that writes came with this site");
  say("Starting …");
  await startBackend("wasm");
  writer?.dispose();
  writer = undefined;
  writer = await Writer.open(entry, (share) => say(`Fetching ${entry.name}: ${percent(share, 0)}`));
  return writer;
}

/** Writes on from what is there, up to as many letters as are asked for. */
async function goOn(opened: Writer): Promise<void> {
  const asked = Number(count.value);
  if (!Number.isInteger(asked) || asked < 1 || asked > 2000) {
    throw new InputError(`Letters: ${count.value || "nothing"} given, a whole number from 1 to 2000 expected`);
  }
  [write.disabled, stop.disabled, stopped] = [true, false, false];
  const random = randomStream("write", press++);
  const began = performance.now();
  let written = 0;
  try {
    const ids = [...begun, ...places.map(({ id }) => id)];
    const options = { count: asked, temperature: Number(temperature.value), random };
    for await (const place of opened.write(ids, options)) {
      places.push(place);
      text.append(shown(opened, place, places.length - 1));
      written++;
      say(`Writing: ${written} of ${asked}`);
      await new Promise(requestAnimationFrame);
      if (stopped) break;
    }
  } finally {
    [write.disabled, stop.disabled] = [false, true];
  }
  const seconds = (performance.now() - began) / 1000;
  say(`${written} letters in ${seconds.toFixed(1)} s by ${opened.name} on WebAssembly`);
}

/**
 * A place of the text, which shows its alternatives when it is chosen. The surer the network was, the plainer it is. It is
 * no <button>: lines break in no button, nor do words keep together that are many.
 */
function shown(opened: Writer, { id, probability }: Place, at: number): HTMLSpanElement {
  const letter = opened.decode([id]);
  const place = make("span", { className: "place", role: "button", textContent: letter });
  place.classList.toggle("line-end", /^[\r\n]+$/.test(letter));
  place.tabIndex = at === 0 ? 0 : -1; // one stop of the Tab key; arrows go on from there
  place.style.setProperty("--doubt", (1 - probability).toFixed(3));
  place.setAttribute("aria-label", `${spelt(letter)}, ${percent(probability, 0)}`);
  place.addEventListener("click", () => showAlternatives(opened, at));
  return place;
}

function showAlternatives(opened: Writer, at: number): void {
  const { id, probability, alternatives } = places[at];
  for (const place of text.querySelectorAll("[aria-pressed]")) place.removeAttribute("aria-pressed");
  text.children[at + 1].setAttribute("aria-pressed", "true");
  byId("alternatives-of").textContent =
    `It wrote ${spelt(opened.decode([id]))}, which it found ${percent(probability)} likely.`;
  byId("alternatives").replaceChildren(
    ...alternatives.map((other) => {
      const button = make("button", { type: "button", textContent: spelt(opened.decode([other.id])) });
      button.disabled = other.id === id;
      button.addEventListener("click", () => attempt(() => branch(opened, at, other.id, other.probability)));
      const bar = make("span", { className: "share" });
      bar.style.width = `${(100 * other.probability).toFixed(1)}%`;
      return make("li", {}, button, make("span", { className: "track" }, bar), ` ${percent(other.probability)}`);
    }),
  );
}

/** Writes another token in a place, and goes on from there. */
async function branch(opened: Writer, at: number, id: number, probability: number): Promise<void> {
  stopped = true;
  if (write.disabled) throw new InputError("It is still writing: stop it first");
  places = [...places.slice(0, at), { ...places[at], id, probability }];
  while (text.children.length > at + 1) text.lastElementChild?.remove();
  const place = shown(opened, places[at], at);
  if (text.querySelector('.place[tabindex="0"]') === null) place.tabIndex = 0; // what had it is gone
  text.append(place);
  await goOn(opened);
}

/** A token in words, where it can't be seen. */
function spelt(letter: string): string {
  const names: { [letter: string]: string } = { " ": "space", "\n": "new line", "\t": "tab" };
  return names[letter] ?? letter;
}
