import { drawLatents, InputError, randomStream } from "@tfjs-zoo/models";
import { part } from "../shared/dom.ts";
import { Lane } from "../shared/lane.ts";
import type { Pretrained } from "../shared/pretrained.ts";
import { fetchSample, type Sample, sampleButton, samplesOf } from "../shared/samples.ts";
import { type Voice, voiceOf } from "../shared/say.ts";
import type { Generators, RemoteGenerator } from "./generators.ts";
import { paintImages, toBytes, valuesOf } from "./images.ts";
import { FAR, LatentMap, type Spot, within } from "./latent-map.ts";
import { endsOf, NumberList, nameOf } from "./number-list.ts";
import { type Plane, planeOfCorners, planeOfNumbers } from "./plane.ts";

/** Pictures of the map, across and up. */
const TILES = 15;

/** Samples in the map's corners to begin with: top left, top right, bottom left, bottom right. */
const CORNERS = ["7", "9", "2", "0"];

/** Where one is on a new map of pictures: near the first of them. */
const BEGINNING: Spot = { across: -2, up: 2 };

/** A walk through the space of z of an autoencoder, one of several: a plane of it as a map, and a slider for each of its numbers. */
export class WalkPanel {
  private readonly voice: Voice;
  private readonly network: HTMLSelectElement;
  private readonly map: LatentMap;
  private readonly picture: HTMLCanvasElement;
  private readonly laid: HTMLSelectElement;
  private readonly axes: readonly [across: HTMLSelectElement, up: HTMLSelectElement];
  private readonly corners: readonly HTMLSelectElement[];
  private samples: readonly Sample[] = [];
  /** What is drawn large, and what lies around it: the newest of each counts. */
  private readonly large = new Lane();
  private readonly around = new Lane();
  private generator: RemoteGenerator | undefined;
  private numbers: NumberList | undefined;
  private latent = 0;
  /** z is what lies at the spot of the plane, moved by the offset. */
  private plane: Plane | undefined;
  private spot = BEGINNING;
  private offset: number[] = [];
  /** Whether the map shows another plane. */
  private isMapStale = true;
  private places = 0;

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
    this.network.append(...entries.map(({ name }) => new Option(name, name)));
    part(section, ".network-choice").hidden = entries.length === 1;
    this.picture = part(section, ".made canvas");
    this.map = new LatentMap(part(section, ".plane"), {
      onMove: (spot) => this.moveTo(spot),
      onPoint: (spot = this.spot) => this.draw(spot),
    });
    this.laid = part(section, ".laid");
    this.axes = [part(section, ".across"), part(section, ".up")];
    this.corners = [...section.querySelectorAll<HTMLSelectElement>(".corners select")];
    this.listen();
  }

  private listen(): void {
    const { section, axes, corners, voice } = this;
    this.network.addEventListener("change", () => this.open());
    this.laid.addEventListener("change", () => voice.attempt(() => this.layMap()));
    for (const [i, axis] of axes.entries()) axis.addEventListener("change", () => this.chooseAxis(axis, axes[1 - i]));
    for (const corner of corners) corner.addEventListener("change", () => voice.attempt(() => this.layMap()));
    part(section, ".anywhere").addEventListener("click", () => {
      const [z] = drawLatents(1, this.latent, randomStream("walk", this.places++));
      this.go(z);
    });
    part(section, ".middle").addEventListener("click", () => this.go(new Array<number>(this.latent).fill(0)));
  }

  /** Opens the network that is chosen, on the backend that is chosen now; the one that is open goes on where it was. */
  open(): Promise<void> {
    return this.voice.attempt(async () => {
      const entry = this.entries.find(({ name }) => name === this.network.value);
      if (entry === undefined) throw new InputError("No autoencoder came with this site");
      const opened = await this.generators.open(entry, this.voice.say);
      const isOpen = this.generator?.name === opened.name;
      const order = isOpen ? [] : await orderOf(opened);
      if (this.network.value !== entry.name) return; // another was chosen meanwhile
      this.generator = opened;
      if (isOpen) this.showAnew();
      else await this.layOut(opened, order, samplesOf(entry.card.metric.dataset));
      const size = opened.shape.slice(0, 2).join("×");
      this.voice.say(`${opened.name}: ${opened.latent} numbers make a picture of ${size} pixels`);
    });
  }

  /** Lists the numbers, in this order, offers the samples, and lays the first map. */
  private async layOut(
    { latent, encodes }: RemoteGenerator,
    order: readonly number[],
    samples: readonly Sample[],
  ): Promise<void> {
    const { section, voice } = this;
    Object.assign(this, {
      latent,
      samples,
      plane: undefined,
      spot: BEGINNING,
      offset: new Array<number>(latent).fill(0),
    });
    this.numbers = new NumberList(part(section, ".numbers"), order, (number, value) => this.moveNumber(number, value));
    for (const [i, select] of this.axes.entries()) {
      select.replaceChildren(...order.map((number) => new Option(nameOf(number), String(number))));
      select.value = String(order[Math.min(i, order.length - 1)]);
    }
    for (const [i, corner] of this.corners.entries()) {
      corner.replaceChildren(...samples.map(({ title }, sample) => new Option(title, String(sample))));
      const first = samples.findIndex(({ title }) => title === CORNERS[i]);
      corner.value = String(first < 0 ? i % samples.length : first);
    }
    part(section, ".samples").replaceChildren(
      ...samples.map((sample) =>
        sampleButton(sample, () => voice.attempt(async () => this.go(await this.zOf(sample)))),
      ),
    );
    const hasPictures = encodes && samples.length > 0;
    part(section, ".laid-choice").hidden = part(section, ".samples").hidden = !hasPictures;
    if (!hasPictures) this.laid.value = "numbers";
    await this.layMap();
  }

  private get isOfPictures(): boolean {
    return this.laid.value === "pictures";
  }

  private get chosenAxes(): { across: number; up: number } {
    const [across, up] = this.axes.map(({ value }) => Number(value));
    return { across, up };
  }

  /** The place where one is. */
  private get z(): number[] {
    return this.placeOf(this.spot);
  }

  private placeOf(spot: Spot): number[] {
    const { plane, offset } = this;
    return plane?.at(spot).map((value, i) => value + offset[i]) ?? offset;
  }

  /** Lays the map as is chosen: among four pictures, or along two numbers through where one is. */
  private async layMap(): Promise<void> {
    const { section, isOfPictures, corners, generator } = this;
    if (generator === undefined) return;
    part(section, ".corners").hidden = !isOfPictures;
    part(section, ".axes").hidden = part(section, ".beginnings").hidden = isOfPictures;
    if (!isOfPictures) return this.go(this.plane === undefined ? new Array<number>(this.latent).fill(0) : this.z);
    const ends = await Promise.all(corners.map(({ value }) => this.zOf(this.samples[Number(value)])));
    if (this.generator !== generator) return;
    Object.assign(this, { plane: planeOfCorners(ends), spot: BEGINNING, offset: ends[0].map(() => 0) });
    this.showAnew();
  }

  private async zOf(sample: Sample): Promise<number[]> {
    const { generator } = this;
    if (generator === undefined) return [];
    const pixels = await valuesOf(await fetchSample(sample), sample.title, generator.shape);
    return [...(await generator.encode(pixels))];
  }

  /** Goes to a place of the space, on a map of two numbers that lies there. */
  private go(z: readonly number[]): void {
    if (this.generator === undefined) return;
    const axes = this.chosenAxes;
    const places = z.map(within);
    this.plane = planeOfNumbers(this.latent, axes);
    this.spot = { across: places[axes.across], up: places[axes.up] };
    this.offset = places.map((value, i) => (i === axes.across || i === axes.up ? 0 : value));
    this.showAnew();
  }

  /** Two axes are never the same. */
  private chooseAxis(chosen: HTMLSelectElement, other: HTMLSelectElement): void {
    if (chosen.value === other.value) {
      other.value = [...chosen.options].find(({ value }) => value !== chosen.value)?.value ?? other.value;
    }
    this.go(this.z);
  }

  private moveTo(spot: Spot): void {
    this.spot = spot;
    this.show();
  }

  /** A number that is an axis moves the spot; any other moves the map. */
  private moveNumber(number: number, value: number): void {
    const { across, up } = this.chosenAxes;
    const isAxis = !this.isOfPictures && (number === across || number === up);
    if (isAxis) this.moveTo({ ...this.spot, [number === across ? "across" : "up"]: value });
    else {
      this.offset[number] += value - this.z[number];
      this.showAnew();
    }
  }

  /** Draws all, the map too. */
  private showAnew(): void {
    this.isMapStale = true;
    this.show();
  }

  /** Draws what follows from z. */
  private show(): void {
    const { spot, plane } = this;
    this.numbers?.show(this.z);
    this.map.show(spot, plane?.name(spot) ?? "");
    this.draw(spot);
    void this.around.run(() => this.voice.attempt(() => this.drawAround()));
  }

  /** Draws the picture of a spot large. */
  private draw(spot: Spot): void {
    const { generator, plane } = this;
    if (generator === undefined || plane === undefined) return;
    void this.large.run(() =>
      this.voice.attempt(async () => {
        paintImages(this.picture, toBytes(await generator.make([this.placeOf(spot)])), generator.shape);
        this.picture.ariaLabel = `What the decoder draws at ${plane.name(spot)}`;
        part(this.section, ".place").textContent = plane.name(spot);
      }),
    );
  }

  /** Draws the map, where it is another, and what the ends of each number would make. */
  private async drawAround(): Promise<void> {
    const { generator, numbers } = this;
    if (generator === undefined) return;
    if (this.isMapStale) {
      this.isMapStale = false;
      const at = (tile: number) => FAR * ((2 * tile + 1) / TILES - 1);
      const places = Array.from({ length: TILES ** 2 }, (_, i) =>
        this.placeOf({ across: at(i % TILES), up: -at(Math.floor(i / TILES)) }),
      );
      paintImages(this.map.canvas, toBytes(await generator.make(places)), generator.shape, { columns: TILES });
    }
    if (this.generator !== generator) return; // these numbers are not its own
    numbers?.showEnds(toBytes(await generator.make(endsOf(this.z))), generator.shape);
  }
}

/** The numbers of z, those first that change most of a picture in the middle of the space. */
async function orderOf({ latent, make }: RemoteGenerator): Promise<number[]> {
  const images = await make(endsOf(new Array<number>(latent).fill(0)));
  const size = images.length / (2 * latent);
  const changes = Array.from({ length: latent }, (_, number) => {
    const low = 2 * number * size;
    let sum = 0;
    for (let i = low; i < low + size; i++) sum += Math.abs(images[i] - images[i + size]);
    return sum;
  });
  return [...changes.keys()].sort((a, b) => changes[b] - changes[a]);
}
