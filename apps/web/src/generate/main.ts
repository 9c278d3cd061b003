import makers from "virtual:makers";
import type { Backend } from "../shared/backend-name.ts";
import { byId, part, siteUrl } from "../shared/dom.ts";
import { keepOffline } from "../shared/offline.ts";
import type { Pretrained } from "../shared/pretrained.ts";
import { attempt } from "../shared/say.ts";
import { offerWebgpu } from "../shared/webgpu-option.ts";
import { BetweenPanel } from "./between-panel.ts";
import { Generators } from "./generators.ts";
import { NoisePanel } from "./noise-panel.ts";
import { WalkPanel } from "./walk-panel.ts";

const backendBox = byId<HTMLSelectElement>("backend");
const backend = () => backendBox.value as Backend;

/** The networks of a task, with the addresses at which a worker finds them. */
const ofTask = (task: string): Pretrained[] =>
  makers.filter(({ card }) => card.task === task).map((entry) => ({ ...entry, file: siteUrl(entry.file) }));

/** A section works where there are networks for it, and says so where there are none. */
function section(id: string, networks: readonly Pretrained[]): HTMLElement {
  const element = byId(id);
  part(element, ".none").hidden = networks.length > 0;
  part(element, ".works").hidden = networks.length === 0;
  return element;
}

async function start(): Promise<void> {
  const [autoencoders, gans, denoisers] = [ofTask("autoencoding"), ofTask("adversarial"), ofTask("diffusion")];
  const generators = new Generators(backend);
  const [walk, between, noise] = [
    section("walk", autoencoders),
    section("between", [...gans, ...autoencoders]),
    section("noise", denoisers),
  ];
  const [first] = autoencoders;
  const panels = [
    ...(first ? [new WalkPanel(walk, autoencoders, generators)] : []),
    ...(gans.length + autoencoders.length > 0
      ? [new BetweenPanel(between, [...gans, ...autoencoders], generators)]
      : []),
  ];
  if (denoisers.length > 0) new NoisePanel(noise, denoisers, backend);
  if (gans.length === 0 && first) {
    const note = part(between, ".no-gan");
    note.textContent =
      `No GAN came with this site (npm run train -- dcgan-mnist makes one, npm run zoo -- publish puts it in): ` +
      `the decoder of ${first.name} makes these pictures.`;
    note.hidden = false;
  }
  const openAll = () => Promise.all(panels.map((panel) => panel.open()));
  backendBox.addEventListener("change", openAll);
  const { missing, software } = await offerWebgpu();
  if (missing === undefined && !software) backendBox.value = "webgpu";
  await openAll();
  await keepOffline();
}

void attempt(start);
