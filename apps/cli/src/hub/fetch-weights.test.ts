import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputError, registry } from "@tfjs-zoo/models";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { type FetchOptions, fetchWeights, pulledWeights } from "./fetch-weights.ts";
import { hosted } from "./hosted.ts";
import { remoteFile } from "./remote-file.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const file = randomBytes(200_000);
const sha256 = createHash("sha256").update(file).digest("hex");

let cache: string;
let address: string;
let answer: Answer;
let asked: string[];
const server = createServer((request, response) => {
  asked.push(`${request.method} ${request.url} ${request.headers.range ?? ""}`.trim());
  answer(request, response);
});

/** All of some bytes, or what a Range asks for; at most so many before the connection breaks. */
const whole =
  (bytes: Buffer, most = Number.POSITIVE_INFINITY): Answer =>
  (request, response) => {
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const rest = bytes.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, {
      "content-length": rest.length,
      ...(start > 0 && { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` }),
    });
    if (rest.length <= most) response.end(rest);
    else response.write(rest.subarray(0, most), () => setTimeout(() => response.destroy(), 20));
  };

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "zoo-hub-"));
  vi.stubEnv("ZOO_CACHE_DIR", cache);
  vi.stubEnv("HF_ENDPOINT", address);
  vi.stubEnv("ZOO_HUB_MIRROR", "");
  asked = [];
  answer = whole(file);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(cache, { recursive: true, force: true });
});

const fetched = (what: string, options: Partial<FetchOptions> = {}) =>
  fetchWeights({ name: "net", remote: remoteFile(what), limit: 1_000_000, progress: () => {}, ...options });

const inCache = async () => (existsSync(join(cache, "hub", "net")) ? await readdir(join(cache, "hub", "net")) : []);

/** The one line that it fails with, which says where from and what to do. */
async function failure(what: string, options: Partial<FetchOptions> = {}): Promise<string> {
  const error = await fetched(what, options).then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).not.toContain("\n");
  return error.message;
}

it("a file comes whole, with progress under the weights' name, and is kept as it came", async () => {
  const events: { label: string; done: number; total?: number }[] = [];
  const result = await fetched(`${address}/w.pt`, {
    sha256,
    bytes: file.length,
    progress: (event) => events.push(event),
  });
  expect(result).toEqual({
    path: join(cache, "hub", "net", "original-w.pt"),
    bytes: file,
    isOurs: true,
    isVerified: true,
  });
  expect(events.at(-1)).toMatchObject({ label: "net", done: file.length, total: file.length });
  expect(await inCache()).toEqual(["original-w.pt"]);
  // The next time it is there.
  expect(await fetched(`${address}/w.pt`, { sha256: sha256.slice(0, 8) })).toMatchObject({
    isOurs: false,
    isVerified: true,
  });
  expect(asked).toEqual(["GET /w.pt"]);
  expect(pulledWeights("net")).toBeUndefined();
  expect(pulledWeights("../net")).toBeUndefined();
});

it("the hub's own checksum is taken where it gives one", async () => {
  let stored = file;
  answer = (request, response) => {
    if (request.url === "/store") return whole(stored)(request, response);
    response.writeHead(302, { location: "/store", "x-linked-etag": `"${sha256}"` }).end();
  };
  expect(await fetched("hf:a/b")).toMatchObject({ isVerified: true });
  const path = "/a/b/resolve/main/model.safetensors";
  expect(asked).toEqual([`HEAD ${path}`, `GET ${path}`, "GET /store"]);
  await rm(join(cache, "hub"), { recursive: true });
  stored = randomBytes(file.length);
  expect(await failure("hf:a/b")).toMatch(/the file received has sha256/);
  expect(await inCache()).toEqual([]);
  answer = whole(file);
  expect(await fetched("hf:a/b")).toMatchObject({ isVerified: false });
});

it("half a file is gone on with the next time", async () => {
  answer = (request, response) => (asked.length > 1 ? response.destroy() : whole(file, 80_000)(request, response));
  expect(await failure(`${address}/w.pt`, { sha256 })).toMatch(
    /^net could not be fetched from http.*Try again, put the file at .*original-w.pt, or set ZOO_HUB_MIRROR/,
  );
  expect(await inCache()).toEqual(["w.pt.part"]);
  answer = whole(file);
  expect((await fetched(`${address}/w.pt`, { sha256 })).bytes.equals(file)).toBe(true);
  expect(asked.at(-1)).toBe("GET /w.pt bytes=80000-");
  expect(await inCache()).toEqual(["original-w.pt"]);
});

it("a file that was put there must be the right one", async () => {
  const folder = join(cache, "hub", "net");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "original-w.pt"), file.subarray(1));
  expect(await failure("https://nowhere.invalid/w.pt", { sha256 })).toMatch(/original-w.pt has sha256 .* delete it/);
  await writeFile(join(folder, "original-w.pt"), file);
  expect(await fetched("https://nowhere.invalid/w.pt", { sha256 })).toMatchObject({ isOurs: false, isVerified: true });
});

it("a mirror stands for every other server", async () => {
  vi.stubEnv("ZOO_HUB_MIRROR", `${address}/mirror/`);
  await fetched("https://nowhere.invalid/x/w.pt", { sha256 });
  expect(asked).toEqual(["GET /mirror/net/w.pt"]);
});

const text =
  (body: string, headers = {}): Answer =>
  (_, response) =>
    response.writeHead(200, headers).end(body);
it.each<[string, Answer, Partial<FetchOptions>, RegExp]>([
  [
    "another file",
    whole(randomBytes(file.length)),
    { sha256 },
    /the file received has sha256 [0-9a-f]{64} \(200000 bytes\) instead of/,
  ],
  ["another length", whole(file), { bytes: 200_001 }, /it sent 200000 of 200001 bytes/],
  ["a page", text("<html>Sign in</html>", { "content-type": "text/html; charset=utf-8" }), {}, /web page/],
  ["a page that says to be a file", text("\n<!DOCTYPE html>"), {}, /it answered with a web page/],
  ["nothing", text(""), {}, /the file is empty/],
  ["a circle", (_, response) => response.writeHead(302, { location: "/again" }).end(), {}, /redirect/],
  ["404", (_, response) => response.writeHead(404).end(), {}, /HTTP 404 Not Found/],
  ["401", (_, response) => response.writeHead(401).end(), {}, /HTTP 401/],
  [
    "too much, said before",
    (_, response) => response.writeHead(200, { "content-length": 1e12 }).write("x"),
    {},
    /offers 1000000000000 bytes where at most 1000000/,
  ],
  [
    "too much, not said",
    (_, response) => response.writeHead(200).end(randomBytes(1_100_000)),
    {},
    /more than the expected 1000000/,
  ],
])("%s is refused", async (_, bad, options, says) => {
  answer = bad;
  expect(await failure(`${address}/w.pt`, options)).toMatch(says);
  expect(await inCache()).toEqual([]);
});

it("says when nobody answers", async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  expect(await failure(`http://127.0.0.1:${port}/w.pt`)).toMatch(/ECONNREFUSED/);
  expect(await failure("https://nowhere.invalid/w.pt")).toMatch(/nowhere\.invalid/);
});

it("all hosted weights are of networks that there are", () => {
  expect([...hosted.values()].filter(({ model }) => !registry.has(model))).toEqual([]);
});
