import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { pretrainedCards, pretrainedFolder } from "./pretrained.ts";

it("weights that ship are told from what is hidden beside them, such as weights that are being published", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pretrained-"));
  await cp(join(pretrainedFolder(), "lenet5.mnist"), join(folder, "lenet5.mnist"), { recursive: true });
  await mkdir(join(folder, ".vae.mnist.tmp"));
  await writeFile(join(folder, ".DS_Store"), "");
  const cards = await pretrainedCards(folder);
  expect(cards.map(({ model, tag }) => `${model}.${tag}`)).toEqual(["lenet5.mnist"]);
  await rm(folder, { recursive: true });
});
