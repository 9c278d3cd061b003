import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import {
  drawLatents,
  findDenoiser,
  findGan,
  interpolation,
  noiseSchedule,
  randomStream,
  type SamplerName,
  samplers,
  unetDenoiser,
} from "@tfjs-zoo/models";
import { type CardFields, createCard } from "@tfjs-zoo/models/weights";
import {
  autoencoderFrom,
  type DiffusionInfo,
  diffusionFrom,
  drawnImages,
  generatedImages,
  generatorFrom,
  readAutoencoder,
  readDiffusion,
  readGan,
  saveDiffusion,
  saveGan,
  startBackend,
} from "@tfjs-zoo/training/node";
import type { Browser, BrowserContext, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pretrainedCards, pretrainedFolder } from "../../apps/cli/src/pretrained.ts";
import type {
  GeneratorOrder,
  GeneratorReport,
  SamplingOrder,
  SamplingReport,
} from "../../apps/web/src/generate/protocol.ts";
import { chromiumHere, type Listened, openChromium, openPage } from "./open-chromium.ts";
import { openSite, type Site } from "./site.ts";

const VAE = join(pretrainedFolder(), "vae.mnist/model.safetensors");
/** of 50 numbers, by two hidden layers */
const LARGER = "vae-2x200.mnist";
const samples = fileURLToPath(new URL("../../apps/web/public/samples/mnist", import.meta.url));

/** The tasks of the networks that ship. */
const ships = new Set((await pretrainedCards()).map(({ task }) => task));

/** As large as a picture of this network can be small: its height is halved twice, down to where it attends. */
const SHAPE = [28, 4, 1] as const;
const CLASSES = ["lines", "dots", "waves"];
const TIMES = 200;
const info: DiffusionInfo = {
  ...{ model: "ddpm", dataset: "mnist", inputShape: SHAPE, classes: CLASSES },
  ...{ noise: "cosine", times: TIMES, prediction: "epsilon" },
};

/** Puts a card beside weights that have learned nothing. */
async function writeCard(path: string, bytes: Uint8Array, fields: Pick<CardFields, "model" | "task" | "inputShape">) {
  const metric = { name: "loss", value: 1, dataset: "mnist", split: "test", images: 1, epoch: 0 };
  const card = await createCard(
    {
      ...{ ...fields, tag: "untrained", normalisation: null, classes: CLASSES, parameters: 1, macs: 1, metric },
      ...{ recipe: "none", seed: 0, backend: "wasm", precision: "f32", command: "none" },
    },
    bytes,
  );
  await writeFile(join(dirname(path), "card.json"), JSON.stringify(card));
}

/** Multiplies the last layer's weights, so that what it makes is not all alike. */
function enlarge({ weights }: tfl.LayersModel, factor: number): void {
  const last = weights.filter(({ shape }) => shape.length === 4).at(-1);
  const larger = tf.tidy(() => tf.mul(last?.read() as tf.Tensor, factor));
  last?.write(larger);
  larger.dispose();
}

/** Publishes a network of diffusion that has learned nothing, but whose weights are all there. */
async function publishDenoiser(folder: string): Promise<string> {
  await startBackend("wasm", { setup: false });
  const path = join(folder, "ddpm.untrained/model.safetensors");
  await mkdir(dirname(path), { recursive: true });
  const model = findDenoiser("ddpm").build({ inputShape: SHAPE, classes: CLASSES.length, seed: 0 });
  enlarge(model, 1e5); // it begins next to 0
  await writeCard(path, await saveDiffusion(path, model, info), {
    model: "ddpm",
    task: "diffusion",
    inputShape: SHAPE,
  });
  model.dispose();
  return path;
}

/** Publishes a GAN that has learned nothing. */
async function publishGan(folder: string): Promise<string> {
  await startBackend("wasm", { setup: false });
  const path = join(folder, "dcgan-mnist.untrained/model.safetensors");
  await mkdir(dirname(path), { recursive: true });
  const entry = findGan("dcgan-mnist");
  const { inputShape } = entry;
  const gan = entry.build({ latent: 6, classes: CLASSES.length, seed: 0 });
  enlarge(gan.generator, 50);
  const bytes = await saveGan(path, gan, {
    model: entry.name,
    dataset: "mnist",
    inputShape,
    latent: 6,
    classes: CLASSES,
  });
  await writeCard(path, bytes, { model: entry.name, task: "adversarial", inputShape });
  gan.dispose();
  return path;
}

/** What Node's own generator of a GAN makes of a z and a class. */
async function generatedInNode(path: string, z: readonly number[], label: number): Promise<Float32Array> {
  await startBackend("wasm", { setup: false });
  const gan = generatorFrom(await readGan(path), path);
  const images = tf.tidy(() => generatedImages(gan, tf.tensor2d([...z], [1, 6]), tf.tensor1d([label], "int32")));
  const values = Float32Array.from(await images.data());
  images.dispose();
  gan.generator.dispose();
  return values;
}

/** What Node's own autoencoder makes of z [n][latent], and where it says that samples lie. */
async function vaeInNode(path = VAE): Promise<{
  make(z: readonly (readonly number[])[]): Promise<Float32Array>;
  encode(file: string): Promise<number[]>;
}> {
  await startBackend("wasm", { setup: false });
  const vae = autoencoderFrom(await readAutoencoder(path), path);
  const values = async (tensor: tf.Tensor) => {
    const data = Float32Array.from(await tensor.data());
    tensor.dispose();
    return data;
  };
  return {
    make: (z) => values(tf.tidy(() => drawnImages(vae, tf.tensor2d(z as number[][])))),
    async encode(file) {
      const pixels = await sharp(join(samples, file)).greyscale().raw().toBuffer();
      const image = Float32Array.from(pixels, (byte) => byte / 255);
      const mean = tf.tidy(() => (vae.encode.apply(tf.tensor4d(image, [1, 28, 28, 1])) as tf.Tensor[])[0]);
      return [...(await values(mean))];
    },
  };
}

/** The images that Node makes out of noise, −1 to 1, after each step. */
async function sampledInNode(path: string, { sampling }: SamplingOrder): Promise<{ x: number[]; x0: number[] }[]> {
  await startBackend("wasm", { setup: false });
  const model = diffusionFrom(await readDiffusion(path), path);
  const { sampler, steps, images, seed, labels, guidance: strength } = sampling;
  const made: { x: number[]; x0: number[] }[] = [];
  const last: tf.Tensor = await samplers[sampler]({
    ...{ denoise: unetDenoiser(model), schedule: noiseSchedule(info.noise, TIMES), shape: [images, ...SHAPE], steps },
    guidance: labels && { labels, classes: CLASSES.length, strength },
    random: (...where) => randomStream(seed, "sample", ...where),
    onStep: ({ x, x0 }) => {
      made.push({ x: [...x.dataSync()], x0: [...x0.dataSync()] });
    },
  });
  last.dispose();
  model.dispose();
  return made;
}

/** Has a page write down what it says to its workers, and what they answer. */
function overhear(): void {
  const heard: { orders: unknown[]; reports: unknown[] } = { orders: [], reports: [] };
  const Plain = Worker;
  Object.assign(window, {
    heard,
    Worker: class extends Plain {
      constructor(url: string | URL, options?: WorkerOptions) {
        super(url, options);
        this.addEventListener("message", ({ data }) => heard.reports.push(data));
      }
      override postMessage(data: unknown): void {
        heard.orders.push(data);
        super.postMessage(data);
      }
    },
  });
}

type Overheard = typeof globalThis & {
  heard: { orders: (GeneratorOrder | SamplingOrder)[]; reports: (GeneratorReport | SamplingReport)[] };
};

describe.skipIf(chromiumHere() === undefined)("generate in Chromium", () => {
  let folder: string;
  let denoiser: string;
  let gan: string;
  let site: Site;
  let browser: Browser;
  let opened: Listened;
  let page: Page;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "zoo-generate-"));
    denoiser = await publishDenoiser(folder);
    gan = await publishGan(folder);
    [site, browser] = await Promise.all([openSite(["--weights", folder]), openChromium()]);
    opened = await open();
    ({ page } = opened);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  async function open(from = browser, context?: BrowserContext): Promise<Listened> {
    const visitor = context ?? (await from.newContext());
    await visitor.addInitScript(overhear);
    return openPage(visitor, `${site.url}generate/index.html`);
  }
  const text = (selector: string, tab = page) => tab.locator(selector).textContent();
  async function ready(tab: Page): Promise<void> {
    await expect.poll(() => text("#walk .state", tab), { timeout: 50_000 }).toMatch(/^vae\.mnist: 20 numbers make/);
    await expect.poll(() => text("#between .state", tab), { timeout: 50_000 }).toMatch(/^Pictures by /);
    await settled(tab);
  }

  /** Chooses in a select that is hidden where there is only one network. */
  const choose = (selector: string, value: string, tab = page) =>
    tab.locator(selector).selectOption(value, { force: true });

  /** Waits until the worker that makes images of z has nothing left to do. */
  const settled = (tab = page, timeout = 30_000) =>
    expect
      .poll(
        () =>
          tab.evaluate(() => {
            const { orders, reports } = (globalThis as Overheard).heard;
            const answered = new Set(reports.map((report) => ("id" in report ? report.id : undefined)));
            return orders.every((order) => !("id" in order) || answered.has(order.id));
          }),
        { timeout },
      )
      .toBe(true);

  /** The newest image that was made alone: its z, and what the worker made of it. */
  const newest = (tab = page) =>
    tab.evaluate(() => {
      const { orders, reports } = (globalThis as Overheard).heard;
      for (const order of [...orders].reverse()) {
        if (!("kind" in order) || order.kind !== "make" || order.z.length !== 20) continue;
        const answer = reports.find((report) => "id" in report && report.id === order.id);
        if (answer?.kind === "values") return { z: [...order.z], values: [...answer.values] };
      }
      throw new Error("no image was made alone");
    });

  /** The red bytes of a canvas, or of a part of it. */
  const bytesOf = (selector: string, [x, y, width, height]: number[] = [], tab = page) =>
    tab.locator(selector).evaluate(
      (element, [left, top, across, down]) => {
        const canvas = element as HTMLCanvasElement;
        const context = canvas.getContext("2d") as CanvasRenderingContext2D;
        const { data } = context.getImageData(left ?? 0, top ?? 0, across ?? canvas.width, down ?? canvas.height);
        return Array.from({ length: data.length / 4 }, (_, i) => data[4 * i]);
      },
      [x, y, width, height],
    );

  function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, most: number): void {
    expect(actual.length).toBe(expected.length);
    let worst = 0;
    for (let i = 0; i < actual.length; i++) worst = Math.max(worst, Math.abs(actual[i] - expected[i]));
    expect(worst).toBeLessThan(most);
  }
  const inBytes = (values: ArrayLike<number>) => Array.from(values, (value) => 255 * value);

  it("draws on its map what Node's decoder makes of the places between four samples", async () => {
    await ready(page);
    const vae = await vaeInNode();
    const corners = await Promise.all(["17-7.png", "9-9.png", "35-2.png", "10-0.png"].map(vae.encode));
    const at = (right: number, top: number) =>
      corners[0].map((_, i) => {
        const [topLeft, topRight, bottomLeft, bottomRight] = corners.map((z) => z[i]);
        return (
          top * (right * topRight + (1 - right) * topLeft) +
          (1 - top) * (right * bottomRight + (1 - right) * bottomLeft)
        );
      });
    const { z, values } = await newest();
    expectClose(z, at(1 / 6, 5 / 6), 1e-3);
    const expected = await vae.make([z]);
    expectClose(values, expected, 1e-3);
    expectClose(await bytesOf("#walk .made canvas"), inBytes(expected), 1.01);
    expect(await text("#walk .place")).toBe("17\u00a0% to the right, 83\u00a0% up");
    // Tiles are 28 pixels wide, 15 in a row: the first one, one in the middle, and the last one.
    for (const [column, row] of [
      [0, 0],
      [7, 7],
      [14, 14],
    ]) {
      const tile = await vae.make([at((column + 0.5) / 15, 1 - (row + 0.5) / 15)]);
      expectClose(await bytesOf("#walk .plane canvas", [28 * column, 28 * row, 28, 28]), inBytes(tile), 1.01);
    }
  });

  it("is walked by keys", async () => {
    const map = page.getByRole("slider", { name: "Place on the map" });
    await map.focus();
    const before = await bytesOf("#walk .made canvas");
    await page.keyboard.press("Home");
    await settled();
    expect(await map.getAttribute("aria-valuetext")).toBe("50\u00a0% to the right, 50\u00a0% up");
    expect(await bytesOf("#walk .made canvas")).not.toEqual(before);
    for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft", "Shift+ArrowDown", "ArrowUp"]) {
      await page.keyboard.press(key);
    }
    await settled();
    expect(await map.getAttribute("aria-valuenow")).toBe("0.10");
    expect(await map.getAttribute("aria-valuetext")).toBe("52\u00a0% to the right, 43\u00a0% up");
    const { values } = await newest();
    expectClose(await bytesOf("#walk .made canvas"), inBytes(values), 1.01);
    expect(await page.locator("#walk .made canvas").getAttribute("aria-label")).toMatch(/at 52\u00a0% to the right/);
  });

  it("shows what is under the pointer, and stays where it is pressed", async () => {
    const map = page.locator("#walk .plane");
    const { width, height } = (await map.boundingBox()) ?? { width: 0, height: 0 };
    const pointAt = (right: number, down: number) => map.hover({ position: { x: right * width, y: down * height } });
    const stayed = await text("#walk .place");
    await pointAt(0.25, 0.25);
    await expect.poll(() => text("#walk .place")).toBe("25\u00a0% to the right, 75\u00a0% up");
    await page.locator("#walk-title").hover();
    await expect.poll(() => text("#walk .place")).toBe(stayed);
    await pointAt(0.25, 0.25);
    await page.mouse.down();
    await pointAt(0.75, 0.5);
    await page.mouse.up();
    await page.locator("#walk-title").hover();
    await expect.poll(() => text("#walk .place")).toBe("75\u00a0% to the right, 50\u00a0% up");
    await settled();
    expect(await map.getAttribute("aria-valuetext")).toBe("75\u00a0% to the right, 50\u00a0% up");
  });

  it("has a slider for each number of z, with what its ends make", async () => {
    const vae = await vaeInNode();
    const rows = page.locator("#walk .numbers li");
    expect(await rows.count()).toBe(20);
    const map = await bytesOf("#walk .plane canvas");
    const slider = rows.nth(3).getByRole("slider");
    const number = Number(/\d+/.exec((await rows.nth(3).locator("span").textContent()) ?? "")?.[0]) - 1;
    await slider.focus();
    await page.keyboard.press("End");
    await settled();
    const { z, values } = await newest();
    expect(z[number]).toBeCloseTo(3, 5);
    expectClose(values, await vae.make([z]), 1e-3);
    expect(await rows.nth(3).locator("output").textContent()).toBe("3.00");
    expect(await bytesOf("#walk .plane canvas")).not.toEqual(map);
    const low = z.map((own, i) => (i === number ? -3 : own));
    const ends = "#walk .numbers li:nth-child(4) canvas";
    expectClose(await bytesOf(`${ends}:first-child`), inBytes(await vae.make([low])), 1.01);
    expectClose(await bytesOf(`${ends}:last-child`), inBytes(values), 1.01);
  });

  it("lays its map along two numbers, through any picture", async () => {
    const vae = await vaeInNode();
    await page.locator("#walk .laid").selectOption("numbers");
    await page.locator("#walk .samples").getByRole("button", { name: "4" }).click();
    const place = (await vae.encode("6-4.png")).map((value) => Math.max(-3, Math.min(3, value)));
    await expect
      .poll(async () => Math.max(...(await newest()).z.map((own, i) => Math.abs(own - place[i]))))
      .toBeLessThan(0.006);
    await page.locator("#walk .across").selectOption("4");
    await page.locator("#walk .up").selectOption("4"); // as the other axis: that one gives way
    expect(await page.locator("#walk .across").inputValue()).not.toBe("4");
    const across = Number(await page.locator("#walk .across").inputValue());
    await page.locator("#walk .plane").focus();
    for (const key of ["Home", "Shift+ArrowUp", "ArrowLeft"]) await page.keyboard.press(key);
    await settled();
    const { z } = await newest();
    expect([z[across], z[4]].map((value) => value.toFixed(3))).toEqual(["-0.100", "0.500"]);
    expect(await text("#walk .place")).toBe(`z\u00a0${across + 1} = −0.10, z\u00a05 = 0.50`);
    const middle = z.map((own, i) => (i === 4 || i === across ? 0 : own));
    const tile = await vae.make([middle]);
    expectClose(await bytesOf("#walk .plane canvas", [28 * 7, 28 * 7, 28, 28]), inBytes(tile), 1.01);
    await page.getByRole("button", { name: "The middle" }).click();
    await settled();
    expect((await newest()).z).toEqual(new Array(20).fill(0));
    await page.getByRole("button", { name: "Anywhere" }).click();
    await settled();
    expect((await newest()).z.every((value) => value !== 0)).toBe(true);
  });

  it("walks through another network's space, and back in the first", async () => {
    const numbers = page.locator("#walk .numbers li");
    await page.locator("#walk .network").selectOption(LARGER);
    await expect.poll(() => text("#walk .state")).toMatch(/^vae-2x200\.mnist: 50 numbers make/);
    expect(await numbers.count()).toBe(50);
    await page.getByRole("button", { name: "The middle" }).click();
    await settled();
    const { make } = await vaeInNode(join(pretrainedFolder(), LARGER, "model.safetensors"));
    const middle = inBytes(await make([new Array(50).fill(0)]));
    expectClose(await bytesOf("#walk .made canvas"), middle, 1.01);
    expectClose(await bytesOf("#walk .plane canvas", [28 * 7, 28 * 7, 28, 28]), middle, 1.01);
    await page.locator("#walk .network").selectOption("vae.mnist");
    await ready(page);
    expect(await numbers.count()).toBe(20);
  });

  it("goes along an arc from one picture to another, chosen by keys", async () => {
    const vae = await vaeInNode();
    await choose("#between .network", "vae.mnist");
    await expect.poll(() => text("#between .state")).toMatch(/^Pictures by vae\.mnist/);
    const pictures = page.locator("#between .sheet button");
    expect(await pictures.count()).toBe(24);
    await pictures.first().focus();
    for (const key of ["ArrowRight", "ArrowRight", "Enter"]) await page.keyboard.press(key);
    await page.keyboard.press("End");
    await page.keyboard.press("Space");
    await settled();
    expect(await pictures.nth(2).getAttribute("aria-label")).toBe("Picture 3: the way begins here");
    expect(await pictures.nth(23).getAttribute("aria-label")).toBe("Picture 24: the way ends here");
    expect(await page.locator("#between .sheet [aria-pressed=true]").count()).toBe(2);
    expect(await page.locator("#between .sheet [tabindex='0']").count()).toBe(1);

    const z = drawLatents(24, 20, randomStream(0, "between"));
    expectClose(await bytesOf("#between .sheet li:nth-child(3) canvas"), inBytes(await vae.make([z[2]])), 1.01);
    const way = interpolation(z[2], z[23], 49);
    expectClose(await bytesOf("#between .made canvas"), inBytes(await vae.make([way[24]])), 1.01);
    const slider = page.locator("#between .slider input");
    await slider.focus();
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowLeft");
    expect(await slider.getAttribute("aria-valuetext")).toBe("98\u00a0% of the way");
    expectClose(await bytesOf("#between .made canvas"), inBytes(await vae.make([way[47]])), 1.01);
    // Nine pictures, every sixth of the way.
    expectClose(await bytesOf("#between .strip", [28 * 2, 0, 28, 28]), inBytes(await vae.make([way[12]])), 1.01);

    await page.getByRole("button", { name: "Other pictures" }).click();
    await settled();
    const [other] = drawLatents(1, 20, randomStream(1, "between"));
    expectClose(await bytesOf("#between .sheet li:first-child canvas"), inBytes(await vae.make([other])), 1.01);
  });

  it("makes pictures by a GAN, of the class that is chosen", async () => {
    expect(await page.locator("#between .no-gan").isVisible()).toBe(false);
    await page.locator("#between .network").selectOption("vae.mnist");
    await expect.poll(() => text("#between .state")).toMatch(/^Pictures by vae\.mnist/);
    expect(await page.locator("#between .class").isVisible()).toBe(false);
    await page.locator("#between .network").selectOption("dcgan-mnist.untrained");
    await expect
      .poll(() => text("#between .state"))
      .toMatch(/^Pictures by dcgan-mnist\.untrained, of 6 random numbers/);
    expect(await page.locator("#between .class option").allTextContents()).toEqual(CLASSES);
    await page.locator("#between .class").selectOption("waves");
    await settled();
    const z = await page.evaluate(() => {
      const { orders } = (globalThis as Overheard).heard;
      const sheets = orders.flatMap((order) => ("kind" in order && order.kind === "make" ? [[...order.z]] : []));
      return sheets.findLast((sheet) => sheet.length === 24 * 6)?.slice(0, 6) ?? [];
    });
    const expected = await generatedInNode(gan, z, CLASSES.indexOf("waves"));
    expectClose(await bytesOf("#between .sheet li:first-child canvas"), inBytes(expected), 1.01);
    expect(Math.max(...expected) - Math.min(...expected)).toBeGreaterThan(0.2);
  });

  async function ask(
    settings: { sampler: SamplerName; steps: number; count: number; of?: string; seed?: number },
    tab = page,
  ) {
    const { sampler, steps, count, of = "in turn", seed = 7 } = settings;
    await choose("#noise .network", "ddpm.untrained", tab);
    await tab.locator("#noise .sampler").selectOption(sampler);
    await tab.locator("#noise .class").selectOption(of);
    await tab.locator("#noise .steps").fill(String(steps));
    await tab.locator("#noise .count").fill(String(count));
    await tab.locator("#noise .seed").fill(String(seed));
    await tab.evaluate(() => {
      const { heard } = globalThis as Overheard;
      heard.reports = heard.reports.filter((report) => report.kind !== "frame");
    });
    await tab.locator("#noise [type=submit]").click();
  }
  const finished = (tab = page, timeout = 50_000) =>
    expect.poll(() => text("#noise .state", tab), { timeout }).toMatch(/^(A picture|\d+ pictures) in \d+ steps? by/);
  /** The order, and what there was after each step, 0 to 255. */
  const frames = (tab = page) =>
    tab.evaluate(() => {
      const { orders, reports } = (globalThis as Overheard).heard;
      const order = orders.filter((order): order is SamplingOrder => "sampling" in order).at(-1) as SamplingOrder;
      const seen = reports.flatMap((report) => (report.kind === "frame" ? [report.frame] : []));
      return { order, steps: seen.map(({ step, now, seen }) => ({ step, now: [...now], seen: [...seen] })) };
    });
  const inPixels = (values: readonly number[]) =>
    values.map((value) => Math.max(0, Math.min(255, 127.5 * (value + 1))));

  it.each([
    ["dpm-solver", 4, "in turn", [0, 1]],
    ["ddim", 3, "2", [2, 2]],
    ["ddpm", 3, "none", undefined],
  ] as const)("shows every step of %s, as Node takes them", async (sampler, steps, of, labels) => {
    await page.locator("#noise .guidance").fill("1.5");
    await ask({ sampler, steps, count: 2, of });
    await finished();
    const { order, steps: shown } = await frames();
    expect(order.sampling).toEqual({ sampler, steps, images: 2, seed: 7, guidance: 1.5, labels });
    expect(shown.map(({ step }) => step)).toEqual(Array.from({ length: steps }, (_, i) => i + 1));
    const expected = await sampledInNode(denoiser, order);
    for (const [i, { now, seen }] of shown.entries()) {
      expectClose(now, inPixels(expected[i].x), 1.01);
      expectClose(seen, inPixels(expected[i].x0), 1.01);
    }
    // Two pictures of 4 pixels across, and one between them.
    const [height, width] = SHAPE;
    const last = shown[steps - 1];
    expectClose(await bytesOf("#noise .now", [width + 1, 0, width, height]), last.now.slice(height * width), 0.01);
    expectClose(await bytesOf("#noise .seen", [0, 0, width, height]), last.seen.slice(0, height * width), 0.01);
    expect(await text("#noise .state")).toMatch(/by ddpm\.untrained: \d+\.\d\u00a0s on WebAssembly$/);
  });

  it("looks back at earlier steps, and at the steps of one picture", async () => {
    const { steps } = await frames();
    const [height, width] = SHAPE;
    const size = height * width;
    await page.locator("#noise .back").focus();
    await page.keyboard.press("Home");
    expect(await text("#noise .at")).toBe(`1 of ${steps.length}`);
    expectClose(await bytesOf("#noise .now", [0, 0, width, height]), steps[0].now.slice(0, size), 0.01);
    expect(await page.locator("#noise .now").getAttribute("aria-label")).toMatch(
      /^What there is: 2 pictures.* after step 1 of/,
    );
    await page.locator("#noise .of").fill("2");
    for (const [i, { now, seen }] of steps.entries()) {
      const left = i * (width + 1);
      expectClose(await bytesOf("#noise .film canvas", [left, 0, width, height]), now.slice(size), 0.01);
      expectClose(await bytesOf("#noise .film canvas", [left, height + 1, width, height]), seen.slice(size), 0.01);
    }
  });

  it("stays usable while it samples, stops at once, and can begin again", async () => {
    await page.locator("#walk .plane").focus();
    await ask({ sampler: "ddpm", steps: TIMES, count: 25 });
    const steps = async () => (await frames()).steps.length;
    await expect.poll(steps, { timeout: 30_000 }).toBeGreaterThan(1);
    expect(await page.locator("#noise [type=submit]").isDisabled()).toBe(true);
    expect(await text("#noise .live")).toMatch(new RegExp(`^Step \\d+ of ${TIMES}, from time \\d+: \\d+\u00a0s left$`));
    const before = await text("#walk .place");
    await page.locator("#walk .plane").focus();
    await page.keyboard.press("Shift+ArrowRight");
    await expect.poll(() => text("#walk .place")).not.toBe(before);
    expect(await steps()).toBeLessThan(TIMES);
    await page.locator("#noise .stop").click();
    expect(await text("#noise .state")).toMatch(new RegExp(`^Stopped after \\d+ of ${TIMES} steps$`));
    expect(await page.locator("#noise .stop").isDisabled()).toBe(true);
    const taken = await steps();
    await ask({ sampler: "ddim", steps: 2, count: 1 });
    await finished();
    expect(taken).toBeLessThan(TIMES);
    expect((await frames()).steps.map(({ step }) => step)).toEqual([1, 2]);
    await page.locator("#noise .reseed").click();
    await expect.poll(async () => (await frames()).order.sampling.seed).toBe(8);
    await finished();
  });

  it("says in one line what it can't do", async () => {
    await ask({ sampler: "ddim", steps: TIMES + 1, count: 1 });
    await expect.poll(() => text("#noise .problem")).toMatch(/got 201 step\(s\); expected an integer from 1 to 200/);
    expect(await page.locator("#noise [type=submit]").isEnabled()).toBe(true);
    const visitor = await browser.newContext({ serviceWorkers: "block" });
    await visitor.route("**/weights/vae.*", (route) => route.fulfill({ body: "short" }));
    const { page: tab } = await openPage(visitor, `${site.url}generate/index.html`);
    await choose("#between .network", "vae.mnist", tab);
    for (const section of ["walk", "between"]) {
      await expect
        .poll(() => text(`#${section} .problem`, tab))
        .toMatch(/^vae\.mnist-\w+\.safetensors has 5 bytes, 1306608/);
    }
    await visitor.close();
  });

  it("fits a phone, in light and in dark", async () => {
    await page.setViewportSize({ width: 320, height: 640 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
    await page.locator("#walk .laid").selectOption("pictures");
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
    const colours = () =>
      page
        .locator("#walk .about")
        .evaluate((about) => [getComputedStyle(about).color, getComputedStyle(document.body).backgroundColor]);
    const light = await colours();
    await page.emulateMedia({ colorScheme: "dark" });
    for (const [i, colour] of (await colours()).entries()) expect(colour).not.toBe(light[i]);
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize({ width: 1280, height: 720 });
  });

  it("computes the same on WebGPU", async () => {
    const gpu = await openChromium({ webgpu: true });
    try {
      const { page: tab, complaints } = await open(gpu);
      await ready(tab);
      await expect.poll(() => tab.locator("#backend option[value=webgpu]").isDisabled()).toBe(false);
      await tab.selectOption("#backend", "webgpu");
      await expect
        .poll(() =>
          tab.evaluate(() => (globalThis as Overheard).heard.orders.some((order) => order.backend === "webgpu")),
        )
        .toBe(true);
      await settled(tab, 100_000); // a processor that plays a graphics card compiles shaders for a while
      const { z, values } = await newest(tab);
      expectClose(values, await (await vaeInNode()).make([z]), 1e-3);
      await ask({ sampler: "ddim", steps: 2, count: 1 }, tab);
      await finished(tab, 150_000);
      expect(await text("#noise .state", tab)).toMatch(/on WebGPU$/);
      const { order, steps } = await frames(tab);
      const expected = await sampledInNode(denoiser, order);
      expectClose(steps[1].now, inPixels(expected[1].x), 1.01);
      expect(complaints).toEqual([]);
    } finally {
      await gpu.close();
    }
  }, 300_000);

  it("works offline after it has made pictures", async () => {
    const visitor = await browser.newContext();
    const { page: tab, complaints } = await open(browser, visitor);
    await ready(tab);
    await ask({ sampler: "ddim", steps: 2, count: 1 }, tab);
    await finished(tab);
    const before = await bytesOf("#noise .now", [], tab);
    const isKept = async (count: number) => {
      const kept = await caches.keys();
      const cache = kept.includes("zoo-large-files") ? await caches.open("zoo-large-files") : undefined;
      return navigator.serviceWorker.controller?.state === "activated" && (await cache?.keys())?.length === count;
    };
    const used = await tab.evaluate(
      () => new Set((globalThis as Overheard).heard.orders.map(({ entry }) => entry.file)).size,
    );
    expect(used).toBeGreaterThan(1);
    await expect.poll(() => tab.evaluate(isKept, used), { timeout: 50_000 }).toBe(true);
    await visitor.setOffline(true);
    await tab.reload();
    await ready(tab);
    await ask({ sampler: "ddim", steps: 2, count: 1 }, tab);
    await finished(tab);
    expect(await bytesOf("#noise .now", [], tab)).toEqual(before);
    expect(complaints).toEqual([]);
    await visitor.close();
  });

  it("leaves nothing in the console", () => expect(opened.complaints).toEqual([]));
});

describe.skipIf(chromiumHere() === undefined)("generate with what ships", () => {
  it("says what there is none of, and what to do", async () => {
    const [site, browser] = await Promise.all([openSite(), openChromium()]);
    try {
      const { page, complaints } = await openPage(await browser.newContext(), `${site.url}generate/index.html`);
      await expect.poll(() => page.locator("#walk .state").textContent()).toMatch(/^vae\.mnist/);
      const [none, noGan] = [page.locator("#noise .none"), page.locator("#between .no-gan")];
      expect(await none.textContent()).toMatch(/No network of diffusion came with this site: train one/);
      expect(await none.isVisible()).toBe(!ships.has("diffusion"));
      expect(await page.locator("#noise form").isVisible()).toBe(ships.has("diffusion"));
      expect(await noGan.isVisible()).toBe(!ships.has("adversarial"));
      if (!ships.has("adversarial"))
        expect(await noGan.textContent()).toMatch(/^No GAN came .* the decoder of vae\.mnist/);
      expect(await page.locator("#walk .none").isVisible()).toBe(false);
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
      await site.remove();
    }
  });
});
