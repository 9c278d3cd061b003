import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { findChromium } from "../../apps/cli/src/browser/find-chromium.ts";
import { webgpuFlags } from "../../apps/cli/src/browser/webgpu-flags.ts";

/** The path of a Chromium, or undefined where there is none. */
export function chromiumHere(): string | undefined {
  try {
    return findChromium();
  } catch {
    return undefined;
  }
}

/** Starts a headless Chromium, which computes WebGPU on the processor where there is no graphics card. */
export function openChromium({ webgpu = false, camera = false } = {}): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumHere(),
    // A sandbox needs rights that a container's root has not.
    chromiumSandbox: process.getuid?.() !== 0,
    args: [
      ...(webgpu ? webgpuFlags() : []),
      ...(camera ? ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"] : []),
    ],
  });
}

/** A page with an ear for its console. */
export interface Listened {
  page: Page;
  /** Errors that the console had, and exceptions that nobody caught. */
  complaints: string[];
}

/** Opens a page in a context. */
export async function openPage(context: BrowserContext, url: string): Promise<Listened> {
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(url);
  return { page, complaints };
}
