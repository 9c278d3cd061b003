import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { InputError } from "../errors.ts";
import { type CardFields, createCard, parseCard, sha256, verifyWeights } from "./card.ts";

const fields: CardFields = {
  model: "resnet20",
  tag: "cifar10",
  task: "classification",
  inputShape: [32, 32, 3],
  normalisation: { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] },
  classes: ["airplane", "automobile"],
  parameters: 269_722,
  macs: 40_813_184,
  metric: { name: "accuracy", value: 0.9182, dataset: "cifar10", split: "test", images: 10_000, epoch: 70 },
  recipe: "standard",
  seed: 1,
  backend: "tensorflow",
  precision: "bf16",
  command: "npm run train -- resnet20 --recipe standard --full",
};
const weights = new TextEncoder().encode("weights");

describe("a card", () => {
  it("comes back from JSON as it was made", async () => {
    const card = await createCard(fields, weights);
    expect(card).toMatchObject({ ...fields, version: 1, bytes: 7 });
    expect(parseCard(JSON.stringify(card))).toEqual(card);
  });

  it("vouches for its file alone", async () => {
    const card = await createCard(fields, weights);
    await verifyWeights(card, weights);
    await expect(verifyWeights(card, weights.subarray(1))).rejects.toThrow(/6 bytes, but its card says 7/);
    await expect(verifyWeights(card, new TextEncoder().encode("Weights"))).rejects.toThrow(InputError);
  });

  it("of a network that makes images needs neither classes nor a tokenizer", async () => {
    const { classes: _, ...rest } = fields;
    expect((await createCard({ ...rest, task: "autoencoding" }, weights)).classes).toBeUndefined();
  });

  const faults: [string, (card: Record<string, unknown>) => void, RegExp][] = [
    ["a field missing", (card) => delete card.seed, /: seed is missing, expected a whole number/],
    ["a newer version", (card) => Object.assign(card, { version: 2 }), /version is 2, .*newer tfjs-zoo/],
    ["an unknown field", (card) => Object.assign(card, { sead: 1 }), /sead is no field of a card/],
    ["neither", (card) => delete card.classes, /it needs classes or a tokenizer/],
    ["a bad hash", (card) => Object.assign(card, { sha256: "AB" }), /sha256 is "AB", expected 64/],
    [
      "a sheet elsewhere",
      (card) => Object.assign(card, { samples: "../x.png" }),
      /samples is "..\/x.png", expected the name/,
    ],
    ["a bad shape", (card) => Object.assign(card, { inputShape: [32, 0] }), /inputShape is \[32,0\]/],
    ["means without deviations", (card) => Object.assign(card, { normalisation: { mean: [0] } }), /normalisation is/],
    ["a metric's fault", (card) => Object.assign(card.metric as object, { value: "high" }), /metric.value is "high"/],
    ["another metric's", (card) => Object.assign(card, { otherMetrics: [{}] }), /otherMetrics\[0\].name is missing/],
    ["two faults", (card) => Object.assign(card, { seed: -1, recipe: 3 }), /recipe is 3, .*; seed is -1/],
  ];
  it.each(faults)("with %s is refused in one line", async (_, spoil, message) => {
    const card = JSON.parse(JSON.stringify(await createCard(fields, weights)));
    spoil(card);
    expect(() => parseCard(JSON.stringify(card))).toThrow(message);
    expect(() => parseCard(JSON.stringify(card))).toThrow(InputError);
    expect(() => parseCard(JSON.stringify(card))).not.toThrow(/\n/);
  });

  it("that is no object is refused", () => {
    expect(() => parseCard("{")).toThrow(/not JSON/);
    expect(() => parseCard("[]")).toThrow(/not a JSON object/);
    expect(() => parseCard("null")).toThrow(InputError);
  });

  it("can't be made of wrong fields", async () => {
    await expect(createCard({ ...fields, metric: { ...fields.metric, value: Number.NaN } }, weights)).rejects.toThrow(
      InputError,
    );
  });
});

it("sha256 is what everyone computes, of a view too", async () => {
  const bytes = new Uint8Array([9, 1, 2, 3]).subarray(1);
  expect(await sha256(bytes)).toBe(createHash("sha256").update(bytes).digest("hex"));
});
