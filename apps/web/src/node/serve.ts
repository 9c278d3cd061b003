import type { AddressInfo } from "node:net";
import { InputError } from "@tfjs-zoo/models";
import { preview } from "vite";
import { siteConfig } from "./site.ts";

/**
 * Serves a built site to this machine alone.
 *
 * @param port 0 for any
 * @throws InputError when the port is in use
 */
export async function serveSite(outDir: string, port: number): Promise<{ url: string; close(): Promise<void> }> {
  const server = await preview({
    ...siteConfig(outDir),
    preview: { host: "127.0.0.1", port, strictPort: true },
  }).catch((error: Error) => {
    if (!/in use/.test(error.message)) throw error;
    throw new InputError(`port ${port} is in use: end what uses it, or give another --port`);
  });
  const { port: actual } = server.httpServer.address() as AddressInfo;
  return { url: `http://localhost:${actual}/`, close: () => server.close() };
}
