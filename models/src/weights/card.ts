/**
 * A model card: what one file of weights is, what it reaches, and the command that makes it again. Plain data, kept
 * as card.json beside model.safetensors.
 */
import { InputError } from "../errors.ts";

/** The version of this format. */
const cardVersion = 1;

/** A figure of the shipped file, as measured: never the best epoch on the test set. */
export interface CardMetric {
  /** What was measured, in the words of its unit: "accuracy" (0 to 1), "top5" (0 to 1), "loss" (nats). */
  readonly name: string;
  readonly value: number;
  /** The data set's name ("cifar10") and which of its parts ("test"). */
  readonly dataset: string;
  readonly split: string;
  /** How many of its images (or sentences, …) were measured. */
  readonly images: number;
  /** The epoch after which the weights were taken: the last. */
  readonly epoch: number;
  /** How what was measured was made, where there are several ways: "ddim, 50 steps, guidance 2". */
  readonly how?: string;
}

/** The card of one published file of weights. */
export interface Card {
  readonly version: typeof cardVersion;
  /** The architecture's name in the registry ("resnet20") and the tag that tells its weights apart ("cifar10"). */
  readonly model: string;
  readonly tag: string;
  /** "classification", … */
  readonly task: string;
  /** Shape of one input, without the batch: [height, width, channels] for images. */
  readonly inputShape: readonly number[];
  /** What is done to a pixel in 0 … 1 before the network sees it, per channel: (x − mean) / std. */
  readonly normalisation: { readonly mean: readonly number[]; readonly std: readonly number[] } | null;
  /** Names of the classes in the order of the logits. A model of text has a `tokenizer`, and classes where it tells some apart. */
  readonly classes?: readonly string[];
  /** Name of the tokenizer's file, beside the card. */
  readonly tokenizer?: string;
  /** Name of the file of images that the network made, beside the card. */
  readonly samples?: string;
  /** Of the file of weights: lower-case hexadecimal SHA-256, and its length. */
  readonly sha256: string;
  readonly bytes: number;
  /** Trainable parameters, and multiply-adds of convolutions, dense layers and attention for one input. */
  readonly parameters: number;
  readonly macs: number;
  readonly metric: CardMetric;
  /** Further figures of the same file. */
  readonly otherMetrics?: readonly CardMetric[];
  readonly recipe: string;
  readonly seed: number;
  readonly backend: string;
  /** "f32", "bf16" */
  readonly precision: string;
  /** The command that reproduces the file. */
  readonly command: string;
}

/** What a caller knows of a card; the rest follows from the file's bytes. */
export type CardFields = Omit<Card, "version" | "sha256" | "bytes">;

/**
 * Makes the card of a file of weights.
 *
 * @param fields all that the bytes don't say
 * @param weights the file as it will be shipped
 * @throws InputError when the fields don't make a valid card
 */
export async function createCard(fields: CardFields, weights: Uint8Array): Promise<Card> {
  return checkCard({ version: cardVersion, ...fields, sha256: await sha256(weights), bytes: weights.length });
}

/**
 * Reads card.json.
 *
 * @throws InputError that names every fault, in one line
 */
export function parseCard(json: string): Card {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new InputError("not a model card: it is not JSON");
  }
  return checkCard(value);
}

/**
 * Makes sure that a file of weights is the one that a card describes.
 *
 * @throws InputError when its length or SHA-256 is another
 */
export async function verifyWeights(card: Pick<Card, "model" | "tag" | "sha256" | "bytes">, weights: Uint8Array) {
  const name = `${card.model}.${card.tag}`;
  if (weights.length !== card.bytes)
    throw new InputError(
      `the weights of ${name} have ${weights.length} bytes, but its card says ${card.bytes}; fetch them again`,
    );
  const actual = await sha256(weights);
  if (actual !== card.sha256)
    throw new InputError(
      `the weights of ${name} have SHA-256 ${actual}, but its card says ${card.sha256}; fetch them again`,
    );
}

/** The SHA-256 of some bytes in lower-case hexadecimal, by WebCrypto (in a page: only on https or localhost). */
export async function sha256(bytes: Uint8Array): Promise<string> {
  if (!globalThis.crypto?.subtle)
    throw new InputError("can't check SHA-256 here: WebCrypto needs a page served from https or localhost");
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as BufferSource));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

type Rule = readonly [expected: string, holds: (value: unknown) => boolean];

const isText = (value: unknown) => typeof value === "string" && value !== "";
const isNumber = (value: unknown) => Number.isFinite(value);
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
const isListOf = (holds: (item: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.length > 0 && value.every(holds);
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const text: Rule = ["a non-empty string", isText];
const count: Rule = ["a whole number of at least 0", isCount];
const optional = ([expected, holds]: Rule): Rule => [
  `${expected}, or nothing`,
  (value) => value === undefined || holds(value),
];

const metricRules: Record<keyof CardMetric, Rule> = {
  name: text,
  value: ["a finite number", isNumber],
  dataset: text,
  split: text,
  images: count,
  epoch: count,
  how: optional(text),
};

const cardRules: Record<keyof Card, Rule> = {
  version: [`${cardVersion} (a newer card needs a newer tfjs-zoo)`, (value) => value === cardVersion],
  model: text,
  tag: text,
  task: text,
  inputShape: ["a list of positive whole numbers", isListOf((n) => isCount(n) && n !== 0)],
  normalisation: [
    "null, or { mean, std }: lists of numbers, as many of one as of the other, std above 0",
    (value) =>
      value === null ||
      (isRecord(value) &&
        isListOf(isNumber)(value.mean) &&
        isListOf((n) => isNumber(n) && (n as number) > 0)(value.std) &&
        (value.mean as number[]).length === (value.std as number[]).length),
  ],
  classes: optional(["a list of names", isListOf(isText)]),
  tokenizer: optional(text),
  samples: optional(["the name of a .png file beside it", (value) => /^[\w-]+\.png$/.test(String(value))]),
  sha256: ["64 lower-case hexadecimal digits", (value) => typeof value === "string" && /^[0-9a-f]{64}$/.test(value)],
  bytes: count,
  parameters: count,
  macs: count,
  metric: ["an object", isRecord],
  otherMetrics: optional(["a list of objects", isListOf(isRecord)]),
  recipe: text,
  seed: count,
  backend: text,
  precision: text,
  command: text,
};

/** Tasks of networks that need not know classes, nor words. */
const makesImages: ReadonlySet<string> = new Set(["autoencoding", "adversarial", "diffusion"]);

function checkCard(value: unknown): Card {
  if (!isRecord(value)) throw new InputError("not a model card: it is not a JSON object");
  const faults = faultsOf("", value, cardRules);
  if (faults.length === 0) {
    const card = value as unknown as Card;
    faults.push(...faultsOf("metric.", card.metric, metricRules));
    card.otherMetrics?.forEach((metric, i) => {
      faults.push(...faultsOf(`otherMetrics[${i}].`, metric, metricRules));
    });
    if (!makesImages.has(card.task) && card.classes === undefined && card.tokenizer === undefined) {
      faults.push("it needs classes or a tokenizer");
    }
  }
  if (faults.length > 0) throw new InputError(`not a valid model card: ${faults.join("; ")}`);
  return value as unknown as Card;
}

function faultsOf(prefix: string, value: object, rules: Record<string, Rule>): string[] {
  const fields = new Map<string, unknown>(Object.entries(value));
  const faults: string[] = [];
  for (const [key, [expected, holds]] of Object.entries(rules)) {
    const received = fields.get(key);
    if (holds(received)) continue;
    const shown = received === undefined ? "missing" : (JSON.stringify(received)?.slice(0, 60) ?? String(received));
    faults.push(`${prefix}${key} is ${shown}, expected ${expected}`);
  }
  for (const key of fields.keys())
    if (!Object.hasOwn(rules, key)) faults.push(`${prefix}${key.slice(0, 60)} is no field of a card`);
  return faults;
}
