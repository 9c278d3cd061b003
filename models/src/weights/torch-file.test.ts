import { readFileSync } from "node:fs";
import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { InputError } from "../errors.ts";
import { randomStream } from "../random.ts";
import { createModel } from "../registry.ts";
import { importWeights } from "./import-weights.ts";
import { readPickle } from "./pickle.ts";
import { readSafetensors, type SafeTensor, writeSafetensors } from "./safetensors.ts";
import { saveWeights } from "./save-weights.ts";
import { readTorchFile } from "./torch-file.ts";

beforeAll(() => tf.setBackend("cpu"));

const fixture = (name: string) => new Uint8Array(readFileSync(new URL(`./fixtures/${name}`, import.meta.url)));

const plain = (tensors: Map<string, SafeTensor>) =>
  Object.fromEntries(
    [...tensors].map(([name, { dtype, shape, data }]) => [
      name.replace(/^module\./, ""),
      { dtype, shape: [...shape], data: [...data] },
    ]),
  );

describe("a file of torch.save", () => {
  it.each(["torch-net.pt", "torch-net-legacy.pth"])("%s holds what safetensors holds", (name) => {
    expect(plain(readTorchFile(fixture(name)))).toEqual(
      plain(readSafetensors(fixture("torch-net.safetensors")).tensors),
    );
  });

  it("that calls something is refused, and what it calls is named", () => {
    expect(() => readTorchFile(fixture("torch-net-evil.pt"))).toThrow(
      "it wants to call posix.system, which weights don't need: refused; save the state_dict alone",
    );
  });

  it.each(["torch-net.pt", "torch-net-legacy.pth"])(
    "%s that is cut short or damaged is an error of one line",
    (name) => {
      const whole = fixture(name);
      const random = randomStream("torch-file", name);
      for (let n = 0; n < 300; n++) {
        const bytes = n < 100 ? whole.slice(0, Math.floor((whole.length * n) / 100)) : whole.slice();
        if (n >= 100) for (let k = 0; k < 4; k++) bytes[random.integer(bytes.length)] = random.integer(256);
        try {
          readTorchFile(bytes);
        } catch (error) {
          expect(error, String((error as Error).stack)).toBeInstanceOf(InputError);
          expect((error as Error).message).not.toContain("\n");
        }
      }
    },
  );
});

it("a safetensors file whose header's length looks like a pickle's beginning is no file of torch.save", () => {
  const bias = { dtype: "F32", shape: [10], data: new Uint8Array(40) } as const;
  const files = Array.from({ length: 100 }, (_, n) =>
    writeSafetensors([["fc3.bias", bias]], { pad: "x".repeat(8 * n) }),
  );
  const alike = files.filter((bytes) => bytes[0] === 0x80 && bytes[1] === 2);
  expect(alike).toHaveLength(1);
  const model = createModel("lenet5", { seed: null });
  expect(() => importWeights(model, alike[0])).toThrow("these weights don't fit lenet5 (10 tensors): 9 missing");
});

it("weights of eight bits are imported with their scales", async () => {
  const bytes = await saveWeights(createModel("lenet5", { seed: 3 }), { dtype: "I8" });
  const report = importWeights(createModel("lenet5", { seed: null }), bytes);
  expect(report).toMatchObject({ matched: 10, unused: [] });
});

describe("a pickle", () => {
  const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
  const callables = new Map([["a.b", (...args: unknown[]) => args.length]]);

  it("calls with few arguments only, and what is nested deep is no matter", () => {
    const call = (count: number) => bytes(`\x80\x02ca\nb\n(${"K\x01".repeat(count)}tR.`);
    expect(readPickle(call(3), { callables }).value).toBe(3);
    expect(() => readPickle(call(17), { callables })).toThrow("17 arguments");
    const nested = bytes(`\x80\x02${"]".repeat(100_000)}${"a".repeat(99_999)}.`);
    expect(readPickle(nested, { callables }).value).toHaveLength(1);
  });

  it.each([
    ["\x80\x02K\x07.", 7],
    ["\x80\x02J\xff\xff\xff\xff.", -1],
    ["\x80\x02\x8a\x02\x00\x80.", -32768],
    ["\x80\x02X\x02\x00\x00\x00hi.", "hi"],
    ["\x80\x02(K\x01K\x02t.", [1, 2]],
    ["\x80\x02]q\x00(K\x01h\x00e0h\x00.", "itself"],
    ["\x80\x02}X\x01\x00\x00\x00aNs.", new Map([["a", null]])],
  ])("%j", (text, expected) => {
    const { value } = readPickle(bytes(text), { callables });
    if (expected !== "itself") expect(value).toEqual(expected);
    else expect(value).toEqual([1, value]);
  });

  it.each([
    ["\x80\x09.", "newer than 5"],
    ["\x80\x02cos\nsystem\n.", "os.system"],
    ["\x80\x02K", "cut short"],
    ["\x80\x02.", "takes more from its stack"],
    ["\x80\x02h\x05.", "not made"],
    ["\x80\x02I7\n.", 'instruction "I"'],
    ["\x80\x02K\x01K\x02a.", "no list"],
    ["\x80\x02K\x01K\x02\x93.", "no name"],
  ])("%j is refused", (text, why) => {
    expect(() => readPickle(bytes(text), { callables })).toThrow(why);
  });
});

describe("weights of others", () => {
  it("are imported whole or not at all", async () => {
    const { tensors } = readSafetensors(await saveWeights(createModel("lenet5", { seed: 3 })));
    const foreign = new Map([...tensors].map(([name, tensor]) => [`module.${name}`, tensor]));
    const model = createModel("lenet5", { seed: null });
    const extra = { dtype: "F32", shape: [1], data: new Uint8Array(4) } as const;
    const report = importWeights(model, writeSafetensors([...foreign, ["module.ema.decay", extra]]));
    expect(report).toEqual({
      format: "safetensors",
      matched: 10,
      rules: ["without module."],
      unused: ["module.ema.decay"],
    });
    expect([...(await saveWeights(model))]).toEqual([...(await saveWeights(createModel("lenet5", { seed: 3 })))]);
    foreign.delete("module.fc3.bias");
    expect(() => importWeights(createModel("lenet5"), writeSafetensors(foreign))).toThrow("1 missing (fc3.bias)");
    expect(() => importWeights(createModel("airbench94", { seed: null }), fixture("torch-net.pt"))).toThrow(
      /none of its \d+ tensors/,
    );
  });

  it("of safetensors may begin as a web page does: its first bytes are a number", async () => {
    const model = createModel("lenet5", { seed: 3 });
    const pad = (length: number) => saveWeights(model, { metadata: { pad: "x".repeat(length) } });
    const header = (bytes: Uint8Array) => bytes[0] + 256 * bytes[1];
    const bytes = await pad(0x3c20 - header(await pad(8)) + 8);
    expect(new TextDecoder("latin1").decode(bytes.subarray(0, 2))).toBe(" <");
    expect(importWeights(createModel("lenet5", { seed: null }), bytes).matched).toBe(10);
  });

  it.each([
    ["<!DOCTYPE html><html>", "a web page"],
    ["\x89HDF\r\n\x1a\n", "its HDF5 can't be read: it is cut short"],
    ["", "fewer than the 8"],
  ])("%j is refused", (text, why) => {
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    expect(() => importWeights(createModel("lenet5", { seed: null }), bytes)).toThrow(why);
  });
});
