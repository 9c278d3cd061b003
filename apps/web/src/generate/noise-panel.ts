import { InputError, type SamplerName } from "@tfjs-zoo/models";
import { type Backend, backendTitle } from "../shared/backend-name.ts";
import { part } from "../shared/dom.ts";
import { keepFiles } from "../shared/offline.ts";
import type { Pretrained } from "../shared/pretrained.ts";
import { type Voice, voiceOf } from "../shared/say.ts";
import { Film } from "./film.ts";
import type { Sampling, SamplingOrder, SamplingReport } from "./protocol.ts";

/** Values of the class that are none. */
const [IN_TURN, NONE] = ["in turn", "none"];

/** Steps that a sampler needs for fair images, about. */
const enough: { readonly [name in SamplerName]: number } = { "dpm-solver": 20, ddim: 50, ddpm: 200 };

/** Where images come out of noise, step by step. */
export class NoisePanel {
  private readonly voice: Voice;
  private readonly film: Film;
  private readonly make: HTMLButtonElement;
  private readonly stop: HTMLButtonElement;
  private readonly progress: HTMLProgressElement;
  private readonly selects: { network: HTMLSelectElement; class: HTMLSelectElement; sampler: HTMLSelectElement };
  private readonly numbers: { [name in "steps" | "count" | "seed" | "guidance"]: HTMLInputElement };
  private worker: Worker | undefined;
  /** what is being made */
  private order: SamplingOrder | undefined;

  constructor(
    private readonly section: HTMLElement,
    private readonly entries: readonly Pretrained[],
    private readonly backend: () => Backend,
  ) {
    this.voice = voiceOf(
      () => part(section, ".state"),
      () => part(section, ".problem"),
    );
    this.film = new Film(part(section, ".denoising"));
    this.make = part(section, "[type=submit]");
    this.stop = part(section, ".stop");
    this.progress = part(section, "progress");
    this.selects = {
      network: part(section, ".network"),
      class: part(section, ".class"),
      sampler: part(section, ".sampler"),
    };
    this.numbers = {
      steps: part(section, ".steps"),
      count: part(section, ".count"),
      seed: part(section, ".seed"),
      guidance: part(section, ".guidance"),
    };
    this.listen();
    this.selects.network.append(...entries.map(({ name }) => new Option(name, name)));
    part(section, ".network-choice").hidden = entries.length === 1;
    this.offerClasses();
  }

  private listen(): void {
    const { section, numbers, selects, voice } = this;
    part(section, "form").addEventListener("submit", (event) => {
      event.preventDefault();
      void voice.attempt(async () => this.ask());
    });
    this.stop.addEventListener("click", () => {
      this.end();
      voice.say(this.film.steps > 0 ? `Stopped after ${this.film.steps} of ${this.film.of} steps` : "Stopped");
    });
    part(section, ".reseed").addEventListener("click", () => {
      numbers.seed.valueAsNumber = (numbers.seed.valueAsNumber + 1) % 2 ** 32 || 0;
      if (this.order === undefined) void voice.attempt(async () => this.ask());
    });
    selects.network.addEventListener("change", () => this.offerClasses());
    selects.sampler.addEventListener("change", () => {
      numbers.steps.valueAsNumber = enough[selects.sampler.value as SamplerName];
    });
    const showGuidance = () => {
      part(section, ".guidance-choice output").textContent = numbers.guidance.valueAsNumber.toFixed(1);
      numbers.guidance.disabled = selects.class.value === NONE;
    };
    numbers.guidance.addEventListener("input", showGuidance);
    selects.class.addEventListener("change", showGuidance);
    showGuidance();
  }

  private get entry(): Pretrained {
    return this.entries.find(({ name }) => name === this.selects.network.value) as Pretrained;
  }

  private offerClasses(): void {
    const { classes = [] } = this.entry.card;
    this.selects.class.replaceChildren(
      new Option("each in turn", IN_TURN),
      ...classes.map((name, label) => new Option(name, String(label))),
      new Option("none", NONE),
    );
    for (const choice of [".class-choice", ".guidance-choice"])
      part(this.section, choice).hidden = classes.length === 0;
  }

  private sampling(): Sampling {
    const { steps, count, seed, guidance } = this.numbers;
    const images = count.valueAsNumber;
    const { classes = [] } = this.entry.card;
    const chosen = this.selects.class.value;
    const labelOf = (image: number) => (chosen === IN_TURN ? image % classes.length : Number(chosen));
    return {
      sampler: this.selects.sampler.value as SamplerName,
      ...{ steps: steps.valueAsNumber, images, seed: seed.valueAsNumber, guidance: guidance.valueAsNumber },
      labels:
        classes.length === 0 || chosen === NONE ? undefined : Array.from({ length: images }, (_, i) => labelOf(i)),
    };
  }

  private ask(): void {
    if (this.order !== undefined) throw new InputError("It is still making pictures: stop it first");
    this.worker ??= this.start();
    this.order = { entry: this.entry, backend: this.backend(), sampling: this.sampling() };
    this.worker.postMessage(this.order);
    this.setBusy(true);
    this.voice.say("Starting …");
  }

  private start(): Worker {
    const worker = new Worker(new URL("./sampler-worker.ts", import.meta.url), { type: "module" });
    worker.addEventListener("message", ({ data }: MessageEvent<SamplingReport>) => {
      if (worker === this.worker) this.hear(data); // what one that was ended said last is not heard
    });
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.end();
      this.voice.say("");
      this.voice.complain(
        `The network does not start in this browser: ${event.message || "its worker can't be loaded"}`,
      );
    });
    return worker;
  }

  /** Ends what is being computed, at once. */
  private end(): void {
    this.worker?.terminate();
    this.worker = undefined;
    this.finish();
  }

  private finish(): void {
    this.order = undefined;
    this.setBusy(false);
    part(this.section, ".live").textContent = "";
  }

  private setBusy(busy: boolean): void {
    this.make.disabled = busy;
    this.stop.disabled = !busy;
    this.progress.hidden = !busy;
    this.progress.value = 0;
  }

  private hear(report: SamplingReport): void {
    const { order, film, voice } = this;
    if (order === undefined) return;
    const { sampling, entry, backend } = order;
    if (report.kind === "state") voice.say(report.text);
    else if (report.kind === "begun") {
      void keepFiles([entry.file]);
      const names = entry.card.classes;
      film.begin(
        report.shape,
        sampling.steps,
        sampling.labels?.map((label) => names?.[label] ?? String(label)),
        sampling.images,
      );
      voice.say("Taking noise away …");
    } else if (report.kind === "frame") {
      const { frame, secondsLeft } = report;
      film.add(frame);
      this.progress.value = frame.step / sampling.steps;
      // A live region would speak at every step: this line is none.
      part(this.section, ".live").textContent =
        `Step ${frame.step} of ${sampling.steps}, from time ${frame.t}: ${Math.ceil(secondsLeft)}\u00a0s left`;
    } else if (report.kind === "finished") {
      this.finish();
      const pictures = sampling.images === 1 ? "A picture" : `${sampling.images} pictures`;
      const took = `${report.seconds.toFixed(1)}\u00a0s on ${backendTitle[backend]}`;
      voice.say(`${pictures} in ${sampling.steps} steps by ${entry.name}: ${took}`);
    } else {
      this.finish();
      voice.say("");
      voice.complain(report.text);
    }
  }
}
