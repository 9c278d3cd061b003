import * as tf from "@tensorflow/tfjs-core";
import { correctUnderAttack, fgsm, pixelsOf } from "@tfjs-zoo/models/explain";
import { pictureOf, readable } from "@tfjs-zoo/training/charts";
import type { Block } from "@tfjs-zoo/training/node";
import { asBatch, type Look, normalisationOf, onSample, percent, type ShownPicture, type Subject } from "./subject.ts";

/** ε of pixels in 0..255. */
const EPSILONS = [0, 0.5, 1, 2, 4, 8, 16, 32, 64];
/** Pictures that are shown at most. */
const SHOWN = 4;

/** Pictures that are changed as little as it takes to be taken for something else. */
export async function adversarial(subject: Subject): Promise<Look> {
  const { model, info, pictures } = subject;
  const normalisation = normalisationOf(info);
  const correct = EPSILONS.map(() => 0);
  let images = 0;
  const epsilons = EPSILONS.map((epsilon) => epsilon / 255);
  await onSample(subject, "fgsm", async (x, labels) => {
    const counts = await correctUnderAttack(model, x, labels, epsilons, normalisation);
    for (const [i, count] of counts.entries()) correct[i] += count;
    images += x.shape[0];
  });
  const accuracy = correct.map((count) => count / images);
  const half = accuracy.findIndex((value, i) => i > 0 && value < accuracy[0] / 2);
  const told = half < 0 ? EPSILONS.length - 1 : half;
  // Beyond the first step to about chance a curve shows nothing.
  const chance = accuracy.findIndex((value) => value < 1.5 / info.classes.length);
  const curve = chance < 0 ? accuracy : accuracy.slice(0, chance + 1);
  const right = pictures.filter(({ label, said }) => label === undefined || label === said);
  const examples = (right.length > 0 ? right : pictures).slice(0, SHOWN).map((shown) => attacked(subject, shown));
  const figures: Block[] = examples.map(({ block }) => block);
  const before = percent(accuracy[0]);
  return {
    section: {
      title: "Adversarial examples",
      lead: `Every pixel moves by at most ε of 255 in the direction that raises the loss, which people hardly see: the fast gradient sign method (Goodfellow et al. 2015). On ${images.toLocaleString("en-GB")} test images accuracy falls from ${before} to ${percent(accuracy[told])} at ε = ${EPSILONS[told]}.`,
      blocks: [
        {
          kind: "charts",
          charts: [
            {
              title: "Accuracy under attack",
              series: [{ name: "accuracy", points: curve.map((value, i) => ({ step: EPSILONS[i], epoch: 0, value })) }],
              axis: "share",
              x: { unit: "ε, of 255", say: (epsilon) => `ε = ${Number(epsilon.toFixed(1))} of 255` },
            },
          ],
        },
        ...figures,
      ],
    },
    facts: {
      images,
      accuracy: accuracy.map((value, i) => ({ epsilon: EPSILONS[i], accuracy: value })),
      examples: examples.map(({ facts }) => facts),
    },
    line: `fgsm: accuracy ${before} of ${images.toLocaleString("en-GB")} images, ${percent(accuracy[told])} where pixels move by ${EPSILONS[told]} of 255`,
  };
}

interface Attack {
  epsilon: number;
  /** [height, width, channels], 0 to 1 */
  pixels: Float32Array;
  /** [classes] */
  probabilities: Float32Array;
}

/** A picture moved by ε, and what the network says of it then. */
function attackOf({ model, info }: Subject, shown: ShownPicture, epsilon: number): Attack {
  return tf.tidy(() => {
    const labels = tf.tensor1d([shown.label ?? shown.said], "int32");
    const moved = fgsm(model, asBatch(shown, info), labels, epsilon / 255, normalisationOf(info));
    const scores = tf.softmax(model.apply(moved, { training: false }) as tf.Tensor2D);
    const pixels = pixelsOf(moved, normalisationOf(info));
    return { epsilon, pixels: pixels.dataSync<"float32">(), probabilities: scores.dataSync<"float32">() };
  });
}

const saidOf = ({ probabilities }: Attack): number =>
  probabilities.indexOf(probabilities.reduce((a, b) => Math.max(a, b)));

/** A picture, what is added until it is taken for something else, and what comes out. */
function attacked(subject: Subject, shown: ShownPicture): { block: Block; facts: object } {
  const { inputShape, classes } = subject.info;
  let attack = attackOf(subject, shown, 0);
  const { pixels: before } = attack;
  for (const epsilon of EPSILONS.slice(1)) {
    attack = attackOf(subject, shown, epsilon);
    if (saidOf(attack) !== shown.said) break;
  }
  const { epsilon, pixels: after, probabilities } = attack;
  const probability = probabilities.reduce((a, b) => Math.max(a, b));
  const said = classes[saidOf(attack)];
  const factor = Math.max(1, Math.floor(127 / epsilon));
  const difference = after.map((pixel, i) => 0.5 + factor * (pixel - before[i]));
  const first = `${classes[shown.said]} (${percent(shown.probability)})`;
  const second = `${said} (${percent(probability)})`;
  const figure = (file: string, values: ArrayLike<number>, alt: string, caption: string) => ({
    file: `${shown.stem}-${file}.png`,
    picture: readable(pictureOf(values, inputShape)),
    alt,
    caption,
  });
  return {
    block: {
      kind: "figures",
      title: `${shown.name}: ${first}, then ${second}`,
      figures: [
        figure("fgsm-before", before, `${shown.name} as it is`, `said ${first}`),
        figure(
          "fgsm-difference",
          difference,
          `What is added to ${shown.name}: noise to the eye`,
          `what is added, ${factor} times as strong`,
        ),
        figure("fgsm-after", after, `${shown.name} with that added`, `said ${second}, ε = ${epsilon}`),
      ],
    },
    facts: {
      picture: shown.name,
      epsilon,
      before: { class: classes[shown.said], probability: shown.probability },
      after: { class: said, probability },
    },
  };
}
