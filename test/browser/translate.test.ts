import { join } from "node:path";
import { attentionMatrix, translationAttention } from "@tfjs-zoo/models";
import { readTranslator, sourceIds, startBackend, translateIds, translatorFrom } from "@tfjs-zoo/training/node";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pretrainedCards, pretrainedFolder } from "../../apps/cli/src/pretrained.ts";
import { examples, languageName } from "../../apps/web/src/translate/languages.ts";
import { chromiumHere, type Listened, openChromium, openPage } from "./open-chromium.ts";
import { openSite, type Site } from "./site.ts";

/** A translator that ships, and the languages that it is between. */
interface Shipped {
  name: string;
  source: string;
  target: string;
}

const cards = (await pretrainedCards()).filter(({ task }) => task === "translation");
const weights = (name: string) => join(pretrainedFolder(), name, "model.safetensors");
const shipped: Shipped[] = await Promise.all(
  cards.map(async ({ model, tag }) => {
    const name = `${model}.${tag}`;
    const [source, target] = (await readTranslator(weights(name))).info.direction.split("-");
    return { name, source, target };
  }),
);

/** A sentence in a language, whether or not the page has examples of it. */
const sentenceIn = (language: string) => examples[language]?.[1] ?? "A dog runs through the snow.";

const known = new Map<string, ReturnType<typeof translated>>();

/** What Node makes of a network's sentence, by the function of `npm run translate`. */
function inNode(of: Shipped): ReturnType<typeof translated> {
  const result = known.get(of.name) ?? translated(of, sentenceIn(of.source));
  known.set(of.name, result);
  return result;
}

async function translated({ name }: Shipped, sentence: string, beams = 5) {
  await startBackend("wasm", { setup: false });
  const file = await readTranslator(weights(name));
  const network = translatorFrom(file);
  const { ids, tokenizer } = file;
  const source = sourceIds(sentence, tokenizer, ids);
  const [{ results, tree }] = await translateIds(network, [source], ids, { beams, best: Math.min(beams, 3) });
  const attention = await translationAttention(network, source, results[0], ids.bos);
  network.dispose();
  const path: string[] = [];
  for (let at = results[0].node; at >= 0; at = tree[at].parent) {
    const { token, ended } = tree[at];
    path.unshift(ended ? "■" : tokenizer.decode([token]).trim() || "·");
  }
  return {
    found: results.map(({ tokens }) => tokenizer.decode(tokens).trim()),
    score: results[0].score,
    ended: results[0].ended,
    path,
    matrix: attentionMatrix(attention),
    layers: attention.layers,
    heads: attention.heads,
  };
}

it("some translator ships", () => {
  const advice = "models/pretrained has no translator: train one (npm run train -- transformer-small) and publish it";
  expect(shipped.length, advice).toBeGreaterThan(0);
});

describe.skipIf(chromiumHere() === undefined || shipped.length === 0)("translate in Chromium", () => {
  const [first] = shipped;
  let site: Site;
  let browser: Browser;
  let opened: Listened;
  let page: Page;

  beforeAll(async () => {
    [site, browser] = await Promise.all([openSite(), openChromium()]);
    opened = await openPage(await browser.newContext(), `${site.url}translate/index.html`);
    ({ page } = opened);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.remove();
  });

  /** All that translate as the first does. */
  const alike = shipped.filter(({ source, target }) => source === first.source && target === first.target);

  const panelOf = ({ source, target }: Shipped, tab = page) =>
    tab.getByRole("region", { name: `${languageName(source)} to ${languageName(target)}`, exact: true });
  const answerOf = (of: Shipped, tab = page) =>
    panelOf(of, tab).locator("article", { has: tab.getByRole("heading", { name: of.name, exact: true }) });
  const written = (of: Shipped, tab = page) => answerOf(of, tab).getByRole("listbox", { name: "What it wrote" });
  const read = (of: Shipped) => answerOf(of).getByRole("listbox", { name: "What it read" });
  const state = (tab = page) => tab.locator("#state").textContent();
  const problem = () => page.locator("#problem").textContent();

  async function translate(of: Shipped, sentence: string, tab = page): Promise<void> {
    await panelOf(of, tab).getByRole("textbox").fill(sentence);
    await panelOf(of, tab).locator("button[type=submit]").click();
    await answered(of, tab);
  }
  const answered = (of: Shipped, tab = page) =>
    expect.poll(() => written(of, tab).count(), { timeout: 50_000 }).toBe(1);

  /** The number that a style says, of each of some elements. */
  const shares = (elements: Locator) =>
    elements.evaluateAll((all) => all.map((one) => Number((one as HTMLElement).style.getPropertyValue("--share"))));

  it("has a field for each direction, and says what there is", async () => {
    for (const of of shipped) {
      expect(await panelOf(of).getByRole("textbox").inputValue()).toBe(examples[of.source]?.[0] ?? "");
      expect(await answerOf(of).textContent()).toMatch(/parameters/);
    }
    expect(await page.locator("#none").isVisible()).toBe(false);
    await expect.poll(() => page.locator("#webgpu-note").textContent()).toMatch(/WebAssembly computes instead/);
  });

  it("has the answers of all that translate in a direction side by side", async () => {
    expect(alike.length).toBeGreaterThan(1);
    await translate(first, sentenceIn(first.source));
    for (const of of alike) {
      await answered(of);
      expect((await written(of).textContent())?.trim()).toBe((await inNode(of)).found[0]);
    }
    const boxes = await Promise.all(alike.map((of) => answerOf(of).boundingBox()));
    expect(new Set(boxes.map((box) => box?.y)).size).toBe(1);
    expect(new Set(boxes.map((box) => box?.x)).size).toBe(alike.length);
  });

  it.each(shipped)("$name translates as Node does, and shows where it looked and what it followed", async (of) => {
    const sentence = sentenceIn(of.source);
    const expected = await inNode(of);
    await translate(of, sentence);
    const answer = answerOf(of);
    expect((await written(of).textContent())?.trim()).toBe(expected.found[0]);
    expect(await read(of).textContent()).toBe(sentence);
    expect(await answer.textContent()).toMatch(/\d\u00a0s on WebAssembly/);
    // Others of the same direction may still be at work.
    await expect.poll(() => state(), { timeout: 50_000 }).toContain(expected.found[0]);
    expect(await answer.locator(".found li span").allTextContents()).toEqual(expected.found);
    expect(await answer.locator(".found li").first().textContent()).toContain(
      expected.score.toFixed(2).replace("-", "−"),
    );

    const rows = await answer
      .locator(".heat tbody tr")
      .evaluateAll((all) => all.map((row) => [...row.querySelectorAll("data")].map(({ value }) => Number(value))));
    expect(rows).toHaveLength(expected.matrix.length);
    for (const [i, row] of rows.entries()) {
      expect(row.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 4);
      for (const [j, share] of row.entries()) expect(share).toBeCloseTo(expected.matrix[i][j], 3);
    }
    expect(
      await answer.locator(".beam text.best").evaluateAll((all) => all.map((text) => text.firstChild?.nodeValue)),
    ).toEqual(expected.path);
    expect(await answer.locator(".beam path.best").count()).toBe(expected.path.length - 1);
    expect(await answer.locator(".beam text.dropped").count()).toBeGreaterThan(0);
    expect(await answer.locator(".beam svg").getAttribute("aria-label")).toContain(expected.found[0]);
  });

  it("follows the pointer and the keyboard in the map and in both sentences", async () => {
    const { matrix } = await inNode(first);
    const close = (actual: number[], expected: ArrayLike<number>) => {
      expect(actual).toHaveLength(expected.length);
      for (const [i, share] of actual.entries()) expect(share).toBeCloseTo(expected[i], 3);
    };
    const tokens = (of: Locator) => of.getByRole("option");
    await tokens(written(first)).nth(1).hover();
    close(await shares(tokens(read(first))), matrix[1]);
    expect(await tokens(written(first)).nth(1).getAttribute("aria-selected")).toBe("true");
    expect(await answerOf(first).locator(".heat tr.on").getAttribute("data-row")).toBe("1");
    expect(await answerOf(first).locator(".looked").textContent()).toMatch(/^For .* it looked at .*\d\u00a0%/);

    const cell = answerOf(first).locator(".heat td[data-row='0'][data-column='2']");
    await cell.hover();
    close(await shares(tokens(read(first))), matrix[0]);
    expect(await tokens(read(first)).nth(2).getAttribute("aria-selected")).toBe("true");
    expect(await answerOf(first).locator(".heat td.on").count()).toBe(matrix.length);

    await page.locator("h1").hover();
    expect(await answerOf(first).locator("[aria-selected=true]").count()).toBe(0);
    await panelOf(first).locator("article").getByRole("option").first().focus();
    expect(await page.evaluate(() => document.activeElement?.getAttribute("data-column"))).toBe("0");
    for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft"]) await page.keyboard.press(key);
    close(
      await shares(tokens(written(first))),
      matrix.map((row) => row[1]),
    );
    expect(await tokens(read(first)).nth(1).getAttribute("aria-label")).toMatch(/^It looked at .* for .*\d\u00a0%/);
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.getAttribute("data-row"))).toBe("0");
    await page.keyboard.press("End");
    close(await shares(tokens(read(first))), matrix[matrix.length - 1]);
    await page.keyboard.press("Shift+Tab");
    expect(await page.evaluate(() => document.activeElement?.getAttribute("data-column"))).toBe("1");
  });

  it("shows the attention of any layer and head", async () => {
    for (const of of shipped) {
      const { layers, heads } = await inNode(of);
      const options = await answerOf(of).locator(".head-choice option").count();
      expect(options).toBe(layers * heads === 1 ? 0 : layers * (heads + 1));
      if (options === 0) continue;
      const values = () =>
        answerOf(of)
          .locator(".heat data")
          .evaluateAll((all) => all.map((one) => one.textContent));
      const before = await values();
      await answerOf(of)
        .locator(".head-choice select")
        .selectOption(`0/${heads - 1}`);
      expect(await values()).not.toEqual(before);
    }
  });

  const back = shipped.find(({ source, target }) => source === first.target && target === first.source);
  it.skipIf(back === undefined)("sends a translation back", async () => {
    const there = back as Shipped;
    await translate(first, sentenceIn(first.source));
    const text = (await written(first).textContent())?.trim() ?? "";
    await answerOf(first)
      .getByRole("button", { name: `And back into ${languageName(first.source)}` })
      .click();
    await answered(there);
    expect(await panelOf(there).getByRole("textbox").inputValue()).toBe(text);
    expect(await read(there).textContent()).toBe(text);
  });

  it.each([
    ["another script", "犬が雪の中を走る"],
    ["right to left", "كلب يركض في الثلج"],
    ["emoji", "🐕‍🦺💨 👨‍👩‍👧!"],
    ["control characters and a new line", "a\u0007b\tc\nd"],
    ["half a pair", "x\uD800y"],
    ["HTML", "<img src=x onerror=alert(1)>"],
  ])("reads %s", async (_, sentence) => {
    await translate(first, sentence);
    expect(await read(first).textContent()).toBe(new TextDecoder().decode(new TextEncoder().encode(sentence)));
    expect(await page.locator("#problem").isVisible()).toBe(false);
  });

  it("says in one line what it can't do", async () => {
    const submit = panelOf(first).locator("button[type=submit]");
    const field = panelOf(first).getByRole("textbox");
    await field.fill(" \n ");
    await submit.click();
    await expect.poll(problem).toBe(`There is nothing to translate: type a sentence in ${languageName(first.source)}`);
    await field.fill("word ".repeat(20_000));
    await field.press("Enter");
    await expect.poll(problem).toMatch(/^The sentence has \d+ tokens, and 512 at most can be read/);
    await field.fill("word");
    await page.locator("#beams").fill("0");
    await submit.click();
    await expect.poll(problem).toMatch(/^Translations followed at a time: 0 given/);
    await page.locator("#beams").fill("5");
  });

  it("stays usable in a long translation, and stops when asked to", async () => {
    await page.locator("#beams").fill("16");
    await panelOf(first).getByRole("textbox").fill("dog ".repeat(100));
    await panelOf(first).locator("button[type=submit]").click();
    await expect.poll(() => state()).toMatch(/is translating/);
    expect(await panelOf(first).locator("button[type=submit]").isDisabled()).toBe(true);
    await page.locator("#stop").click();
    expect(await state()).toBe("Stopped");
    await page.locator("#beams").fill("5");
    await translate(first, sentenceIn(first.source));
    expect(await page.locator("#problem").isVisible()).toBe(false);
  });

  it("fits a phone, in light and in dark", async () => {
    await page.setViewportSize({ width: 320, height: 640 });
    await translate(first, Array(4).fill(sentenceIn(first.source)).join(" "));
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
    const colours = () =>
      written(first)
        .getByRole("option")
        .first()
        .evaluate((token) => [getComputedStyle(token).color, getComputedStyle(document.body).backgroundColor]);
    const light = await colours();
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = await colours();
    for (const [i, colour] of dark.entries()) expect(colour).not.toBe(light[i]);
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize({ width: 1280, height: 720 });
  });

  it("computes the same on WebGPU", async () => {
    const expected = await translated(first, sentenceIn(first.source), 1);
    const gpu = await openChromium({ webgpu: true });
    try {
      const { page: tab, complaints } = await openPage(await gpu.newContext(), `${site.url}translate/index.html`);
      await expect.poll(() => tab.locator("#backend option[value=webgpu]").isDisabled()).toBe(false);
      await tab.selectOption("#backend", "webgpu");
      await tab.fill("#beams", "1"); // a processor that plays a graphics card takes its time
      await panelOf(first, tab).getByRole("textbox").fill(sentenceIn(first.source));
      await panelOf(first, tab).locator("button[type=submit]").click();
      await expect.poll(() => state(tab), { timeout: 150_000 }).toMatch(/on WebGPU: /);
      expect((await written(first, tab).textContent())?.trim()).toBe(expected.found[0]);
      expect(complaints).toEqual([]);
    } finally {
      await gpu.close();
    }
  }, 200_000);

  it("works offline after it has translated", async () => {
    const visitor = await browser.newContext();
    const { page: tab, complaints } = await openPage(visitor, `${site.url}translate/index.html`);
    await translate(first, sentenceIn(first.source), tab);
    const before = await written(first, tab).textContent();
    const isKept = async (count: number) => {
      const kept = await caches.keys();
      const cache = kept.includes("zoo-large-files") ? await caches.open("zoo-large-files") : undefined;
      return navigator.serviceWorker.controller?.state === "activated" && (await cache?.keys())?.length === count;
    };
    // Weights and a tokenizer of each.
    await expect.poll(() => tab.evaluate(isKept, 2 * alike.length), { timeout: 50_000 }).toBe(true);
    await visitor.setOffline(true);
    await tab.reload();
    await translate(first, sentenceIn(first.source), tab);
    expect(await written(first, tab).textContent()).toBe(before);
    expect(complaints).toEqual([]);
    await visitor.close();
  });

  it("leaves nothing in the console", () => expect(opened.complaints).toEqual([]));
});
