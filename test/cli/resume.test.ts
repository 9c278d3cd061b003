import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePictures } from "./pictures.ts";
import { type Ended, zoo } from "./zoo.ts";

const killInSave = pathToFileURL(fileURLToPath(new URL("./kill-in-save.mjs", import.meta.url))).href;

/** 8 steps an epoch, a checkpoint every 3 and at the end of each of 3 epochs. */
const training =
  "--batch-size 8 --epochs 3 --checkpoint-every 3 --ema 0.9 --label-smoothing 0.1 --rand-augment 2 --seed 5".split(" ");

async function hashOfWeights(run: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(join(run, "weights.safetensors")))
    .digest("hex");
}

async function stepsOf(run: string): Promise<number[]> {
  const lines = (await readFile(join(run, "metrics.jsonl"), "utf8")).trim().split("\n");
  return lines.map((line) => JSON.parse(line)).flatMap(({ kind, step }) => (kind === "train" ? [step] : []));
}

describe("a run that is killed and resumed", () => {
  let folder: string;
  let dataset: string;
  let expected: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "zoo-resume-"));
    dataset = `folder:${join(folder, "pictures")}`;
    await writePictures(join(folder, "pictures"));
    const whole = await train("whole");
    expect(whole.code, whole.stderr).toBe(0);
    expected = await hashOfWeights(join(folder, "whole"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  function train(run: string, env: NodeJS.ProcessEnv = {}, killAfter?: string): Promise<Ended> {
    return zoo(["train", "resnet20", "--dataset", dataset, "--run", join(folder, run), ...training], {
      env,
      preload: env.ZOO_TEST_KILL ? [killInSave] : [],
      onStart: (child) => {
        if (killAfter === undefined) return;
        let said = "";
        child.stderr?.on("data", (text) => {
          said += text;
          if (said.includes(killAfter)) child.kill("SIGKILL");
        });
      },
    });
  }

  async function expectSameAfterResume(run: string): Promise<void> {
    const path = join(folder, run);
    expect(existsSync(join(path, "weights.safetensors"))).toBe(false);
    const resumed = await zoo(["train", "--resume", path]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(await hashOfWeights(path)).toBe(expected);
    expect(await stepsOf(path)).toEqual(await stepsOf(join(folder, "whole")));
    const files = await readdir(join(path, "checkpoints"));
    expect(files.sort()).toEqual(["best.safetensors", "last.safetensors"]);
  }

  it.each(["write:1", "write:2", "rename:3", "renamed:4"])(
    "in the middle of a save (%s) gives the same weights",
    async (kill) => {
      const run = kill.replace(":", "-");
      const killed = await train(run, { ZOO_TEST_KILL: kill });
      expect(killed.signal).toBe("SIGKILL");
      await expectSameAfterResume(run);
    },
  );

  it("after an epoch gives the same weights", async () => {
    const killed = await train("epoch", {}, "epoch 1/3");
    expect(killed.signal).toBe("SIGKILL");
    await expectSameAfterResume("epoch");
  });

  it("by Ctrl-C is saved and says how to go on", async () => {
    const run = join(folder, "interrupted");
    const interrupted = await zoo(["train", "resnet20", "--dataset", dataset, "--run", run, ...training], {
      onStart: (child) => {
        let said = "";
        child.stderr?.on("data", (text) => {
          if (!said.includes("epoch 1/3") && (said + text).includes("epoch 1/3")) child.kill("SIGINT");
          said += text;
        });
      },
    });
    expect(interrupted.code).toBe(130);
    expect(interrupted.stderr + interrupted.stdout).toContain("--resume");
    await expectSameAfterResume("interrupted");
  });
});
