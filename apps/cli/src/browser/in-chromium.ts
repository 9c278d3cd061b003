import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PageFiles, pageFiles } from "@tfjs-zoo/bench-page";
import { InputError } from "@tfjs-zoo/models";
import { findChromium } from "./find-chromium.ts";
import { webgpuFlags } from "./webgpu-flags.ts";

/** The bench page, open in a headless Chromium. */
export interface OpenPage {
  /** The browser's own name and version. */
  browser: string;
  /** Has the page do one of its tasks. @throws InputError with what the page says, or when it takes too long */
  ask(task: string, input: object, limitMs: number): Promise<unknown>;
  /** Ends the browser. */
  close(): void;
}

const types: { [ending: string]: string } = { html: "text/html", js: "text/javascript", wasm: "application/wasm" };

/**
 * Opens the bench page in a headless Chromium of this machine, which computes WebGPU on the processor where there is no
 * graphics card.
 *
 * @throws InputError in one line where there is no Chromium, or it does not open the page
 */
export async function openInChromium(): Promise<OpenPage> {
  const program = findChromium();
  const orders = new Orders(await pageFiles());
  const profile = await mkdtemp(join(tmpdir(), "zoo-chromium-"));
  let child: ChildProcess | undefined;
  const close = () => {
    orders.close();
    try {
      if (child?.pid !== undefined) process.kill(-child.pid, "SIGKILL"); // a browser is many processes
      rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    } catch {
      // It has ended by itself, or the last of its processes still writes: the folder is a temporary one.
    }
  };
  try {
    const url = await orders.listen();
    child = spawn(program, [...flags(profile), url], {
      stdio: ["ignore", "ignore", "pipe"],
      detached: true,
    });
    let complaint = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      complaint = (complaint + text).slice(-2000);
    });
    child.on("error", (error) => orders.fail(`${program} does not start: ${error.message}`));
    child.on("exit", (code, signal) => {
      const last = complaint.trim().split("\n").at(-1) ?? "";
      orders.fail(`${program} ended with ${signal ?? `status ${code}`}${last && `: ${last}`}`);
    });
    const browser = await orders.opened(60_000);
    return { browser, close, ask: (task, input, limitMs) => orders.ask(task, input, limitMs) };
  } catch (error) {
    close();
    throw error;
  }
}

function flags(profile: string): string[] {
  return [
    "--headless=new",
    "--no-first-run",
    "--disable-background-timer-throttling",
    ...webgpuFlags(),
    `--user-data-dir=${profile}`,
    // A sandbox needs rights that a container's root has not.
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
  ];
}

/** A server on this machine alone that gives the page, and passes orders to it and replies back. */
class Orders {
  private readonly server: Server;
  private agent: string | undefined;
  private failure: InputError | undefined;
  private waiting: ServerResponse | undefined;
  private order: string | undefined;
  private settle: (() => void) | undefined;
  private reply: { output?: unknown; error?: string } | undefined;

  constructor(private readonly files: PageFiles) {
    this.server = createServer((request, response) => void this.serve(request, response));
  }

  listen(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(0, "127.0.0.1", () =>
        resolve(`http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`),
      );
    });
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  fail(message: string): void {
    this.failure ??= new InputError(message);
    this.settle?.();
  }

  /** Waits for the page. @returns the browser's name */
  async opened(limitMs: number): Promise<string> {
    await this.until(() => this.agent !== undefined, limitMs, "Chromium did not open the page");
    return this.agent as string;
  }

  async ask(task: string, input: object, limitMs: number): Promise<unknown> {
    this.reply = undefined;
    this.order = JSON.stringify({ task, input });
    this.deliver();
    await this.until(() => this.reply !== undefined, limitMs, `the page did not ${task}`);
    const { output, error } = (this.reply ?? {}) as { output?: unknown; error?: string };
    if (error !== undefined) throw new InputError(`in Chromium: ${error.split("\n")[0]}`);
    return output;
  }

  private async until(done: () => boolean, limitMs: number, what: string): Promise<void> {
    const timer = setTimeout(() => this.fail(`${what} within ${limitMs / 1000} s`), limitMs);
    try {
      while (!done()) {
        if (this.failure) throw this.failure;
        await new Promise<void>((resolve) => {
          this.settle = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }

  private deliver(): void {
    if (this.waiting === undefined || this.order === undefined) return;
    this.waiting.setHeader("content-type", "application/json").end(this.order);
    this.waiting = this.order = undefined;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = (request.url ?? "/").slice(1) || "index.html";
    if (name === "order") {
      this.agent = /(?:Headless)?Chrom\S*/.exec(request.headers["user-agent"] ?? "")?.[0] ?? "a browser";
      this.waiting = response;
      this.deliver();
      this.settle?.();
      return;
    }
    if (name === "reply" && request.method === "POST") {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      this.reply = JSON.parse(Buffer.concat(chunks).toString("utf8"));
      response.end();
      this.settle?.();
      return;
    }
    const bytes = this.files.get(name);
    if (bytes === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader("content-type", types[name.split(".").at(-1) ?? ""] ?? "application/octet-stream");
    response.end(bytes);
  }
}
