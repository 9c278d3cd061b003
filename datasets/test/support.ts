import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { RandomSource } from "../src/types.ts";

/** Independent streams from a hash of their path: slow, and enough for tests. */
export const testRandom: RandomSource = (...path) => {
  let state = createHash("sha256").update(JSON.stringify(path)).digest().readUInt32LE();
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return { uniform, integer: (n) => Math.floor(uniform() * n) };
};

/** An empty folder that goes when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "zoo-datasets-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Sets environment variables until the test ends. */
export function setEnvironment(variables: Record<string, string | undefined>): void {
  const before = Object.fromEntries(Object.keys(variables).map((name) => [name, process.env[name]]));
  const assign = (values: Record<string, string | undefined>) => {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
  assign(variables);
  onTestFinished(() => assign(before));
}

/** A web server on this machine until the test ends. @returns its address, with a slash at the end */
export async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** A tar archive; a size other than the content's makes a lying one. */
export function makeTar(entries: { path: string; content: Uint8Array; size?: number; type?: string }[]): Buffer {
  const blocks: Buffer[] = [];
  for (const { path, content, size = content.length, type = "0" } of entries) {
    const header = Buffer.alloc(512);
    header.write(path, 0);
    header.write("0000644\0", 100);
    header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
    header.write("00000000000\0", 136);
    header.write("        ", 148);
    header.write(type, 156);
    header.write("ustar\0" + "00", 257);
    header.write(
      `${header
        .reduce((a, b) => a + b, 0)
        .toString(8)
        .padStart(6, "0")}\0 `,
      148,
    );
    blocks.push(header, Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** An idx file of bytes. */
export function makeIdx(dimensions: number[], values: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * dimensions.length);
  header[2] = 8;
  header[3] = dimensions.length;
  for (const [i, n] of dimensions.entries()) header.writeUInt32BE(n, 4 + 4 * i);
  return Buffer.concat([header, values]);
}

/** The one line that a promise fails with. */
export async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: Error) => reason,
  );
  if (!error) throw new Error("expected an error");
  if (error.message.includes("\n")) throw new Error(`more than one line: ${error.message}`);
  return `${error.name}: ${error.message}`;
}
