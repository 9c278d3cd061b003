import { join } from "node:path";
import { candidates, GptReader } from "@tfjs-zoo/models";
import { languageModelOf, readLanguageModel, startBackend } from "@tfjs-zoo/training/node";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pretrainedCards, pretrainedFolder } from "../../apps/cli/src/pretrained.ts";
import { chromiumHere, type Listened, openChromium, openPage } from "./open-chromium.ts";
import { openSite, type Site } from "./site.ts";

const [card] = (await pretrainedCards()).filter(({ task }) => task === "language-modelling");
const PROMPT = "ROMEO:\n";

/** What Node finds likeliest, token by token, and how likely the first ones are. */
async function inNode(count: number): Promise<{ text: string; first: string[] }> {
  await startBackend("wasm", { setup: false });
  const file = await readLanguageModel(join(pretrainedFolder(), `${card.model}.${card.tag}`, "model.safetensors"));
  const network = languageModelOf(file);
  const reader = new GptReader(network);
  let logits = await reader.read([...file.tokenizer.encode(PROMPT)]);
  const first = candidates(logits)
    .slice(0, 3)
    .map(({ probability }) => `${(100 * probability).toFixed(1)}\u00a0%`);
  const ids: number[] = [];
  while (ids.length < count) {
    const [{ id }] = candidates(logits, { temperature: 0 });
    ids.push(id);
    logits = await reader.read([id]);
  }
  reader.dispose();
  network.dispose();
  return { text: file.tokenizer.decode(ids), first };
}

describe.skipIf(chromiumHere() === undefined || card === undefined)("write in Chromium", () => {
  let site: Site;
  let browser: Browser;
  let opened: Listened;

  beforeAll(async () => {
    [site, browser] = await Promise.all([openSite(), openChromium()]);
    opened = await openPage(await browser.newContext(), `${site.url}write/index.html`);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.remove();
  });

  const places = () => opened.page.locator("#text .place");
  const write = async (letters: number) => {
    await opened.page.fill("#count", String(letters));
    await opened.page.click("#write");
    const finished = new RegExp(`^${letters} letters in`);
    await expect.poll(() => opened.page.locator("#state").textContent(), { timeout: 50_000 }).toMatch(finished);
  };

  it("goes on with a text as Node does, and shows what else it could have written", async () => {
    const expected = await inNode(12);
    await opened.page.fill("#prompt", PROMPT);
    await opened.page.locator("#temperature").fill("0");
    await write(12);
    expect((await places().allTextContents()).join("")).toBe(expected.text);
    await places().first().click();
    const shown = await opened.page.locator("#alternatives li").allTextContents();
    expect(shown).toHaveLength(8);
    for (const [i, share] of expected.first.entries()) expect(shown[i]).toContain(share);
    expect(await places().first().getAttribute("aria-pressed")).toBe("true");
  });

  /** Where each place is drawn, line by line. */
  const drawn = () =>
    places().evaluateAll((all) =>
      all.map((place) => {
        const { left, top, bottom } = place.getBoundingClientRect();
        return { text: place.textContent, left, top, bottom };
      }),
    );

  it("draws a new line as one, and breaks no word", async () => {
    await opened.page.setViewportSize({ width: 360, height: 720 });
    await opened.page.fill("#prompt", "ROMEO");
    await opened.page.locator("#temperature").fill("0");
    await write(60);
    const letters = await drawn();
    const end = letters.findIndex(({ text }) => text === "\n");
    expect(end, "no new line within 60 letters").toBeGreaterThan(0);
    const [before, behind] = [letters[end - 1], letters[end + 1]];
    expect(behind.top).toBeGreaterThanOrEqual(before.bottom - 1);
    expect(behind.left).toBe(await opened.page.locator("#text").evaluate((box) => box.getBoundingClientRect().left));
    expect(new Set(letters.map(({ top }) => Math.round(top))).size).toBeGreaterThan(2);
    for (const [i, { text, top }] of letters.entries()) {
      if (/\w/.test(text ?? "") && /\w/.test(letters[i + 1]?.text ?? "")) expect(letters[i + 1].top).toBe(top);
    }
    await opened.page.setViewportSize({ width: 1280, height: 720 });
  });

  it("is walked by arrows, as one stop of the Tab key", async () => {
    const focused = () => places().evaluateAll((all) => all.indexOf(document.activeElement as HTMLElement));
    await places().first().focus();
    for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft"]) await opened.page.keyboard.press(key);
    expect(await focused()).toBe(1);
    await opened.page.keyboard.press("End");
    expect(await focused()).toBe((await places().count()) - 1);
    expect(await opened.page.locator("#text [tabindex='0']").count()).toBe(1);
    await opened.page.keyboard.press("Tab");
    expect(await focused()).toBe(-1);
    await opened.page.keyboard.press("Shift+Tab");
    expect(await focused()).toBe((await places().count()) - 1);
    await opened.page.keyboard.press("Space");
    expect(await places().last().getAttribute("aria-pressed")).toBe("true");
  });

  it("goes on from another letter, by keys too", async () => {
    await write(12);
    const before = await places().allTextContents();
    await places().nth(2).focus();
    await opened.page.keyboard.press("Enter");
    await opened.page.fill("#count", "5");
    await opened.page.locator("#alternatives button:enabled").first().focus();
    await opened.page.keyboard.press("Enter");
    await expect.poll(() => places().count(), { timeout: 50_000 }).toBe(8);
    const after = await places().allTextContents();
    expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
    expect(after[2]).not.toBe(before[2]);
    expect(await opened.page.locator("#text [tabindex='0']").count()).toBe(1);
  });

  it("says in one line what it can't do", async () => {
    const problem = () => opened.page.locator("#problem").textContent();
    await opened.page.fill("#prompt", "");
    await opened.page.click("#write");
    await expect.poll(problem).toMatch(/nothing to begin with/);
    await opened.page.fill("#prompt", "漢");
    await opened.page.click("#write");
    await expect.poll(problem).toMatch(/U\+6F22/);
    await opened.page.fill("#prompt", PROMPT);
    await opened.page.fill("#count", "0");
    await opened.page.click("#write");
    await expect.poll(problem).toMatch(/Letters: 0 given/);
    expect(opened.complaints).toEqual([]);
  });
});
