import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pretrainedCards, pretrainedFolder } from "../../apps/cli/src/pretrained.ts";
import { zoo } from "../cli/zoo.ts";
import { chromiumHere, openChromium, openPage } from "./open-chromium.ts";
import { openSite, type Site } from "./site.ts";

const cards = (await pretrainedCards()).filter(({ task }) => task === "classification");
const samples = fileURLToPath(new URL("../../apps/web/public/samples", import.meta.url));

/** Colours that no two places share, as a PNG or JPEG of any size. */
function painting(width: number, height: number) {
  const value = (x: number, y: number, c: number) =>
    127.5 + 70 * Math.sin((x * (c + 1)) / 31) + 50 * Math.cos(y / 23 - x / (40 + c));
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return Math.max(0, Math.min(255, Math.round(value(pixel % width, Math.floor(pixel / width), i % 3))));
  });
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

describe.skipIf(chromiumHere() === undefined)("classify in Chromium", () => {
  let site: Site;
  let browser: Browser;
  let page: Page;
  let folder: string;
  let complaints: string[];

  beforeAll(async () => {
    [site, browser, folder] = await Promise.all([
      openSite(),
      openChromium({ camera: true }),
      mkdtemp(join(tmpdir(), "zoo-pictures-")),
    ]);
    ({ page, complaints } = await open());
  });
  afterAll(async () => {
    await browser?.close();
    await site?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  async function open() {
    const visitor = await browser.newContext();
    const listened = await openPage(visitor, `${site.url}classify/index.html`);
    await answered(listened.page);
    return { visitor, ...listened };
  }

  /** Does something, and waits until the network has answered. */
  async function answeredAfter(action: () => Promise<unknown>, tab = page, timeout?: number): Promise<void> {
    await tab.evaluate(() => performance.clearMarks());
    await action();
    await answered(tab, timeout);
  }

  const answered = (tab: Page, timeout = 20_000) =>
    tab.waitForFunction(() => performance.getEntriesByName("answered").length > 0, null, { timeout });

  async function bars(): Promise<{ class: string; probability: number }[]> {
    const rows = await page.locator("#bars li").all();
    return Promise.all(
      rows.map(async (row) => ({
        class: (await row.locator(".name").textContent()) ?? "",
        probability: Number(await row.locator("data").getAttribute("value")),
      })),
    );
  }

  const choose = (name: string) => answeredAfter(() => page.selectOption("#model", name));
  const give = (path: string) => answeredAfter(() => page.setInputFiles("#file", path));

  it.each(cards.map((card) => ({ name: `${card.model}.${card.tag}`, card })))(
    "$name says what Node says, to 1e-3",
    async ({ name, card }) => {
      const own = join(samples, card.metric.dataset);
      const pictures = (await readdir(own).catch(() => [])).slice(0, 5).map((file) => join(own, file));
      const made = {
        "wide.png": painting(203, 150).png(),
        "high.jpg": painting(90, 200).jpeg({ quality: 95 }),
        "turned.jpg": painting(90, 60).withMetadata({ orientation: 6 }).jpeg({ quality: 95 }),
        "clear.png": painting(70, 80).ensureAlpha(0.5).png(),
        "lossy.webp": painting(120, 60).webp({ quality: 80 }),
      };
      for (const [file, picture] of Object.entries(made)) {
        await picture.toFile(join(folder, file));
        pictures.push(join(folder, file));
      }
      const [node] = await Promise.all([
        zoo(["predict", ...pictures, "--weights", name, "--backend", "wasm", "--json"]),
        choose(name),
      ]);
      const expected: { predictions: { class: string; probability: number }[] }[] = JSON.parse(node.stdout);
      for (const [i, picture] of pictures.entries()) {
        await give(picture);
        const ours = await bars();
        expect(ours.map((row) => row.class)).toEqual(expected[i].predictions.map((row) => row.class));
        const errors = ours.map((row, k) => Math.abs(row.probability - expected[i].predictions[k].probability));
        expect(Math.max(...errors), picture).toBeLessThan(1e-3);
      }
      expect(complaints).toEqual([]);
    },
    60_000,
  );

  it("can be used by keys alone, the drawing pad too", async () => {
    const tabTo = async (selector: string) => {
      for (let i = 0; i < 40; i++) {
        if (await page.evaluate((s) => document.activeElement?.matches(s), selector)) return;
        await page.keyboard.press("Tab");
      }
      throw new Error(`the Tab key does not reach ${selector}`);
    };
    await page.reload();
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to the content");
    await tabTo(".samples button:has([alt=cat])");
    await answeredAfter(() => page.keyboard.press("Enter"));
    expect((await bars())[0].class).toBe("cat");
    await page.keyboard.press("Shift+Tab");
    await page.locator("#draw").focus();
    await answeredAfter(async () => {
      await page.keyboard.press("Enter");
      await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("pad");
      await expect.poll(() => page.locator("#state").textContent()).toBe("Draw a digit");
      for (let i = 0; i < 9; i++) await page.keyboard.press("ArrowUp");
      await page.keyboard.press(" ");
      for (let i = 0; i < 18; i++) await page.keyboard.press("ArrowDown");
    });
    expect(await page.inputValue("#model")).toBe("lenet5.mnist");
    await expect.poll(async () => (await bars())[0].class).toBe("1");
    await page.locator("#draw").press("Enter");
    await choose("resnet20.cifar10");
  });

  it("takes a picture that is dropped or pasted", async () => {
    for (const kind of ["drop", "paste"]) {
      await answeredAfter(() =>
        page.evaluate(async (type) => {
          const blob = await (await fetch("../samples/cifar10/8-cat.png")).blob();
          const data = new DataTransfer();
          data.items.add(new File([blob], `${type}.png`, { type: "image/png" }));
          const event =
            type === "drop"
              ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
              : new ClipboardEvent("paste", { clipboardData: data, bubbles: true });
          document.body.dispatchEvent(event);
        }, kind),
      );
      expect(await page.locator("#picture").getAttribute("aria-label")).toBe(`${kind}.png`);
      expect((await bars())[0].class).toBe("cat");
    }
  });

  it("takes weights from a file, and refuses those that are none", async () => {
    const weights = (name: string, buffer: Buffer) =>
      page.setInputFiles("#own", { name, mimeType: "application/octet-stream", buffer });
    const own = await readFile(join(pretrainedFolder(), "lenet5.mnist/model.safetensors"));
    await answeredAfter(() => weights("mine.safetensors", own));
    expect(await page.inputValue("#model")).toBe("mine.safetensors");
    expect(await page.locator("#facts").textContent()).toContain("Trained onmnist");
    expect((await bars())[0].class).toBe("0");
    await weights("cut.safetensors", own.subarray(0, 5000));
    await expect.poll(() => page.locator("#problem").textContent()).toMatch(/^cut\.safetensors: /);
    expect(await page.inputValue("#model")).toBe("mine.safetensors");
    await choose("resnet20.cifar10");
  });

  it("looks through the webcam until it is switched off", async () => {
    await answeredAfter(() => page.click("#webcam"));
    await answeredAfter(async () => {});
    expect(await page.getAttribute("#webcam", "aria-pressed")).toBe("true");
    await page.click("#webcam");
    expect(await page.getAttribute("#webcam", "aria-pressed")).toBe("false");
  });

  describe("leaves no camera on", () => {
    /** Lets the page have the camera half a second after it asked, and keeps what it got. */
    function slowCamera() {
      const { mediaDevices } = navigator;
      const ask = mediaDevices.getUserMedia.bind(mediaDevices);
      const got: MediaStream[] = [];
      mediaDevices.getUserMedia = async (constraints) => {
        await new Promise((resolve) => setTimeout(resolve, 500));
        const stream = await ask(constraints);
        got.push(stream);
        return stream;
      };
      Object.assign(window, { got });
    }
    /** The state of each camera that the page got. */
    const cameras = (tab: Page) =>
      tab.evaluate(() =>
        (window as unknown as { got: MediaStream[] }).got.map((stream) => stream.getVideoTracks()[0].readyState),
      );

    it.each<[string, (tab: Page) => Promise<void>]>([
      ["when the button is pressed again before it is allowed", (tab) => tab.click("#webcam")],
      ["when the pad is opened before it is allowed", (tab) => tab.click("#draw")],
      [
        "when its pictures don't play",
        (tab) =>
          tab.evaluate(() => {
            HTMLVideoElement.prototype.play = () => Promise.reject(new DOMException("no", "AbortError"));
          }),
      ],
    ])("%s", async (_, meanwhile) => {
      const { visitor, page: tab } = await open();
      await tab.evaluate(slowCamera);
      await tab.click("#webcam");
      await meanwhile(tab);
      await expect.poll(() => cameras(tab)).toEqual(["ended"]);
      expect(await tab.getAttribute("#webcam", "aria-pressed")).toBe("false");
      await visitor.close();
    });

    it("but the one that was asked for last", async () => {
      const { visitor, page: tab } = await open();
      await tab.evaluate(slowCamera);
      for (let i = 0; i < 3; i++) await tab.click("#webcam");
      await expect.poll(() => cameras(tab)).toEqual(["ended", "live"]);
      expect(await tab.getAttribute("#webcam", "aria-pressed")).toBe("true");
      await visitor.close();
    });
  });

  describe("says in one line what is wrong with", () => {
    const jpeg = () => painting(300, 300).jpeg().toBuffer();
    const wrong: [string, () => Buffer | Promise<Buffer>, RegExp][] = [
      ["text.png", () => Buffer.from("this is no picture"), /^text\.png can't be read as a picture: give a whole JPEG/],
      ["empty.png", () => Buffer.alloc(0), /^empty\.png can't be read/],
      ["cut.jpg", async () => (await jpeg()).subarray(0, 4000), /^cut\.jpg can't be read/],
      ["drawing.svg", () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), /^drawing\.svg can't be read/],
      [
        "huge.png",
        () =>
          sharp({
            create: { width: 12_000, height: 9_000, channels: 3, background: "#123456" },
            limitInputPixels: false,
          })
            .png({ compressionLevel: 1 })
            .toBuffer(),
        /^huge\.png has 12000×9000 pixels, more than the limit of 100 million/,
      ],
    ];
    it.each(wrong)("%s", async (name, bytes, line) => {
      await writeFile(join(folder, name), await bytes());
      await page.setInputFiles("#file", join(folder, name));
      await expect.poll(() => page.locator("#problem").textContent(), { timeout: 20_000 }).toMatch(line);
      await answeredAfter(() => page.locator(".samples button").first().click());
      expect(await page.locator("#problem").isVisible()).toBe(false);
      expect(complaints).toEqual([]);
    });

    it("a webcam that there isn't, and WebGPU that there isn't", async () => {
      const plain = await openChromium();
      try {
        const tab = await plain.newPage();
        await answeredAfter(() => tab.goto(`${site.url}classify/index.html`), tab);
        await expect.poll(() => tab.locator("#webgpu-note").textContent()).toMatch(/WebAssembly computes instead/);
        expect(await tab.locator("#backend option[value=webgpu]").isDisabled()).toBe(true);
        await tab.click("#webcam");
        await expect.poll(() => tab.locator("#problem").textContent()).toMatch(/webcam/);
      } finally {
        await plain.close();
      }
    });
  });

  it("computes the same on WebGPU", async () => {
    const gpu = await openChromium({ webgpu: true });
    try {
      const tab = await gpu.newPage();
      await answeredAfter(() => tab.goto(`${site.url}classify/index.html`), tab);
      const first = () => tab.locator("#bars li:first-child data").getAttribute("value").then(Number);
      const onWasm = await first();
      await expect.poll(() => tab.locator("#backend option[value=webgpu]").isDisabled()).toBe(false);
      // Without a graphics card its shaders take long.
      await answeredAfter(() => tab.selectOption("#backend", "webgpu"), tab, 120_000);
      expect(await tab.locator("#state").textContent()).toMatch(/by WebGPU/);
      expect(Math.abs((await first()) - onWasm)).toBeLessThan(1e-3);
    } finally {
      await gpu.close();
    }
  }, 200_000);

  it("works offline after the first load, and says what is not here yet", async () => {
    const { visitor, page: tab, complaints: said } = await open();
    const isKept = async () => {
      const kept = await caches.keys();
      const cache = kept.includes("zoo-large-files") ? await caches.open("zoo-large-files") : undefined;
      return navigator.serviceWorker.controller?.state === "activated" && (await cache?.keys())?.length === 1;
    };
    await expect.poll(() => tab.evaluate(isKept), { timeout: 20_000 }).toBe(true);
    await visitor.setOffline(true);
    await answeredAfter(() => tab.reload(), tab);
    expect(await tab.locator("#bars li").count()).toBe(5);
    await tab.selectOption("#model", "lenet5.mnist");
    await expect.poll(() => tab.locator("#problem").textContent()).toMatch(/this device is offline/);
    await tab.goto(`${site.url}index.html`);
    expect(await tab.locator("h1").textContent()).toMatch(/in this browser/);
    expect(said).toEqual([]);
    await visitor.close();
  });

  it("leaves nothing in the console", () => expect(complaints).toEqual([]));
});
