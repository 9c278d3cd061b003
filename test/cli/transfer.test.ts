import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { readSafetensors, type SafeTensors, toFloat32 } from "@tfjs-zoo/models/weights";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pretrainedFolder } from "../../apps/cli/src/pretrained.ts";
import { stripes, writePictures } from "./pictures.ts";
import { type Ended, expectSameWhenResumed, zoo } from "./zoo.ts";

const killInSave = pathToFileURL(join(import.meta.dirname, "kill-in-save.mjs")).href;
const transfer = ["--init", "resnet20.cifar10", "--freeze", "stem,layer1", "--ema", "0.9"];

let folder: string;

const train = (
  run: string,
  flags: string[],
  options?: Parameters<typeof zoo>[1],
  network = "resnet20",
): Promise<Ended> => {
  const dataset = `folder:${join(folder, "pictures")}`;
  const fixed = "--epochs 2 --batch-size 8 --checkpoint-every 4 --json".split(" ");
  return zoo(["train", network, "--dataset", dataset, "--run", join(folder, run), ...fixed, ...flags], options);
};
const weights = (run: string): Promise<Buffer> => readFile(join(folder, run, "weights.safetensors"));
const values = ({ tensors }: SafeTensors, name: string) => toFloat32(tensors.get(name) as never);

let whole: Ended;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "zoo-transfer-"));
  await writePictures(join(folder, "pictures"), { kinds: stripes });
  whole = await train("whole", transfer);
  expect(whole.code, whole.stderr).toBe(0);
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("a network that begins from weights", () => {
  it("learns pictures of its own sooner than from scratch", async () => {
    const scratch = await train("scratch", ["--recipe", "fine-tune"]);
    expect(JSON.parse(scratch.stdout).accuracy).toBeLessThan(0.7);
    expect(JSON.parse(whole.stdout).accuracy).toBeGreaterThan(0.9);
  });

  it("keeps what is frozen to the bit, running statistics too, and moves the rest", async () => {
    const file = join(pretrainedFolder(), "resnet20.cifar10", "model.safetensors");
    const [before, after] = [readSafetensors(await readFile(file)), readSafetensors(await weights("whole"))];
    const names = [...after.tensors.keys()].filter((name) => !name.endsWith("num_batches_tracked"));
    const frozen = names.filter((name) => /^(conv1|bn1|layer1)\./.test(name));
    expect(frozen).toHaveLength(35);
    for (const name of names) {
      if (frozen.includes(name)) expect(values(after, name), name).toEqual(values(before, name));
      else expect(values(after, name), name).not.toEqual(values(before, name));
    }
  });

  it("normalises as its weights do, and records them", async () => {
    const { metadata } = readSafetensors(await weights("whole"));
    const [mean, std] = [
      [0.4914, 0.4822, 0.4465],
      [0.247, 0.2435, 0.2616],
    ];
    expect([JSON.parse(metadata.mean), JSON.parse(metadata.std)]).toEqual([mean, std]);
    const config = JSON.parse(await readFile(join(folder, "whole", "config.json"), "utf8"));
    const card = JSON.parse(await readFile(join(pretrainedFolder(), "resnet20.cifar10", "card.json"), "utf8"));
    expect(config).toMatchObject({
      recipeName: "fine-tune",
      init: { name: "resnet20.cifar10", sha256: card.sha256, mean, std, inputShape: [32, 32, 3] },
      freeze: ["stem", "layer1"],
    });
  });

  it.each([
    ["before its first checkpoint", "write:1"],
    ["between two", "write:3"],
  ])(
    "is bit-equal when it is killed %s and goes on",
    async (_, kill) => {
      const run = kill.replace(":", "-");
      const killed = await train(run, transfer, { env: { ZOO_TEST_KILL: kill }, preload: [killInSave] });
      await expectSameWhenResumed(killed, join(folder, run), join(folder, "whole"));
    },
    60_000,
  );
});

describe("a smaller network that learns from it", () => {
  const learn = () => ["--learning-rate", "0.02", "--teacher", join(folder, "whole"), "--temperature", "2"];

  it("is bit-equal when it is killed and goes on", async () => {
    const student = await train("student", learn(), {}, "small-cnn");
    expect(student.code, student.stderr).toBe(0);
    const killing = { env: { ZOO_TEST_KILL: "write:3" }, preload: [killInSave] };
    expect((await train("killed", learn(), killing, "small-cnn")).signal).toBe("SIGKILL");
    const resumed = await zoo(["train", "--resume", join(folder, "killed")]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stderr).toMatch(/learns from .*whole too: weight 0.9, temperature 2/);
    expect((await weights("killed")).equals(await weights("student"))).toBe(true);
  }, 60_000);
});
