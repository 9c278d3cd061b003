import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { InputError } from "@tfjs-zoo/models";
import { preview } from "vite";
import { siteConfig } from "./site.ts";

const HOST = "127.0.0.1";

/** @throws InputError when a port can't be listened at */
export async function checkPort(port: number): Promise<void> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once("error", ({ code }: NodeJS.ErrnoException) => {
      const why = code === "EADDRINUSE" ? "is in use: end what uses it, or" : `can't be listened at (${code}):`;
      reject(new InputError(`port ${port} ${why} give another --port`));
    });
    probe.listen(port, HOST, () => probe.close(() => resolve()));
  });
}

/**
 * Serves a built site to this machine alone.
 *
 * @param port 0 for any
 */
export async function serveSite(outDir: string, port: number): Promise<{ url: string; close(): Promise<void> }> {
  const server = await preview({ ...siteConfig(outDir), preview: { host: HOST, port, strictPort: true } });
  const { port: actual } = server.httpServer.address() as AddressInfo;
  return { url: `http://localhost:${actual}/`, close: () => server.close() };
}
