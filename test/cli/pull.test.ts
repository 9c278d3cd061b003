/** zoo pull against a server on this machine: nothing here needs a network. apps/cli/src/hub has what a server can do wrong. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { createModel } from "@tfjs-zoo/models";
import { readSafetensors, saveWeights, writeSafetensors } from "@tfjs-zoo/models/weights";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writePictures } from "./pictures.ts";
import { zoo } from "./zoo.ts";

let folder: string;
let file: Uint8Array;
let answer: Uint8Array;
const server = createServer((_, response) => response.end(answer));

beforeAll(async () => {
  await tf.setBackend("cpu");
  folder = await mkdtemp(join(tmpdir(), "zoo-pull-"));
  await writePictures(join(folder, "pictures"));
  // What another's training code for lenet5 would save, from several GPUs.
  const { tensors } = readSafetensors(await saveWeights(createModel("lenet5", { classes: 3, seed: 5 })));
  file = writeSafetensors(new Map([...tensors].map(([name, tensor]) => [`module.${name}`, tensor])));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true, force: true });
});

const run = (...args: string[]) => {
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const env = { ZOO_CACHE_DIR: join(folder, "cache"), HF_ENDPOINT: endpoint, ZOO_HUB_MIRROR: "" };
  return zoo([...args, "--backend", "cpu", "--json"], { env });
};

it("weights have a name once they are pulled", async () => {
  const pull = ["pull", "hf:some/net", "--model", "lenet5", "--dataset", `folder:${join(folder, "pictures")}`];
  // Half a file of which nothing says that it is half: found out when it is imported, and fetched again.
  answer = file.subarray(0, 1000);
  const half = await run(...pull);
  expect(half.stderr).toMatch(/^error: .*original-model.safetensors: .*\n$/);
  expect(half.stdout).toBe("");
  expect(half.code).toBe(1);

  answer = file;
  const ended = await run(...pull);
  expect(ended.code, ended.stderr).toBe(0);
  expect(JSON.parse(ended.stdout)).toMatchObject({ name: "lenet5.net", fetched: true, verified: false, matched: 10 });
  expect(await readdir(join(folder, "cache", "hub", "lenet5.net"))).toEqual(["model.safetensors"]);

  const again = await run(...pull);
  expect(JSON.parse(again.stdout)).toMatchObject({ name: "lenet5.net", fetched: false });
  const evaluated = await run("eval", "lenet5.net");
  expect(evaluated.code, evaluated.stderr).toBe(0);
});
