import * as tf from "@tensorflow/tfjs-core";
import { embeddings, umap } from "@tfjs-zoo/models/explain";
import { expectFinite } from "../../expect-finite.ts";
import { type Look, onSample, type Subject } from "./subject.ts";

/** Test images laid out by their features, so that what the network takes for alike lies together. */
export async function layout(subject: Subject): Promise<Look> {
  const { model, info, seed, progress, sample } = subject;
  const { classes } = info;
  const points: number[][] = [];
  const labels: number[] = [];
  const said: number[] = [];
  await onSample(subject, "features", (images, _, batch) => {
    const [features, scores, predicted] = tf.tidy((): [number[][], Float32Array, Int32Array] => {
      const logits = model.apply(images, { training: false }) as tf.Tensor2D;
      return [
        embeddings(model, images).arraySync(),
        logits.dataSync<"float32">(),
        tf.argMax(logits, 1).dataSync<"int32">(),
      ];
    });
    expectFinite(scores, info);
    points.push(...features);
    said.push(...predicted);
    labels.push(...batch.labels);
  });
  const places = await umap(points, {
    seed,
    onStep: (done, total) => progress.update({ label: "umap", done, total, unit: "items" }),
  });
  const nameOf = (i: number) => `test image ${sample?.indices[i]}`;
  return {
    section: {
      title: "How it sorts images",
      lead: `${points.length.toLocaleString("en-GB")} test images by the ${points[0].length} features that the last layer reads, laid out in the plane by UMAP (McInnes et al. 2018): neighbours there are alike to the network. Islands are classes that it tells apart; where two touch, it confuses them. How far apart islands lie, and how large they are, says little.`,
      blocks: [
        {
          kind: "scatter",
          scatter: {
            title: "Features of test images",
            points: places.map(([x, y], i) => {
              const wrong = said[i] !== labels[i];
              const say = `${nameOf(i)}: ${classes[labels[i]]}${wrong ? `, said ${classes[said[i]]}` : ""}`;
              return { x, y, class: labels[i], hollow: wrong, say };
            }),
            classes,
            hollow: "taken for another class",
          },
        },
      ],
    },
    facts: {
      seed,
      features: points[0].length,
      points: places.map(([x, y], i) => ({
        index: sample?.indices[i],
        x,
        y,
        class: classes[labels[i]],
        said: classes[said[i]],
      })),
    },
    line: `umap: ${points.length.toLocaleString("en-GB")} test images by ${points[0].length} features`,
  };
}
