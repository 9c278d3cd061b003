import { readFile } from "node:fs/promises";
import { checkNames } from "@tfjs-zoo/models/testing";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromiumHere, type Listened, openChromium, openPage } from "./open-chromium.ts";
import { openSite, type Site } from "./site.ts";

describe.skipIf(chromiumHere() === undefined)("measure in Chromium", () => {
  let site: Site;
  let browser: Browser;
  let opened: Listened;

  beforeAll(async () => {
    [site, browser] = await Promise.all([openSite(), openChromium({ webgpu: true })]);
    opened = await openPage(await browser.newContext(), `${site.url}measure/index.html`);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.remove();
  });

  const state = () => opened.page.locator("#state").textContent();
  const rows = (table: string) =>
    opened.page
      .locator(table)
      .evaluate((element: HTMLTableElement) =>
        [...element.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent ?? "")),
      );
  const saved = async () => {
    const [download] = await Promise.all([opened.page.waitForEvent("download"), opened.page.click("#save")]);
    return JSON.parse(await readFile(await download.path(), "utf8"));
  };
  async function measure(model: string, backend: string): Promise<void> {
    await opened.page.selectOption("#model", model);
    await opened.page.selectOption("#backend", backend);
    await opened.page.fill("#batch", "2");
    await opened.page.fill("#steps", "3");
    await opened.page.click("#measure");
    await expect.poll(state, { timeout: 100_000 }).toMatch(new RegExp(`^${model} on .* a second$`));
  }

  it("offers networks of a browser's size, images' and texts', and no others", async () => {
    const names = await opened.page.locator("#model option").allTextContents();
    expect(names).toEqual(expect.arrayContaining(["resnet20", "vgg16-bn-cifar", "gpt", "transformer-small", "ddpm"]));
    for (const large of ["resnet50", "vgg16", "gpt2", "ddpm-cifar"]) expect(names).not.toContain(large);
    expect(await opened.page.inputValue("#model")).toBe("resnet20");
    expect(await opened.page.locator("#save").isDisabled()).toBe(true);
  });

  it.each([
    ["lenet5", "wasm", "WebAssembly", "images"],
    ["gpt", "wasm", "WebAssembly", "tokens"],
    ["lenet5", "webgpu", "WebGPU", "images"],
  ])(
    "measures %s on %s, and where the time goes",
    async (model, backend, title, unit) => {
      await measure(model, backend);
      const [name, by, batch, ms, , rate] = (await rows("#speeds")).at(-1) ?? [];
      expect([name, by, batch]).toEqual([model, title, "2"]);
      expect(Number.parseFloat(ms)).toBeGreaterThan(0);
      expect(rate).toMatch(new RegExp(`^[\\d.,]+ ${unit}$`));
      const { environment, speeds } = await saved();
      expect(environment.browser).toContain("Chrom");
      const speed = speeds.at(-1);
      expect(speed).toMatchObject({ task: "train", model, backend, batch: 2, steps: 3, unit, ours: { steps: 3 } });
      expect(speed.tensors[0]).toBe(speed.tensors[1]);
      if (speed.ops === undefined) return expect(backend).toBe("webgpu"); // of a card without timestamps
      const shares = speed.ops.map(({ share }: { share: number }) => share);
      expect(shares.reduce((a: number, b: number) => a + b)).toBeCloseTo(1, 6);
      const shown = await rows("#ops");
      expect(shown.length).toBeGreaterThan(5);
      expect(shown.some(([op]) => op === "(JavaScript)")).toBe(true);
    },
    120_000,
  );

  it("keeps what was measured when it is stopped, and goes on after", async () => {
    const before = await rows("#speeds");
    await opened.page.selectOption("#model", "resnet20");
    await opened.page.fill("#steps", "1000");
    await opened.page.click("#measure");
    await expect.poll(state, { timeout: 60_000 }).toMatch(/^Step \d+ of 1000$/);
    await opened.page.click("#stop");
    expect(await state()).toBe("Stopped");
    expect(await rows("#speeds")).toEqual(before);
    await measure("mlp", "wasm");
    expect(await rows("#speeds")).toHaveLength(before.length + 1);
  }, 120_000);

  it("refuses numbers that are none", async () => {
    await opened.page.fill("#batch", "0");
    await opened.page.click("#measure");
    expect(await opened.page.locator("#batch:invalid").count()).toBe(1);
    expect(await state()).toMatch(/^mlp on/);
    await opened.page.fill("#batch", "2");
  });

  it("checks every op's gradients", async () => {
    await opened.page.selectOption("#backend", "wasm");
    await opened.page.click("#check");
    await expect.poll(state, { timeout: 200_000 }).toBe("Checked on WebAssembly");
    const { length } = checkNames;
    expect(await opened.page.locator("#verdict").textContent()).toBe(
      `${length} of ${length} on WebAssembly, all right`,
    );
    const shown = await rows("#checks");
    expect(shown.map(([op]) => op)).toEqual(checkNames);
    expect(new Set(shown.map(([, , verdict]) => verdict))).toEqual(new Set(["right"]));
    const { gradients } = await saved();
    expect(gradients.backend).toBe("wasm");
    expect(gradients.ops).toHaveLength(length);
  }, 240_000);

  it("had no errors", () => {
    expect(opened.complaints).toEqual([]);
  });
});
