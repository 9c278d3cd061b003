import { byId } from "../shared/dom.ts";
import { Lane } from "../shared/lane.ts";
import { messageOf } from "../shared/message-of.ts";
import { paint } from "../shared/picture.ts";
import type { Classifier } from "../shared/pretrained.ts";
import type { Subject, View } from "./inside/subject.ts";
import type { Answer } from "./predict.ts";

/** What looks inside is fetched when it is first asked for, so that the page opens without it. */
const inside = () => import("./inside/index.ts");
type Inside = Awaited<ReturnType<typeof inside>>;

/** A part of the page that is computed while it is open. */
interface Part {
  isOpen(): boolean;
  /** @param onShare is told how much of it is done, 0 to 1 */
  look(inside: Inside, subject: Subject, signal: AbortSignal, onShare: (share: number) => void): Promise<View>;
  /** one for each picture */
  canvases: HTMLCanvasElement[];
  /** what is on them, in words */
  note: HTMLElement;
  /** how much is done, where that takes its time */
  share?: HTMLProgressElement;
  lane: Lane;
}

const overlayBox = byId<HTMLSelectElement>("overlay");
const classBox = byId<HTMLSelectElement>("class");
const layerBox = byId<HTMLSelectElement>("layer");
const epsilon = byId<HTMLInputElement>("epsilon");
const exciteButton = byId<HTMLButtonElement>("excite");

/** Looks inside the network that answered, as far as its parts of the page are open. */
export class LookInside {
  private answered: Omit<Subject, "classIndex"> | undefined;
  /** whose layers are offered */
  private layersFor: Classifier | undefined;
  private stop: AbortController | undefined;

  private readonly overlay: Part = {
    isOpen: () => overlayBox.value !== "none",
    look: ({ whereItLooks }, subject, signal, onShare) => whereItLooks(overlayBox.value, subject, signal, onShare),
    canvases: [byId("heat")],
    note: byId("overlay-note"),
    share: byId<HTMLProgressElement>("overlay-share"),
    lane: new Lane(),
  };
  private readonly maps = folded("maps", async ({ layersOf, layerMaps }, subject) => {
    if (this.layersFor !== subject.classifier) {
      layerBox.replaceChildren(...layersOf(subject.classifier).map((name) => new Option(name, name)));
      this.layersFor = subject.classifier;
    }
    return layerMaps(subject, layerBox.value);
  });
  private readonly filters = folded("filters", ({ firstFilters }, subject) => firstFilters(subject));
  private readonly fool = folded("fool", ({ fooled }, subject) => fooled(subject, Number(epsilon.value)));
  private readonly exciting = folded("exciting", async ({ whatExcites }, subject, signal, onShare) => {
    this.stop = new AbortController();
    exciteButton.textContent = "Stop";
    try {
      return await whatExcites(subject, this.stop.signal, signal, onShare);
    } finally {
      this.stop = undefined;
      exciteButton.textContent = "Make a picture";
    }
  });

  /** Those that follow the picture. */
  private readonly following = [this.overlay, this.maps, this.filters, this.fool];
  private readonly parts = [...this.following, this.exciting];

  constructor() {
    overlayBox.addEventListener("change", () => void this.update(this.overlay));
    layerBox.addEventListener("change", () => void this.update(this.maps));
    epsilon.addEventListener("input", () => {
      this.showEpsilon();
      void this.update(this.fool);
    });
    classBox.addEventListener("change", () => this.onClass());
    byId("bars").addEventListener("click", ({ target }) => {
      const bar = (target as HTMLElement).closest("button");
      if (bar === null) return;
      classBox.value = bar.value;
      this.onClass();
    });
    exciteButton.addEventListener("click", () => {
      if (this.stop === undefined) void this.update(this.exciting);
      else this.stop.abort();
    });
    for (const [id, part] of [
      ["maps", this.maps],
      ["filters", this.filters],
      ["fool", this.fool],
    ] as const) {
      byId(id).addEventListener("toggle", () => void this.update(part));
    }
    byId("exciting").addEventListener("toggle", () => void this.exciting.lane.end());
    this.showEpsilon();
  }

  /**
   * Looks at an answer, and resolves when all open parts show it.
   *
   * @param aloud whether those who hear the page are told
   */
  async look(classifier: Classifier, { ranked, seen }: Answer, aloud: boolean): Promise<void> {
    const [{ index: said, probability, name }] = ranked;
    this.answered = { classifier, seen, said, probability };
    if (classBox.options.length === 0) {
      const { classes } = classifier.info;
      classBox.append(new Option("", ""), ...classes.map((one, k) => new Option(one, String(k))));
    }
    classBox.options[0].text = `the likeliest (${name})`;
    for (const { note } of this.parts) note.setAttribute("aria-live", aloud ? "polite" : "off");
    exciteButton.disabled = false;
    this.markBar();
    if (aloud) clear(this.overlay); // it is of the picture before; a webcam's frames are alike
    await Promise.all(this.following.map((part) => this.update(part)));
  }

  /** Forgets network and picture, and resolves when nothing is computed with that network any more. */
  async leave(): Promise<void> {
    this.answered = undefined;
    classBox.replaceChildren();
    layerBox.replaceChildren();
    this.layersFor = undefined;
    exciteButton.disabled = true;
    for (const part of this.parts) clear(part);
    await Promise.all(this.parts.map(({ lane }) => lane.end()));
  }

  private onClass(): void {
    this.markBar();
    void this.update(this.overlay);
  }

  /** The bar of the class that is asked about. */
  private markBar(): void {
    const subject = this.subject();
    if (subject === undefined) return;
    const { classIndex, classifier } = subject;
    for (const bar of byId("bars").querySelectorAll("button")) {
      bar.setAttribute("aria-pressed", String(bar.value === String(classIndex)));
    }
    byId("exciting-class").textContent = classifier.info.classes[classIndex];
  }

  private subject(): Subject | undefined {
    if (this.answered === undefined) return undefined;
    return { ...this.answered, classIndex: classBox.value === "" ? this.answered.said : Number(classBox.value) };
  }

  private update(part: Part): Promise<void> {
    const subject = this.subject();
    return part.lane.run(async (signal) => {
      if (subject === undefined || !part.isOpen()) return clear(part);
      try {
        const { pictures, note } = await part.look(await inside(), subject, signal, (share) => showShare(part, share));
        signal.throwIfAborted();
        for (const [i, canvas] of part.canvases.entries()) paint(canvas, pictures[i]);
        for (const canvas of part.canvases) canvas.setAttribute("aria-label", note);
        part.note.textContent = note;
      } catch (error) {
        if (signal.aborted) return;
        clear(part);
        part.note.textContent = messageOf(error);
      } finally {
        showShare(part, 1);
      }
    });
  }

  private showEpsilon(): void {
    const words = `${epsilon.value}/255`;
    byId("epsilon-value").textContent = words;
    epsilon.setAttribute("aria-valuetext", words);
  }
}

/** A part that is a <details>. */
function folded(id: string, look: Part["look"]): Part {
  const details = byId<HTMLDetailsElement>(id);
  return {
    isOpen: () => details.open,
    look,
    canvases: [...details.querySelectorAll("canvas")],
    note: details.querySelector("[role=status]") as HTMLElement,
    share: details.querySelector("progress") ?? undefined,
    lane: new Lane(),
  };
}

function showShare({ share }: Part, done: number): void {
  if (share === undefined) return;
  share.value = done;
  share.hidden = done === 1;
}

function clear({ canvases, note }: Part): void {
  for (const canvas of canvases) paint(canvas, undefined);
  note.textContent = "";
}
