import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromiumHere, openChromium, openPage } from "./open-chromium.ts";
import { openSite, type Site } from "./site.ts";

/** What tfjs keeps in a page. */
interface Engine {
  _tfengine: { memory(): { numTensors: number } };
}

describe.skipIf(chromiumHere() === undefined)("looking inside in Chromium", () => {
  let site: Site;
  let browser: Browser;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    [site, browser] = await Promise.all([openSite(), openChromium({ camera: true })]);
    ({ page, complaints } = await openPage(await browser.newContext(), `${site.url}classify/index.html`));
    await sample("cat");
  });
  afterAll(async () => {
    await browser?.close();
    await site?.remove();
  });

  const tensors = (tab = page) => tab.evaluate(() => (window as unknown as Engine)._tfengine.memory().numTensors);
  const text = (selector: string, tab = page) => tab.locator(selector).textContent();
  const note = (id: string) => text(`#${id} [role=status]`);
  const says = (selector: string, what: RegExp, tab = page) =>
    expect.poll(() => text(selector, tab), { timeout: 20_000 }).toMatch(what);
  const summary = (id: string) => page.locator(`#${id} summary`);
  const pressed = () => page.locator("#bars [aria-pressed=true] .name").allTextContents();

  /** Gives a sample, and waits until the network has answered. */
  async function sample(name: string): Promise<void> {
    await page.evaluate(() => performance.clearMarks());
    await page.click(`.samples button:has([alt=${name}])`);
    await page.waitForFunction(() => performance.getEntriesByName("answered").length > 0);
  }

  /** The green of a canvas's pixels. */
  const greens = (selector: string, tab = page) =>
    tab.locator(selector).evaluate((canvas: HTMLCanvasElement) => {
      const { width, height } = canvas;
      const { data } = (canvas.getContext("2d") as CanvasRenderingContext2D).getImageData(0, 0, width, height);
      return Array.from({ length: width * height }, (_, i) => data[4 * i + 1]);
    });

  async function expectDrawn(selector: string): Promise<number[]> {
    await expect.poll(() => page.locator(selector).isVisible(), { timeout: 20_000 }).toBe(true);
    const pixels = await greens(selector);
    expect(Math.max(...new Set(pixels)) - Math.min(...new Set(pixels)), selector).toBeGreaterThan(100);
    expect(await page.locator(selector).getAttribute("aria-label")).toMatch(/\w{3}/);
    return pixels;
  }

  it("fetches what it needs when it is first asked for", async () => {
    const scripts = () =>
      page.evaluate(() => performance.getEntriesByType("resource").filter(({ name }) => name.endsWith(".js")).length);
    const before = await scripts();
    await page.selectOption("#overlay", "grad-cam");
    await says("#overlay-note", /layer3\.2/);
    expect(await scripts()).toBeGreaterThan(before);
    await page.selectOption("#overlay", "none");
    await expect.poll(() => page.locator("#heat").isVisible()).toBe(false);
    expect(await text("#overlay-note")).toBe("");
  });

  it("shows where it looks by three methods that differ, for the class whose bar is pressed", async () => {
    const maps = new Map<string, string>();
    for (const [method, words] of [
      ["grad-cam", /speak for cat; hottest/],
      ["occlusion", /square of 8×8 pixels brings cat from/],
      ["saliency", /score of cat depends/],
    ] as const) {
      await page.selectOption("#overlay", method);
      await says("#overlay-note", words);
      maps.set(method, String(await expectDrawn("#heat")));
    }
    expect(new Set(maps.values()).size).toBe(3);
    expect(await pressed()).toEqual(["cat"]);
    const second = page.locator("#bars button").nth(1);
    const other = (await second.locator(".name").textContent()) ?? "";
    await second.press("Enter");
    await says("#overlay-note", new RegExp(`score of ${other} depends`));
    expect(await pressed()).toEqual([other]);
    expect(String(await greens("#heat"))).not.toBe(maps.get("saliency"));
    await page.selectOption("#class", "");
    await says("#overlay-note", /score of cat depends/);
    await page.selectOption("#overlay", "none");
  });

  it("draws the maps of a layer, and the first layer's filters", async () => {
    await summary("maps").press("Enter");
    const first = await expectDrawn("#maps canvas");
    expect(await note("maps")).toMatch(/^All 16 maps of .*, 32×32 places/);
    const layers = await page.locator("#layer option").allTextContents();
    expect(layers.length).toBeGreaterThan(2);
    await page.selectOption("#layer", layers.at(-1) as string);
    await says("#maps [role=status]", /^All 64 maps of layer3\.2.*, 8×8 places/);
    expect(await expectDrawn("#maps canvas")).not.toEqual(first);
    await summary("filters").press("Enter");
    await expectDrawn("#filters canvas");
    expect(await note("filters")).toMatch(/^All 16 filters of conv1, 3×3 pixels/);
  });

  it("is fooled by a change of 4/255, and not by none", async () => {
    await summary("fool").press("Enter");
    await sample("frog");
    await page.fill("#epsilon", "0");
    await says("#fool [role=status]", /^Unmoved, it says frog/);
    const unchanged = await expectDrawn("#fool figure:first-child canvas");
    await page.fill("#epsilon", "4");
    await says("#fool [role=status]", /at most 4 of 255, it says (?!frog)\w+, .*; unmoved, frog/);
    const changed = await expectDrawn("#fool figure:first-child canvas");
    await expectDrawn("#fool figure:last-child canvas");
    const moves = changed.map((value, i) => Math.abs(value - unchanged[i]));
    expect(Math.max(...moves)).toBeGreaterThan(2);
    expect(Math.max(...moves)).toBeLessThan(6);
    await page.locator("#epsilon").press("ArrowRight");
    await says("#fool [role=status]", /at most 5 of 255/);
    expect(await text("#epsilon-value")).toBe("5/255");
  });

  it("makes a picture that excites a class, stops when it is told to, and leaves the page alive", async () => {
    await summary("exciting").press("Enter");
    await page.click("#excite");
    await expect.poll(() => text("#excite")).toBe("Stop");
    const share = () => page.locator("#excite-share").evaluate((bar: HTMLProgressElement) => bar.value);
    await expect.poll(share, { timeout: 20_000 }).toBeGreaterThan(0.02);
    await sample("dog"); // answered meanwhile
    expect(await text("#excite")).toBe("Stop");
    await page.click("#excite");
    await says("#exciting [role=status]", /^Excites frog: its score is .*, stopped after \d+ of \d+ steps/);
    await expectDrawn("#exciting canvas");
    expect(await text("#excite")).toBe("Make a picture");
  });

  it("follows the picture and the network, and leaves no tensor behind", async () => {
    await page.selectOption("#overlay", "grad-cam");
    const look = async (name: string, said: RegExp) => {
      await sample(name);
      await says("#overlay-note", said);
      await says("#fool [role=status]", said);
      await says("#maps [role=status]", /maps of/);
    };
    await look("cat", /cat/);
    const before = await tensors();
    await look("dog", /dog/);
    for (const method of ["occlusion", "saliency", "grad-cam"]) {
      await page.selectOption("#overlay", method); // without waiting: each ends the one before
    }
    await says("#overlay-note", /speak for dog/);
    await page.click("#excite");
    await expect.poll(() => text("#excite")).toBe("Stop");
    await page.selectOption("#model", "lenet5.mnist");
    await says("#filters [role=status]", /filters of conv1, 5×5 pixels/);
    expect(await text("#excite")).toBe("Make a picture");
    await says("#overlay-note", /speak for 0/);
    expect(await page.locator("#class option").count()).toBe(11);
    await page.selectOption("#model", "resnet20.cifar10");
    await says("#filters [role=status]", /All 16 filters/);
    await look("cat", /cat/);
    await expect.poll(() => tensors()).toBe(before);
  });

  it("follows the webcam, and does not tell those who hear the page of every frame", async () => {
    const frames = async () => {
      await page.evaluate(() => performance.clearMarks());
      await page.waitForFunction(() => performance.getEntriesByName("answered").length > 2, null, { timeout: 20_000 });
    };
    await page.click("#webcam");
    await frames();
    expect(await page.getAttribute("#overlay-note", "aria-live")).toBe("off");
    await expectDrawn("#heat");
    await page.click("#webcam");
    await sample("cat");
    expect(await page.getAttribute("#overlay-note", "aria-live")).toBe("polite");
    const before = await tensors();
    await page.click("#webcam");
    await frames();
    await page.click("#webcam");
    await sample("cat");
    await expect.poll(() => tensors()).toBe(before);
  });

  it("looks on WebGPU without waiting for it, and leaves no tensor there", async () => {
    const gpu = await openChromium({ webgpu: true });
    try {
      const { page: tab, complaints: said } = await openPage(await gpu.newContext(), `${site.url}classify/index.html`);
      tab.on("console", (message) => {
        if (message.type() === "warning") said.push(message.text()); // tfjs warns of synchronous reads
      });
      await expect.poll(() => tab.locator("#backend option[value=webgpu]").isDisabled()).toBe(false);
      await tab.selectOption("#backend", "webgpu");
      // Without a graphics card its first shaders take many seconds.
      await expect.poll(() => text("#state", tab), { timeout: 90_000 }).toMatch(/by WebGPU/);
      const before = await tensors(tab);
      for (const [method, words] of [
        ["saliency", /score of airplane/],
        ["grad-cam", /speak for airplane/],
      ] as const) {
        await tab.selectOption("#overlay", method);
        await says("#overlay-note", words, tab);
      }
      expect(Math.max(...new Set(await greens("#heat", tab)))).toBeGreaterThan(200);
      expect(await tensors(tab)).toBe(before);
      expect(said).toEqual([]);
    } finally {
      await gpu.close();
    }
  }, 180_000);

  it("leaves nothing in the console", () => expect(complaints).toEqual([]));
});
