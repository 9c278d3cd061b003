import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromiumHere, openChromium } from "./open-chromium.ts";
import type { Found } from "./webgpu-kernels-page.ts";

/** WebGPU is for secure addresses, and this is one; nothing listens there. */
const ADDRESS = "http://localhost/";

async function openKernels(browser: Browser, complaints: string[]): Promise<Page> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("webgpu-kernels-page.ts", import.meta.url))],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    conditions: ["tfjs-zoo-source"],
    logLevel: "silent",
  });
  const page = await browser.newPage();
  page.on("console", (message) => complaints.push(message.text()));
  await page.route(`${ADDRESS}**`, (route) =>
    route.fulfill(
      route.request().url().endsWith(".js")
        ? { contentType: "text/javascript", body: outputFiles[0].text }
        : { contentType: "text/html", body: '<!doctype html><script type="module" src="page.js"></script>' },
    ),
  );
  await page.goto(ADDRESS);
  await page.waitForFunction("globalThis.all !== undefined");
  return page;
}

describe.skipIf(chromiumHere() === undefined)("kernels for WebGPU in Chromium", () => {
  let browser: Browser;
  let found: Found[];
  const complaints: string[] = [];

  beforeAll(async () => {
    browser = await openChromium({ webgpu: true });
    const page = await openKernels(browser, complaints);
    found = (await page.evaluate("globalThis.all()")) as Found[];
  }, 180_000);
  afterAll(() => browser?.close());

  it("agree with the composition, however many workgroups share a sum", () => {
    expect(found.length).toBeGreaterThan(30);
    // Sums of some thousand products in float32, in another order.
    expect(found.filter(({ error }) => !(error < 2e-5))).toEqual([]);
  });

  it.each([
    ["SGD on five weights", 3],
    ["AdamW on two weights", 3],
    ["layer norm of long rows", 9],
    // forward three times, backward once, each of three programs, and the loss around it
    ["batch norm of 20 channels and ReLU", 16],
    ["cross-entropy of few, smoothed", 12],
  ])("run few programs for %s", (name, most) => {
    const programs = found.find((one) => one.name === name)?.programs;
    expect(programs).toBeGreaterThan(0);
    expect(programs).toBeLessThanOrEqual(most);
  });

  it("are shaders that the browser takes", () => expect(complaints).toEqual([]));

  it("are compiled once", () => {
    expect(found.filter(({ compiled }) => compiled !== 0)).toEqual([]);
  });

  it("leave nothing behind", () => {
    expect(found.filter(({ left }) => left !== 0)).toEqual([]);
  });
});
