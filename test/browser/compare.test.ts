import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pretrainedCards } from "../../apps/cli/src/pretrained.ts";
import { chromiumHere, type Listened, openChromium, openPage } from "./open-chromium.ts";
import { openSite, type Site } from "./site.ts";

const cards = (await pretrainedCards()).filter(({ task }) => task === "classification");
const name = ({ model, tag }: { model: string; tag: string }) => `${model}.${tag}`;

describe.skipIf(chromiumHere() === undefined)("compare in Chromium", () => {
  let site: Site;
  let browser: Browser;
  let opened: Listened;

  beforeAll(async () => {
    [site, browser] = await Promise.all([openSite(), openChromium()]);
    opened = await openPage(await browser.newContext(), `${site.url}compare/index.html`);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.remove();
  });

  const column = (title: string) =>
    opened.page.locator("#results").evaluate((table: HTMLTableElement, heading) => {
      const headings = [...table.querySelectorAll("thead th")];
      const at = headings.findIndex((cell) => cell.textContent === heading);
      return {
        order: headings[at].getAttribute("aria-sort"),
        cells: [...table.tBodies[0].rows].map((row) => row.cells[at].textContent ?? ""),
      };
    }, title);

  it("lists all pretrained networks, and sorts them by any column, by keys too", async () => {
    expect(await column("Weights")).toEqual({ order: "ascending", cells: cards.map(name).sort() });
    const byAccuracy = [...cards].sort((a, b) => b.metric.value - a.metric.value).map(name);
    const button = opened.page.locator("#results button", { hasText: "Accuracy" });
    await button.focus();
    await opened.page.keyboard.press("Enter");
    expect((await column("Weights")).cells).toEqual(byAccuracy);
    expect((await column("Accuracy")).order).toBe("descending");
    await opened.page.keyboard.press("Enter");
    expect((await column("Weights")).cells).toEqual(byAccuracy.reverse());
    expect(await opened.page.locator("[aria-sort]").count()).toBe(1);
    await opened.page.click("#results button:has-text('Parameters')");
    const bySize = [...cards].sort((a, b) => a.parameters - b.parameters).map(name);
    expect((await column("Weights")).cells).toEqual(bySize);
  });

  it("says in words what the plots show", async () => {
    const label = await opened.page.locator("#plots svg[role=img]").first().getAttribute("aria-label");
    for (const { model, metric } of cards) {
      expect(label).toContain(`${model}: ${(100 * metric.value).toFixed(2)}\u00a0%`);
    }
  });

  it("measures the time of each network here, and plots it", async () => {
    expect(await opened.page.locator("#plots svg[role=img]").count()).toBe(2);
    expect(new Set((await column("Time here")).cells)).toEqual(new Set(["–"]));
    await opened.page.click("#measure");
    await expect
      .poll(() => opened.page.locator("#state").textContent(), { timeout: 50_000 })
      .toBe("Measured on WebAssembly");
    const { cells } = await column("Time here");
    expect(cells.every((cell) => Number.parseFloat(cell) > 0 && cell.endsWith("ms"))).toBe(true);
    expect(await opened.page.locator("#plots svg[role=img]").count()).toBe(3);
    expect(opened.complaints).toEqual([]);
  });
});
