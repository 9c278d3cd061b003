import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inMemoryImages } from "@tfjs-zoo/datasets";
import { randomStream } from "@tfjs-zoo/models";
import { classifierFrom } from "@tfjs-zoo/training";
import { startBackend } from "@tfjs-zoo/training/node";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pretrainedFolder } from "../../apps/cli/src/pretrained.ts";
import { type PackedSet, packImages } from "../../apps/web/src/train/packed-set.ts";
import { chromiumHere, openChromium, openPage } from "./open-chromium.ts";
import { openSite, type Site } from "./site.ts";

const shape = [28, 28, 1] as const;
const classes = ["left", "right", "middle"];
const counts = { train: 600, test: 60 };

/** Writes a small data set in MNIST's place: noise that is brighter in one third than in the others. */
async function writeSet(folder: string): Promise<void> {
  const part = async (name: "train" | "test") => {
    const random = randomStream("thirds", name);
    const labels = Uint16Array.from({ length: counts[name] }, () => random.integer(3));
    const pixels = Uint8Array.from({ length: counts[name] * 784 }, (_, i) => {
      const third = Math.floor(((i % 28) * 3) / 28);
      return random.integer(120) + (third === [0, 2, 1][labels[Math.floor(i / 784)]] ? 120 : 0);
    });
    const file = `data/thirds-${name}.bin`;
    await writeFile(join(folder, file), await packImages(inMemoryImages(pixels, labels, shape), counts[name]));
    return { file, count: counts[name] };
  };
  await mkdir(join(folder, "data"), { recursive: true });
  const [train, test] = [await part("train"), await part("test")];
  const set: PackedSet = { name: "mnist", classes, shape, mean: [0.3], std: [0.2], train, test };
  await writeFile(join(folder, "sets.json"), JSON.stringify([set]));
}

describe.skipIf(chromiumHere() === undefined)("train in Chromium", () => {
  let site: Site;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    [site, browser] = await Promise.all([openSite(), openChromium(), startBackend("cpu")]);
    await writeSet(site.folder);
    context = await browser.newContext();
    ({ page, complaints } = await openPage(context, `${site.url}train/index.html`));
  });
  afterAll(async () => {
    await browser?.close();
    await site?.remove();
  });

  const text = (selector: string, tab = page) => tab.locator(selector).textContent();
  const tested = (tab = page) => expect.poll(() => text("#state", tab), { timeout: 30_000 }).toMatch(/^Tested/);
  const steps = async () => Number(/Step (\d+)/.exec((await text("#live")) ?? "")?.[1] ?? 0);

  async function train(epochs: number, { tab = page, batch = 20 } = {}): Promise<void> {
    await tab.fill("#epochs", String(epochs));
    await tab.fill("#batch", String(batch));
    await tab.click("#train");
  }

  it("trains: the loss falls, and what is tested is recognised", async () => {
    expect(await page.isVisible("#continue")).toBe(false);
    await train(2);
    await tested();
    expect(await page.isVisible("#continue")).toBe(true);
    expect(Number.parseFloat((await text("#accuracy")) ?? "")).toBeGreaterThan(90);
    const points: [number, number, string][][] = JSON.parse(
      (await page.locator("svg[data-chart]").first().getAttribute("data-chart")) ?? "",
    );
    const [training] = points.map((series) => series.map(([, , value]) => Number(value)));
    expect(training).toHaveLength(54);
    expect(training[0]).toBeGreaterThan(0.8);
    expect(training.at(-1)).toBeLessThan(0.5 * training[0]);
    expect(await page.locator("#confusion td.right").count()).toBe(3);
  });

  it("saves weights that give the same answers when they are loaded again, here and in Node", async () => {
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#save")]);
    const before = { accuracy: await text("#accuracy"), confusion: await text("#confusion") };
    expect(download.suggestedFilename()).toBe("lenet5-mnist.safetensors");
    const path = await download.path();
    const { model, info } = classifierFrom(await readFile(path), "the download");
    expect([info.model, info.classes]).toEqual(["lenet5", classes]);
    model.dispose();
    await page.reload();
    await expect.poll(() => page.isEnabled("#train")).toBe(true);
    await page.setInputFiles("#load", path);
    await tested();
    expect({ accuracy: await text("#accuracy"), confusion: await text("#confusion") }).toEqual(before);
  });

  it("stops, keeps the training, and goes on after a reload", async () => {
    await train(400);
    await expect.poll(steps, { timeout: 30_000 }).toBeGreaterThan(3);
    await page.click("#stop");
    await tested();
    const kept = async () => Number(/after step (\d+)/.exec((await text("#continue")) ?? "")?.[1]);
    const before = await kept();
    expect(before).toBeGreaterThan(3);
    await page.reload();
    await expect.poll(kept).toBe(before);
    expect(await page.locator("svg[data-chart]").count()).toBe(2);
    await page.click("#continue");
    await expect.poll(steps, { timeout: 30_000 }).toBeGreaterThan(before);
    await page.click("#stop");
    await tested();
    expect(await kept()).toBeGreaterThan(before);
  });

  it.each([
    ["no weights", async () => Buffer.from("something else altogether"), /^weights\.safetensors: /],
    [
      "weights of another network",
      () => readFile(join(pretrainedFolder(), "resnet20.cifar10/model.safetensors")),
      /has weights of resnet20 for cifar10, and lenet5 for mnist is chosen/,
    ],
    [
      "weights for other classes",
      () => readFile(join(pretrainedFolder(), "lenet5.mnist/model.safetensors")),
      /has weights of lenet5 for mnist, and/,
    ],
  ])("says in one line that a file has %s", async (_, bytes, line) => {
    const file = { name: "weights.safetensors", mimeType: "application/octet-stream", buffer: await bytes() };
    await page.setInputFiles("#load", file);
    await expect.poll(() => text("#problem"), { timeout: 10_000 }).toMatch(line);
    await expect.poll(() => page.isEnabled("#train")).toBe(true);
  });

  it("says that it was built without a data set, and of a set that is cut short", async () => {
    await page.selectOption("#what", { label: "ResNet-20 on CIFAR-10" });
    expect(await text("#data-note")).toMatch(/built without cifar10: run "npm run zoo -- data cifar10"/);
    expect(await page.isDisabled("#train")).toBe(true);
    const visitor = await browser.newContext({ serviceWorkers: "block" });
    await visitor.route("**/thirds-test.bin", (route) => route.fulfill({ body: "short" }));
    const { page: tab } = await openPage(visitor, `${site.url}train/index.html`);
    await expect.poll(() => tab.isEnabled("#train")).toBe(true);
    await train(1, { tab });
    await expect.poll(() => text("#problem", tab)).toMatch(/thirds-test\.bin has 5 bytes, 47100 expected/);
    await visitor.close();
  });

  it("trains on WebGPU", async () => {
    const gpu = await openChromium({ webgpu: true });
    try {
      const { page: tab, complaints: said } = await openPage(await gpu.newContext(), `${site.url}train/index.html`);
      await expect.poll(() => tab.locator("#backend option[value=webgpu]").isDisabled()).toBe(false);
      await tab.selectOption("#backend", "webgpu");
      await train(1, { tab });
      // Without a graphics card the first step takes many seconds, most of them to compile shaders.
      await expect.poll(() => text("#live", tab), { timeout: 180_000 }).toMatch(/Step 1,/);
      await tab.click("#stop");
      await tested(tab);
      expect(await text("#accuracy", tab)).toMatch(/ of 60 test images/);
      expect(said).toEqual([]);
    } finally {
      await gpu.close();
    }
  }, 260_000);

  it("leaves nothing in the console", () => expect(complaints).toEqual([]));
});
