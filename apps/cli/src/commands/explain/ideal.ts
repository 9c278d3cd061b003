import * as tf from "@tensorflow/tfjs-core";
import { findLayer, maximiseActivation, pixelsOf } from "@tfjs-zoo/models/explain";
import { pictureOf, readable } from "@tfjs-zoo/training/charts";
import type { Figure } from "@tfjs-zoo/training/node";
import { expectFinite } from "../../expect-finite.ts";
import { type Look, normalisationOf, type Subject } from "./subject.ts";
import { fileName } from "./where.ts";

/** Images that are made at most. */
const IMAGES = 16;

/** Images that excite each class, or each unit of a layer, most. */
export async function ideals(subject: Subject): Promise<Look> {
  const { model, info, layer, classIndex, seed, steps, progress } = subject;
  const normalisation = normalisationOf(info);
  const count =
    layer === undefined ? info.classes.length : ((findLayer(model, layer).outputShape as number[]).at(-1) as number);
  const asked = layer === undefined && classIndex !== undefined ? [classIndex] : undefined;
  const units = asked ?? Array.from({ length: Math.min(count, IMAGES) }, (_, i) => i);
  const made = await maximiseActivation(model, {
    ...normalisation,
    layer,
    units,
    seed,
    steps,
    onStep: (done, total) => progress.update({ label: "activation", done, total, unit: "items" }),
  });
  const shape = made.images.shape.slice(1);
  const size = shape.reduce((a, b) => a * b);
  const [pixels, probabilities] = tf.tidy((): [Float32Array, Float32Array] => [
    pixelsOf(made.images, normalisation).dataSync<"float32">(),
    tf.softmax(model.apply(made.images, { training: false }) as tf.Tensor2D).dataSync<"float32">(),
  ]);
  made.images.dispose();
  expectFinite([...probabilities, ...made.activation], info);
  const facts: object[] = [];
  const figures = units.map((unit, i): Figure => {
    const activation = made.activation[i];
    const name = layer === undefined ? info.classes[unit] : `${layer}, unit ${unit}`;
    const file = `activation-${unit}-${fileName(name)}.png`;
    const probability = layer === undefined ? probabilities[i * info.classes.length + unit] : undefined;
    facts.push({
      [layer === undefined ? "class" : "unit"]: layer === undefined ? name : unit,
      activation,
      probability,
      file,
    });
    return {
      file,
      picture: readable(pictureOf(pixels.subarray(i * size, (i + 1) * size), shape)),
      alt: `An image made to excite ${name} most`,
      caption: `${name}: ${layer === undefined ? "score" : "activation"} ${activation.toFixed(1)}`,
    };
  });
  const what = layer === undefined ? "each class's score" : `units of ${layer}`;
  return {
    section: {
      title: layer === undefined ? "What it thinks a class looks like" : `What excites ${layer}`,
      lead: `Images made from faint noise by gradient ascent on ${what} (Erhan et al. 2009; Simonyan et al. 2014), held smooth by total variation (Mahendran & Vedaldi 2015) and jitter. No picture was copied: what is recognisable, the network knows.`,
      blocks: [{ kind: "figures", figures }],
    },
    facts: { ...(layer !== undefined && { layer }), steps, seed, images: facts },
    line: `activation: ${units.length} images that excite ${what} most`,
  };
}
