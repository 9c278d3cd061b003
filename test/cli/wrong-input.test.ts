import { existsSync } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSafetensors, writeSafetensors } from "@tfjs-zoo/models/weights";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePictures } from "./pictures.ts";
import { type Ended, zoo } from "./zoo.ts";

let folder: string;
let dataset: string;
let run: string;
const tiny = "--epochs 1 --batch-size 8".split(" ");

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "zoo-wrong-"));
  await writePictures(join(folder, "pictures"));
  dataset = `folder:${join(folder, "pictures")}`;
  run = join(folder, "run");
  const trained = await zoo(["train", "lenet5", "--dataset", dataset, "--run", run, ...tiny]);
  expect(trained.code, trained.stderr).toBe(0);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The one line that says what is wrong, and the exit code; nothing on stdout, no stack trace. */
function expectRefused({ code, stdout, stderr }: Ended, expectedCode: number, ...says: (string | RegExp)[]): void {
  const errors = stderr.split("\n").filter((line) => line.startsWith("error:"));
  expect(errors, stderr).toHaveLength(1);
  for (const text of says) expect(errors[0]).toMatch(text);
  expect(errors[0]).not.toMatch(/unexpected;/);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stdout).toBe("");
  expect(code).toBe(expectedCode);
}

describe("a command line that can't be understood ends with 2 and the nearest right one", () => {
  it.each([
    ["trian resnet20", /trian.*train/],
    ["train", /needs a model/],
    ["train resnet21", /resnet21.*did you mean "resnet20"/],
    ["train resnet20 --recipe quik", /quik.*did you mean "quick"/],
    ["train resnet20 --learning-rat 1", /learning-rat.*--learning-rate/],
    ["train resnet20 --learning-rate fast", /--learning-rate got "fast"; expected a number/],
    ["train resnet20 --epochs 0", /--epochs got "0"; expected a whole number of at least 1/],
    ["train resnet20 --epochs 1.5", /--epochs got "1.5"/],
    ["train resnet20 --schedule cosin", /cosin.*cosine/],
    ["train resnet20 --flip maybe", /--flip got "maybe"; expected true or false/],
    ["train resnet20 --seed -1", /--seed got "-1"/],
    ["train resnet20 --precision bf61", /--precision got "bf61": did you mean "bf16"/],
    ["train resnet20 --dataset cifar11", /cifar11.*cifar10/],
    ["train resnet20 --backend gpu", /gpu.*tensorflow/],
    ["train resnet32 --init resnet20.cifar10", /--init resnet20.cifar10 has weights of resnet20, not of resnet32/],
    ["train resnet20 --init resnet20.cifar10 --whiten", /--whiten makes the filters that --init brings/],
    ["train resnet20 --temperature 2", /--temperature says how to learn from --teacher, and there is none/],
    ["train resnet20 --rand-augment 15", /--rand-augment got "15"; expected a whole number from 0 to 14/],
    ["train resnet20 --distil-weight 1", /--distil-weight.*--distill-weight/],
    ["train resnet20 --freeze stem", /--freeze keeps what --init brings, and there is no --init/],
    ["train t5-poket", /did you mean "t5-pocket"/],
    ["train t5-pocket --dataset tiny-shakespear", /unknown data set "tiny-shakespear"/],
    ["train t5-pocket --dataset facts-question", /did you mean "facts-questions"/],
    ["train t5-pocket --dataset tiny-shakespeare --context 4", /--context got "4"; expected .* from 8 to 1024/],
    ["train t5-pocket --dataset tiny-shakespeare --vocabulary 300", /--vocabulary got "300".* from 359/],
    ["train t5-pocket --dataset tiny-shakespeare --direction a-b", /--direction means nothing to t5-pocket/],
    ["train t5-pocket --dataset facts --context 64", /--context means nothing to t5-pocket/],
    ["import x --model t5-pocket --out y --classes z", /--classes means nothing to t5-pocket/],
    ["train bert-4x128 --dataset multi30k-language", /multi30k-language is .*did you mean "multi30k-languages"/],
    ["train bert-4x128 --dataset cifar10", /cifar10 is nothing that bert-4x128 learns from/],
    ["train bert-4x128 --dataset text:", /"text:" names no file: give text:PATH/],
    ["train bert-4x128 --dataset labels:", /"labels:" names no file: give labels:PATH/],
    ["train bert-4x128 --direction de-es", /--direction means nothing to bert-4x128/],
    ["train bert-4x128 --vocabulary 3", /--vocabulary got "3"; expected a whole number from 8/],
    ["train bert-4x128 --context 4", /--context got "4"; expected a whole number from 5/],
    ["train bert-4x128 --recipe fine-tune", /unknown recipe "fine-tune".*known: quick, standard/],
    ["import x --model bert-4x128 --out y --dataset z", /--dataset means nothing to bert-4x128/],
    ["predict x.png", /--weights/],
    ["explain lenet5.mnist --method grad-cm", /grad-cm.*did you mean "grad-cam"/],
    ["explain lenet5.mnist --image x.png --index 3", /--image and --index/],
    ["sample vae.mnist", /sample needs a file to write: --out sheet.png, or --animate FILE.gif/],
    ["sample vae.mnist --animate x.mp4", /--animate got "x.mp4"; expected a .gif or .webp file/],
    ["sample vae.mnist --out x.png --class 7", /--class means nothing to vae.mnist: leave it out/],
    ["measure vae.mnist --samples 5", /--samples got "5"; expected a whole number from 10 to 100000/],
    ["measure vae.mnist --out x.jpg", /--out got "x.jpg"; expected a .png file/],
    ["measure vae.mnist --bits", /--bits is for networks of diffusion, and vae.mnist is none/],
    ["eval lenet5.mnist --bits", /--bits is for networks of diffusion, and lenet5.mnist is none/],
    ["gradcheck --op conv2", /conv2.*Conv2D/],
    ["import x.pt --out y", /--model/],
    ["import x.pt --model resnet21 --out y", /resnet21.*did you mean "resnet20"/],
    ["import x.pt --model resnet20 --out y --normalisation 0.5/0.5", /--normalisation got "0.5\/0.5".*3 means/],
    ["pull resnet20.akamastr", /did you mean "resnet20.akamaster"/],
    ["pull hf:a/b", /say which network hf:a\/b is of: --model/],
    ["pull http://a/b --model lenet5", /give an https address or --sha256/],
    ["pull https://a/b --model lenet5 --sha256 12", /--sha256 got "12"; expected 64 digits/],
    ["pull https://a/b --model lenet5 --as ../x", /--as got "..\/x"/],
    ["export x --out y --format onnx --dtype I8", /--dtype is of safetensors; onnx has F32/],
    ["list --jsno", /jsno.*--json/],
  ])("zoo %s", async (line, says) => {
    expectRefused(await zoo(line.split(" ")), 2, says);
  });
});

describe("data", () => {
  it("says what is wrong with a name, or with pairs of your own", async () => {
    const uneven = join(folder, "uneven.tsv");
    await writeFile(uneven, "Go.\tVa !\nHi.\n");
    expectRefused(await zoo(["data", "multi-30k"]), 1, /unknown data set "multi-30k": did you mean "multi30k"/);
    expectRefused(await zoo(["data", `pairs:${uneven}`]), 1, /uneven.tsv, line 2 has no tab/);
  });
});

describe("train", () => {
  it("leaves a run folder that exists alone", async () => {
    const before = await readFile(join(run, "weights.safetensors"));
    const again = await zoo(["train", "lenet5", "--dataset", dataset, "--run", run, ...tiny]);
    expectRefused(again, 1, run, /exists already/);
    expect(await readFile(join(run, "weights.safetensors"))).toEqual(before);
  });

  it("does not resume a run of a newer version, or one that is finished", async () => {
    expectRefused(await zoo(["train", "--resume", run]), 2, /finished/);
    const newer = join(folder, "newer");
    await cp(run, newer, { recursive: true });
    const config = JSON.parse(await readFile(join(newer, "config.json"), "utf8"));
    await writeFile(join(newer, "config.json"), JSON.stringify({ ...config, formatVersion: 99 }));
    expectRefused(await zoo(["train", "--resume", newer]), 1, /newer/);
  });

  it("does not change the recipe of a run that goes on", async () => {
    expectRefused(await zoo(["train", "--resume", run, "--learning-rate", "1"]), 2, /--learning-rate/);
  });

  it("stops at a loss that is not finite, keeps what it has and says what to try", async () => {
    const path = join(folder, "diverged");
    const flags = ["--learning-rate", "1e30", "--epochs", "3", "--batch-size", "8", "--checkpoint-every", "1"];
    const ended = await zoo(["train", "lenet5", "--dataset", dataset, "--run", path, ...flags]);
    expectRefused(ended, 1, /loss became/, /--learning-rate/);
    expect(existsSync(join(path, "checkpoints", "last.safetensors"))).toBe(true);
    expect(existsSync(join(path, "weights.safetensors"))).toBe(false);
  });

  it("says that a batch is larger than the set", async () => {
    const path = join(folder, "large");
    const ended = await zoo(["train", "lenet5", "--dataset", dataset, "--run", path, "--batch-size", "4096"]);
    expectRefused(ended, 1, /batch.size/, /4096/);
    expect(existsSync(path)).toBe(false);
  });

  it("says that a network's first convolution can't whiten", async () => {
    const path = join(folder, "whiten");
    const ended = await zoo(["train", "lenet5", "--dataset", dataset, "--run", path, ...tiny, "--whiten"]);
    expectRefused(ended, 1, /can't whiten lenet5.*6 filters of 5x5x1; expected 50/);
    expect(existsSync(path)).toBe(false);
  });

  it("says what is wrong with the weights to begin from, or with what to freeze", async () => {
    const path = join(folder, "transferred");
    const from = (init: string, ...flags: string[]) =>
      zoo(["train", "lenet5", "--dataset", dataset, "--run", path, ...tiny, "--init", init, ...flags]);
    const page = join(folder, "page.safetensors");
    await writeFile(page, "<html>404</html>");
    expectRefused(await from("lenet5.mnits"), 1, /no weights "lenet5.mnits": did you mean "lenet5.mnist"/);
    expectRefused(await from(page), 1, /page.safetensors: /);
    expectRefused(
      await from(run, "--teacher", "lenet5.mnist"),
      1,
      /teacher lenet5.mnist tells 10 classes \(0, 1, 2, …\)/,
    );
    expectRefused(await from(run, "--freeze", "conv11"), 1, /no layers under "conv11": did you mean "conv1"/);
    expectRefused(await from("lenet5.mnist", "--freeze", "conv1,fc3"), 1, /keeps the head fc3, which is fresh/);
    expect(existsSync(path)).toBe(false);
  });

  it("imports nothing from a file that is missing, or is something else", async () => {
    const [out, page] = [join(folder, "imported.safetensors"), join(folder, "page.pt")];
    await writeFile(page, "<html>404</html>");
    const flags = ["--model", "lenet5", "--dataset", dataset, "--out", out, "--backend", "cpu"];
    expectRefused(await zoo(["import", join(folder, "absent.pt"), ...flags]), 1, /absent.pt \(ENOENT\)/);
    expectRefused(await zoo(["import", page, ...flags]), 1, /page.pt: it is a web page/);
    const model = join(folder, "model.json");
    const manifest = [{ paths: ["../../shard\n.bin"], weights: [] }];
    await writeFile(model, JSON.stringify({ modelTopology: { config: [] }, weightsManifest: manifest }));
    expectRefused(
      await zoo(["import", model, ...flags]),
      1,
      /model.json: .*shard\\n.bin does not lie beside it: refused/,
    );
    await writeFile(
      model,
      JSON.stringify({ modelTopology: { config: [] }, weightsManifest: [{ paths: ["a"], weights: [] }] }),
    );
    expectRefused(await zoo(["import", model, ...flags]), 1, /can't read its weights .*a \(ENOENT\)/);
    expect(existsSync(out)).toBe(false);
  });

  it("does not replace a file by a quantised one", async () => {
    const out = join(run, "weights.safetensors");
    expectRefused(await zoo(["quantize", run, "--out", out]), 1, /exists already: give another --out/);
  });

  it.skipIf(process.platform !== "linux")("does not wait for a folder that can't be made", async () => {
    const ended = await zoo(["train", "lenet5", "--dataset", dataset, "--run", "/proc/zoo/run", ...tiny]);
    expectRefused(ended, 1, /\/proc\/zoo\/run/);
    expectRefused(await zoo(["export", run, "--out", "/proc/zoo/out", "--backend", "cpu"]), 1, /\/proc\/zoo\/out/);
  });

  it("names what it tried when there is no network and nothing is cached", async () => {
    const cache = join(folder, "empty-cache");
    const env = {
      ZOO_DATA_DIR: "",
      ZOO_CACHE_DIR: cache,
      npm_config_registry: "http://127.0.0.1:9",
      npm_config_cache: join(folder, "npm-cache"),
      npm_config_fetch_retries: "0",
    };
    const ended = await zoo(["train", "resnet20", "--backend", "wasm", "--run", join(folder, "offline")], { env });
    expectRefused(ended, 1, /cifar/i, /ZOO_DATA_DIR/);
    expect(existsSync(join(folder, "offline"))).toBe(false);
  });

  it("says that the runs' folder is not writable", async () => {
    // Root writes into any folder but those of the system itself.
    const closed = process.getuid?.() === 0 ? "/proc/sys" : join(folder, "closed");
    if (process.getuid?.() !== 0) {
      await mkdir(closed);
      await chmod(closed, 0o500);
    }
    const before = await readdir(closed);
    const ended = await zoo(["train", "lenet5", "--dataset", dataset, "--runs", closed, ...tiny]);
    expectRefused(ended, 1, closed);
    expect(await readdir(closed)).toEqual(before);
  });
});

describe("weights", () => {
  const withHeader = (header: string, data = 0): Buffer => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    return Buffer.concat([length, Buffer.from(header), Buffer.alloc(data)]);
  };
  const huge = Buffer.alloc(16);
  huge.writeBigUInt64LE(2n ** 32n);
  const empty = { dtype: "F32" as const, shape: [1], data: new Uint8Array(4) };
  const meta = {
    model: "resnet20",
    classes: '["a","b"]',
    input_shape: "[32,32,3]",
    mean: "[0,0,0]",
    std: "[1,1,1]",
  };

  it.each<[string, Uint8Array, RegExp]>([
    ["of no bytes", new Uint8Array(0), /safetensors/],
    ["of a 4 GB header", huge, /header/],
    ["of bad JSON", withHeader("{nonsense"), /JSON/],
    ["of an unknown dtype", withHeader('{"a":{"dtype":"F7","shape":[1],"data_offsets":[0,4]}}', 4), /F7/],
    ["of offsets past the end", withHeader('{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}', 4), /a/],
    ["that say no model", writeSafetensors(new Map([["conv1.weight", empty]]), {}), /model/],
    ["of another architecture", writeSafetensors(new Map([["conv1.weight", empty]]), meta), /conv1\.weight/],
    ["of an unknown model", writeSafetensors(new Map([["w", empty]]), { ...meta, model: "resnet2" }), /resnet20/],
  ])("%s are refused in one line", async (name, bytes, says) => {
    const file = join(folder, `${name.replaceAll(" ", "-")}.safetensors`);
    await writeFile(file, bytes);
    expectRefused(await zoo(["predict", join(folder, "x.png"), "--weights", file, "--backend", "cpu"]), 1, says);
  });

  it("that are not there are refused in one line", async () => {
    expectRefused(await zoo(["eval", join(folder, "nothing")]), 1, /nothing/);
    expectRefused(await zoo(["eval", "resnet20.nothing"]), 1, /resnet20\.nothing/);
    const env = { ZOO_CACHE_DIR: join(folder, "empty-cache") };
    const says = /not here yet: npm run zoo -- pull resnet18\.tv_in1k/;
    expectRefused(await zoo(["eval", "resnet18.tv_in1k"], { env }), 1, says);
    expectRefused(await zoo(["eval", run, "lenet5.mnist"]), 1, /3 classes apart.*lenet5.mnist 10 \(0, 1, 2, …\)/);
  });
});

describe("predict", () => {
  const predict = (picture: string) =>
    zoo(["predict", picture, "--weights", run, "--backend", "cpu", "--json"]).then((ended) => ended);

  it("says that a text is no picture", async () => {
    const file = join(folder, "text.jpg");
    await writeFile(file, "no picture");
    expectRefused(await predict(file), 1, /text\.jpg/);
  });

  it("says that a picture of 20,000 x 20,000 is too large", async () => {
    const file = join(folder, "large.png");
    const create = { width: 20_000, height: 20_000, channels: 3 as const, background: "white" };
    await sharp({ create, limitInputPixels: false }).png({ compressionLevel: 9 }).toFile(file);
    expectRefused(await predict(file), 1, /20,?000/);
  });

  it("says that there is no such picture", async () => {
    expectRefused(await predict(join(folder, "missing.jpg")), 1, /missing\.jpg/);
  });

  const grey = { width: 40, height: 30, channels: 3 as const, background: { r: 200, g: 100, b: 50 } };
  it.each([
    ["one.png", () => sharp({ create: { ...grey, width: 1, height: 1 } }).png()],
    [
      "alpha.png",
      () => sharp({ create: { ...grey, channels: 4, background: { r: 9, g: 9, b: 9, alpha: 0.5 } } }).png(),
    ],
    ["cmyk.jpg", () => sharp({ create: grey }).toColourspace("cmyk").jpeg()],
    ["sixteen.png", () => sharp({ create: grey }).toColourspace("rgb16").png()],
    ["rotated.jpg", () => sharp({ create: grey }).withMetadata({ orientation: 6 }).jpeg()],
    ["photo.webp", () => sharp({ create: grey }).webp()],
  ])("reads %s", async (name, make) => {
    const file = join(folder, name);
    await make().toFile(file);
    const { code, stdout, stderr } = await predict(file);
    expect(code, stderr).toBe(0);
    const [{ predictions }] = JSON.parse(stdout);
    const sum = predictions.reduce((total: number, { probability }: { probability: number }) => total + probability, 0);
    expect(sum).toBeCloseTo(1, 4);
  });
});

describe("explain", () => {
  const text = () => join(folder, "no-picture.jpg");
  beforeAll(() => writeFile(text(), "no picture"));

  it.each<[string, () => string[], RegExp]>([
    ["a layer that there isn't", () => ["--layer", "conv3"], /lenet5 has no layer "conv3": did you mean "conv1"/],
    ["a layer that doesn't say where", () => ["--method", "grad-cam", "--layer", "fc1"], /fc1 is no map over places/],
    ["a class that there isn't", () => ["--class", "midle"], /knows no class "midle": did you mean "middle"/],
    ["an image past the test set", () => ["--index", "18"], /there is no test image 18: .* has 18, from 0 to 17/],
    ["a text for a picture", () => ["--image", text()], /no-picture\.jpg/],
  ])("refuses %s, and leaves nothing behind", async (_, flags, says) => {
    const out = join(folder, "explained");
    expectRefused(await zoo(["explain", run, ...flags(), "--out", out, "--backend", "cpu"]), 1, says);
    expect(existsSync(out)).toBe(false);
  });

  it("that fails keeps an empty folder that was there, and no folder that it made itself", async () => {
    const mine = join(folder, "mine");
    await mkdir(mine);
    for (const out of [mine, join(mine, "deep/deeper")]) {
      expectRefused(await zoo(["explain", run, "--image", text(), "--out", out, "--backend", "cpu"]), 1, /no-picture/);
      expect(await readdir(mine)).toEqual([]);
    }
  });

  it("refuses weights whose outputs overflow, whatever it is to look at, as predict does", async () => {
    const overflowing = join(folder, "overflowing.safetensors");
    const { tensors, metadata } = readSafetensors(await readFile(join(run, "weights.safetensors")));
    for (const [name, { data }] of tensors) {
      const huge = Float32Array.from({ length: data.length / 4 }, (_, i) => (i % 2 ? 3e38 : -3e38));
      if (name.startsWith("fc")) data.set(new Uint8Array(huge.buffer));
    }
    await writeFile(overflowing, writeSafetensors(tensors, metadata));
    const out = join(folder, "overflowed");
    for (const method of ["filters", "saliency"]) {
      const ended = await zoo(["explain", overflowing, "--method", method, "--out", out, "--backend", "cpu"]);
      expectRefused(ended, 1, /lenet5's outputs are not finite/);
    }
    const painted = join(folder, "painted.png");
    await sharp({ create: { width: 9, height: 9, channels: 3, background: "teal" } }).toFile(painted);
    const predicted = await zoo(["predict", painted, "--weights", overflowing, "--backend", "cpu"]);
    expectRefused(predicted, 1, /lenet5's outputs are not finite/);
  });

  it("writes into no folder that has something in it", async () => {
    expectRefused(await zoo(["explain", run, "--out", run]), 1, /exists already: give another --out/);
    expect(existsSync(join(run, "weights.safetensors"))).toBe(true);
  });
});
