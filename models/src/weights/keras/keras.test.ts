import { readFileSync } from "node:fs";
import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { unzipSync, zipSync } from "fflate";
import { beforeAll, describe, expect, it } from "vitest";
import { InputError } from "../../errors.ts";
import { BatchNorm, Conv2D, Dense, Dropout, Flatten, MaxPool2D, ReLU } from "../../layers/index.ts";
import { randomStream } from "../../random.ts";
import { resnetCifar } from "../../vision/resnet-cifar.ts";
import { importWeights } from "../import-weights.ts";
import { readStoredZip } from "../stored-zip.ts";
import { chain, relativeError } from "../test-nets.ts";

beforeAll(() => tf.setBackend("cpu"));

const fixture = (name: string) => new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));
const outputs = JSON.parse(new TextDecoder().decode(fixture("keras-outputs.json")));

/** make-keras.py's networks in our layers. */
const networks = {
  net: () => {
    const input = tfl.input({ shape: [6, 8, 2] });
    const output = chain(
      input,
      new Conv2D({ name: "conv", filters: 3, kernelSize: 3, padding: 1 }),
      new ReLU({ name: "relu" }),
      new BatchNorm({ name: "bn" }),
      new MaxPool2D({ name: "pool", poolSize: 2 }),
      new Flatten({ name: "flatten" }),
      new Dropout({ name: "dropout", rate: 0.5 }),
      new Dense({ name: "fc1", units: 7 }),
      new ReLU({ name: "relu2" }),
      new Dense({ name: "fc2", units: 4 }),
    );
    return tfl.model({ inputs: input, outputs: output, name: "net" });
  },
  resnet: () =>
    resnetCifar({
      n: 1,
      widths: [4, 6, 8],
      shortcut: "B",
      inputShape: [12, 12, 3],
      classes: 5,
      seed: null,
      name: "resnet",
    }),
};

/** What make-keras.py gave Keras to look at. */
const sines = (shape: number[]) =>
  tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => Math.sin(i)),
    shape,
  );

describe("a network that Keras saved", () => {
  const flattened = "rows of the dense layer after flattening in PyTorch's order";
  const unknown = "norms' epsilon is not in the file, taken as 0.00001";
  const ofResnet = [
    "layers by the graph",
    "batch norms' epsilon of 0.001 in their variances",
    "biases of convolutions in the means of the batch norms after them",
  ];
  it.each<[keyof typeof networks, string, string[]]>([
    ["net", "keras-net.keras", ["layers by the graph", flattened]],
    ["net", "keras-net.h5", ["layers by the graph", flattened]],
    ["net", "keras-net.weights.h5", ["layers by their order", unknown, flattened]],
    ["net", "keras-net-2.h5", ["layers by their order", unknown, flattened]],
    ["resnet", "keras-resnet.keras", ofResnet],
  ])("%s, %s, answers as it does there", (which, file, rules) => {
    const model = networks[which]();
    const before = tf.memory().numTensors;
    const report = importWeights(model, fixture(file));
    expect(tf.memory().numTensors).toBe(before);
    expect(report).toEqual({ format: "Keras", matched: model.weights.length, unused: [], rules });
    const expected = tf.tensor(outputs[which]);
    const [, ...shape] = model.inputs[0].shape as number[];
    expect(relativeError(model.predict(sines([2, ...shape])) as tf.Tensor, expected)).toBeLessThan(1e-5);
  });

  it("is refused where it is another, where layers can't be told apart, and where it holds a model", () => {
    const fails = (which: keyof typeof networks, file: Uint8Array) => {
      const model = networks[which]();
      const before = model.getWeights()[0].dataSync();
      try {
        importWeights(model, file);
        return "imported";
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
        expect(model.getWeights()[0].dataSync()).toEqual(before);
        return (error as Error).message;
      }
    };
    expect(fails("resnet", fixture("keras-net.keras"))).toBe(
      "it has 3 convolutions and dense layers, 1 batch norms, 0 layer norms, 0 others; resnet has 10 convolutions and dense layers, 9 batch norms, 0 layer norms, 0 others",
    );
    // Without the graph nothing says whether the first convolution of a block or its shortcut comes first.
    const weights = unzipSync(fixture("keras-resnet.keras"))["model.weights.h5"];
    expect(fails("resnet", weights)).toMatch(/^its layers .*conv/);
    const archive = (change: (config: string) => string) => {
      const members = unzipSync(fixture("keras-net.keras"));
      const config = change(new TextDecoder().decode(members["config.json"]));
      return zipSync({ ...members, "config.json": new TextEncoder().encode(config) });
    };
    expect(
      fails(
        "net",
        archive((config) => config),
      ),
    ).toBe("imported");
    expect(
      fails(
        "net",
        archive(() => "{"),
      ),
    ).toContain("it is not JSON");
    expect(
      fails(
        "net",
        archive(() => "[]"),
      ),
    ).toContain("no object");
    expect(
      fails(
        "net",
        archive(() => '{"class_name":"Sequential","config":{"layers":[1]}}'),
      ),
    ).toContain("no list of layers");
    const inner = '{"name":"inner","class_name":"Functional","config":{"layers":[]}}';
    expect(
      fails(
        "net",
        archive(() => `{"config":{"layers":[${inner}]}}`),
      ),
    ).toContain("inner is a model itself");
    const circle = '{"name":"a","class_name":"ReLU","config":{},"inbound_nodes":[[["a",0,0,{}]]]}';
    expect(
      fails(
        "net",
        archive(() => `{"config":{"layers":[${circle}]}}`),
      ),
    ).toContain("in a circle");
    expect(
      fails(
        "net",
        archive(() => '{"config":{"layers":[]}}'),
      ),
    ).toContain("another than net");
  });

  it("may be of layers whose names have slashes, as tf.keras 2's DenseNets", () => {
    const model = networks.net();
    const report = importWeights(model, fixture("keras-slashes.h5"));
    expect(report).toMatchObject({ matched: model.weights.length, unused: [] });
    expect(relativeError(model.predict(sines([2, 6, 8, 2])) as tf.Tensor, tf.tensor(outputs.net))).toBeLessThan(1e-5);
  });

  it("is refused when a number in its archive is damaged", () => {
    const bytes = fixture("keras-net.keras");
    const { data } = [...readStoredZip(bytes)]
      .map(([name, data]) => ({ name, data }))
      .find(({ name }) => name === "model.weights.h5") as {
      data: Uint8Array;
    };
    data[data.length - 3] ^= 64; // members are views into the archive
    expect(() => importWeights(networks.net(), bytes)).toThrow(/damaged: the CRC-32 of model\.weights\.h5/);
  });

  it("flattens as its own layers say, whatever their settings hold", () => {
    const members = unzipSync(fixture("keras-net.keras"));
    const json = JSON.parse(new TextDecoder().decode(members["config.json"]));
    const at = json.config.layers.findIndex(({ class_name }: { class_name: string }) => class_name === "Flatten");
    json.config.layers.splice(at, 0, { class_name: "Permute", config: { name: "permute", dims: { toString: 1 } } });
    const archive = zipSync({ ...members, "config.json": new TextEncoder().encode(JSON.stringify(json)) });
    expect(importWeights(networks.net(), archive).rules).toContain(
      "rows of the dense layer after flattening in PyTorch's order",
    );
  });

  it("does not unpack to more than weights can", () => {
    const bomb = zipSync({ "config.json": new Uint8Array(9), "model.weights.h5": new Uint8Array(1 << 24) });
    expect(bomb.length).toBeLessThan(1 << 18);
    expect(() => importWeights(networks.net(), bomb)).toThrow(/its archive says that it unpacks to 16777225 bytes/);
  });
});

describe("a file of Keras that is cut short or damaged", () => {
  const model = networks.net();
  it.each(["keras-net.h5", "keras-net-2.h5", "keras-net.weights.h5", "keras-net.keras"])(
    "%s is an error of one line",
    (name) => {
      const whole = fixture(name);
      const random = randomStream("keras", name);
      let refused = 0;
      for (let n = 0; n < 400; n++) {
        const bytes = n < 100 ? whole.slice(0, Math.floor((whole.length * n) / 100)) : whole.slice();
        // Most of what is not numbers stands at the beginning.
        const reach = n < 250 ? whole.length : 4096;
        if (n >= 100) for (let k = 0; k < 5; k++) bytes[random.integer(reach)] = random.integer(256);
        try {
          importWeights(model, bytes);
        } catch (error) {
          refused++;
          expect(error, String((error as Error).stack)).toBeInstanceOf(InputError);
          expect((error as Error).message).not.toContain("\n");
        }
      }
      expect(refused).toBeGreaterThan(100);
    },
  );
});
