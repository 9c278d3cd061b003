import { drawLatents, InputError, interpolation, randomStream } from "@tfjs-zoo/models";
import { make, part, percent } from "../shared/dom.ts";
import type { Pretrained } from "../shared/pretrained.ts";
import { roam } from "../shared/roam.ts";
import { type Voice, voiceOf } from "../shared/say.ts";
import type { Generators, RemoteGenerator } from "./generators.ts";
import { paintImages, toBytes } from "./images.ts";

/** Pictures to choose from. */
const PICTURES = 24;
/** Places on the way, and those of them that the strip shows. */
const [PLACES, SHOWN] = [49, 9];

/** Pictures of random numbers, and the way from one of them to another. */
export class BetweenPanel {
  private readonly voice: Voice;
  private readonly network: HTMLSelectElement;
  private readonly label: HTMLSelectElement;
  private readonly others: HTMLButtonElement;
  private readonly sheet: HTMLElement;
  private readonly large: HTMLCanvasElement;
  private readonly slider: HTMLInputElement;
  private generator: RemoteGenerator | undefined;
  private z: number[][] = [];
  /** the pictures at both ends of the way */
  private chosen: readonly [number, number] = [0, 5];
  /** the pictures of the way */
  private way: Uint8ClampedArray | undefined;
  private sheets = 0;

  constructor(
    private readonly section: HTMLElement,
    private readonly entries: readonly Pretrained[],
    private readonly generators: Generators,
  ) {
    this.voice = voiceOf(
      () => part(section, ".state"),
      () => part(section, ".problem"),
    );
    this.network = part(section, ".network");
    this.label = part(section, ".class");
    this.others = part(section, ".others");
    this.sheet = part(section, ".sheet");
    this.large = part(section, ".made canvas");
    this.slider = part(section, ".slider input");
    this.slider.max = String(PLACES - 1);
    this.network.append(...entries.map(({ name }) => new Option(name, name)));
    part(section, ".network-choice").hidden = entries.length === 1;
    this.network.addEventListener("change", () => this.open());
    this.label.addEventListener("change", () => this.voice.attempt(() => this.fill()));
    this.others.addEventListener("click", () => {
      this.sheets++;
      void this.voice.attempt(() => this.fill());
    });
    this.slider.addEventListener("input", () => this.showPlace());
    roam(this.sheet, "button");
  }

  /** Opens the network that is chosen, on the backend that is chosen now. */
  open(): Promise<void> {
    return this.voice.attempt(async () => {
      const entry = this.entries.find(({ name }) => name === this.network.value);
      if (entry === undefined) throw new InputError("No network that makes pictures came with this site");
      const opened = await this.generators.open(entry, this.voice.say);
      this.generator = opened;
      const { classes = [] } = opened;
      this.label.replaceChildren(...classes.map((name, label) => new Option(name, String(label))));
      part(this.section, ".class-choice").hidden = classes.length === 0;
      this.others.disabled = false;
      await this.fill();
      this.voice.say(`Pictures by ${opened.name}, of ${opened.latent} random numbers each`);
    });
  }

  /** Makes the pictures to choose from. */
  private async fill(): Promise<void> {
    const { generator } = this;
    if (generator === undefined) return;
    this.z = drawLatents(PICTURES, generator.latent, randomStream(this.sheets, "between"));
    const bytes = toBytes(await generator.make(this.z, this.classLabel));
    const size = bytes.length / PICTURES;
    const buttons = this.z.map((_, i) => {
      const canvas = make("canvas");
      paintImages(canvas, bytes.subarray(i * size, (i + 1) * size), generator.shape);
      const button = make("button", { type: "button", tabIndex: i === 0 ? 0 : -1 }, canvas);
      button.addEventListener("click", () => this.voice.attempt(() => this.choose(i)));
      return button;
    });
    this.sheet.replaceChildren(...buttons.map((button) => make("li", {}, button)));
    await this.showWay();
  }

  private get classLabel(): number | undefined {
    return this.generator?.classes && Number(this.label.value);
  }

  /** A picture that is chosen is the way's end; what was the end is now its beginning. */
  private async choose(picture: number): Promise<void> {
    const [, end] = this.chosen;
    if (picture === end) return;
    this.chosen = [end, picture];
    await this.showWay();
  }

  private async showWay(): Promise<void> {
    const { generator, chosen, slider } = this;
    if (generator === undefined) return;
    for (const [i, button] of [...this.sheet.querySelectorAll("button")].entries()) {
      const end = chosen.indexOf(i);
      button.ariaPressed = String(end >= 0);
      button.dataset.end = end >= 0 ? "AB"[end] : "";
      const words = ["", ": the way begins here", ": the way ends here"][end + 1];
      button.ariaLabel = `Picture ${i + 1}${words}`;
    }
    const z = interpolation(this.z[chosen[0]], this.z[chosen[1]], PLACES);
    this.way = toBytes(await generator.make(z, this.classLabel));
    const strip = part<HTMLCanvasElement>(this.section, ".strip");
    const size = this.way.length / PLACES;
    const shown = new Uint8ClampedArray(SHOWN * size);
    for (let i = 0; i < SHOWN; i++) shown.set(this.imageAt((i * (PLACES - 1)) / (SHOWN - 1)), i * size);
    paintImages(strip, shown, generator.shape);
    strip.ariaLabel = `${SHOWN} pictures from picture ${chosen[0] + 1} to picture ${chosen[1] + 1}`;
    slider.valueAsNumber = (PLACES - 1) / 2;
    this.showPlace();
  }

  private imageAt(place: number): Uint8ClampedArray {
    const way = this.way ?? new Uint8ClampedArray();
    const size = way.length / PLACES;
    return way.subarray(place * size, (place + 1) * size);
  }

  /** Shows the place on the way where the slider is. */
  private showPlace(): void {
    const { generator, way, slider, chosen } = this;
    if (generator === undefined || way === undefined) return;
    const place = slider.valueAsNumber;
    paintImages(this.large, this.imageAt(place), generator.shape);
    const share = percent(place / (PLACES - 1), 0);
    slider.ariaValueText = `${share} of the way`;
    this.large.ariaLabel = `${share} of the way from picture ${chosen[0] + 1} to picture ${chosen[1] + 1}`;
  }
}
