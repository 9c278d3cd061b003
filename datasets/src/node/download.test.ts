import { createHash, randomBytes } from "node:crypto";
import { readdir, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { failure, serve, temporaryFolder } from "../../test/support.ts";
import { download } from "./download.ts";

const file = randomBytes(300_000);
const checksum = { algorithm: "sha256", hex: createHash("sha256").update(file).digest("hex") } as const;
const limit = 1_000_000;

/** Answers whole or by Range, breaking the connection after `most` bytes of each answer. */
function server(most = Number.POSITIVE_INFINITY, log: string[] = []) {
  return serve((request: IncomingMessage, response: ServerResponse) => {
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    log.push(request.headers.range ?? "whole");
    const rest = file.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, {
      "content-length": rest.length,
      ...(start > 0 && { "content-range": `bytes ${start}-${file.length - 1}/${file.length}` }),
    });
    if (rest.length <= most) response.end(rest);
    else response.write(rest.subarray(0, most), () => setTimeout(() => response.destroy(), 20));
  });
}

describe("download", () => {
  it("fetches, verifies, reports and leaves nothing", async () => {
    const [url, folder] = [await server(), await temporaryFolder()];
    const done: number[] = [];
    const progress = (event: { done: number; total?: number }) => {
      expect(event.total).toBe(file.length);
      done.push(event.done);
    };
    expect((await download({ url, folder, name: "f", checksum, limit, progress })).equals(file)).toBe(true);
    expect(done.at(-1)).toBe(file.length);
    expect(await readdir(folder)).toEqual([]);
  });

  it("goes on after broken connections", async () => {
    const log: string[] = [];
    const [url, folder] = [await server(100_000, log), await temporaryFolder()];
    expect((await download({ url, folder, name: "f", checksum, limit })).equals(file)).toBe(true);
    expect(log.length).toBe(3);
    expect(log[2]).toMatch(/^bytes=/);
  });

  it("keeps what came, and a later call goes on from there", async () => {
    const [broken, folder] = [await server(50_000), await temporaryFolder()];
    const message = await failure(download({ url: broken, folder, name: "f", checksum, limit }));
    expect(message).toMatch(/connection/);
    expect(await readdir(folder)).toEqual(["f.part"]);
    const log: string[] = [];
    const url = await server(undefined, log);
    expect((await download({ url, folder, name: "f", checksum, limit })).equals(file)).toBe(true);
    expect(log).toEqual(["bytes=200000-"]);
    expect(await readdir(folder)).toEqual([]);
  });

  it("takes over what a dead process left, and leaves a living one's alone", async () => {
    const log: string[] = [];
    const [url, folder] = [await server(undefined, log), await temporaryFolder()];
    await writeFile(join(folder, "f.999999999.part"), file.subarray(0, 1000));
    await writeFile(join(folder, `f.${process.ppid}.part`), file.subarray(0, 2000));
    await download({ url, folder, name: "f", checksum, limit });
    expect(log).toEqual(["bytes=1000-"]);
    expect(await readdir(folder)).toEqual([`f.${process.ppid}.part`]);
  });

  it("starts anew where the part was of another file", async () => {
    const log: string[] = [];
    const [url, folder] = [await server(undefined, log), await temporaryFolder()];
    await writeFile(join(folder, "f.part"), randomBytes(1000));
    expect((await download({ url, folder, name: "f", checksum, limit })).equals(file)).toBe(true);
    expect(log).toEqual(["bytes=1000-", "whole"]);
  });

  it("starts anew where the server knows no Range", async () => {
    const url = await serve((_, response) => response.end(file));
    const folder = await temporaryFolder();
    await writeFile(join(folder, "f.part"), file.subarray(0, 1000));
    expect((await download({ url, folder, name: "f", checksum, limit })).equals(file)).toBe(true);
  });

  it("accepts a part that is already whole", async () => {
    const url = await serve((_, response) =>
      response.writeHead(416, { "content-range": `bytes */${file.length}` }).end(),
    );
    const folder = await temporaryFolder();
    await writeFile(join(folder, "f.part"), file);
    expect((await download({ url, folder, name: "f", checksum, limit })).equals(file)).toBe(true);
  });

  it("serves calls for the same file at once", async () => {
    const [url, folder] = [await server(), await temporaryFolder()];
    const both = await Promise.all([1, 2, 3].map(() => download({ url, folder, name: "f", checksum, limit })));
    expect(both.every((bytes) => bytes.equals(file))).toBe(true);
    expect(await readdir(folder)).toEqual([]);
  });

  it.each<[string, RegExp, (response: ServerResponse) => void]>([
    ["another status", /HTTP 404 Not Found/, (response) => response.writeHead(404).end("gone")],
    [
      "a web page",
      /a web page instead of the file/,
      (r) => r.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end("<p>"),
    ],
    ["other bytes", /has sha256 [0-9a-f]{64} \(5 bytes\) instead of/, (response) => response.end("other")],
    [
      "too long a file",
      /offers 2000000 bytes where at most 1000000/,
      (r) => r.writeHead(200, { "content-length": 2_000_000 }).end(),
    ],
    ["an endless file", /more than the expected 1000000 bytes/, (r) => r.write(Buffer.alloc(1_500_000), () => r.end())],
    ["silence", /no answer within 0\.2 s/, () => {}],
    ["a stall", /no data for 0\.2 s/, (r) => r.writeHead(200, { "content-length": 10 }).write("abc")],
  ])("says so in a line when it gets %s", async (_, message, answer) => {
    const url = await serve((_request, response) => answer(response));
    const folder = await temporaryFolder();
    const options = { url, folder, name: "f", checksum, limit, connectTimeoutMs: 200, stallTimeoutMs: 200 };
    expect(await failure(download(options))).toMatch(message);
  });

  it("names an unknown host", async () => {
    const folder = await temporaryFolder();
    const url = "http://no-such-host.invalid/f";
    expect(await failure(download({ url, folder, name: "f", limit }))).toMatch(/no-such-host\.invalid/);
  });
});
