import * as tf from "@tensorflow/tfjs-core";
import { gradCam, lastSpatialLayer, occlusion, saliency } from "@tfjs-zoo/models/explain";
import { type HeatMap, heatPicture, hottest, overlaid, readable } from "@tfjs-zoo/training/charts";
import type { Block, Figure } from "@tfjs-zoo/training/node";
import { heading } from "./pictures.ts";
import { asBatch, type Look, percent, type ShownPicture, type Subject } from "./subject.ts";

export const whereMethods = ["grad-cam", "occlusion", "saliency"] as const;
export type WhereMethod = (typeof whereMethods)[number];

const words: { [M in WhereMethod]: string } = {
  "grad-cam":
    "Grad-CAM lights up the places whose features speak for a class: it weighs a layer's feature maps by the class score's gradient (Selvaraju et al. 2017).",
  occlusion:
    "Occlusion lights up the places that, hidden behind a grey square, cost the class most of its probability (Zeiler & Fergus 2014).",
  saliency:
    "Saliency is how much a change of each pixel would change the score: the size of the gradient (Simonyan et al. 2014).",
};

/** A picture seen by one method. */
interface Seen {
  figure: Figure;
  facts: object;
}

/** Where in its pictures a network finds what it goes by: one row a picture, one column a method. */
export async function where(subject: Subject, methods: readonly WhereMethod[]): Promise<Look> {
  const { info, pictures, progress } = subject;
  const blocks: Block[] = [];
  const facts: object[] = [];
  for (const [i, shown] of pictures.entries()) {
    progress.update({ label: methods.join(", "), done: i, total: pictures.length, unit: "items" });
    const seen: Seen[] = [];
    const target = subject.classIndex ?? shown.said;
    if (methods.includes("grad-cam")) {
      seen.push(byGradCam(subject, shown, target));
      const { label } = shown;
      if (subject.classIndex === undefined && label !== undefined && label !== shown.said) {
        seen.push(byGradCam(subject, shown, label));
      }
    }
    if (methods.includes("occlusion")) seen.push(await byOcclusion(subject, shown, target));
    if (methods.includes("saliency")) seen.push(bySaliency(subject, shown, target));
    const title = heading(shown, info.classes);
    const itself: Figure = {
      file: `${shown.stem}.png`,
      picture: readable(shown.picture),
      alt: title,
      caption: "as the network sees it",
    };
    blocks.push({ kind: "figures", title, figures: [itself, ...seen.map(({ figure }) => figure)] });
    facts.push({
      picture: shown.name,
      ...(shown.label !== undefined && { is: info.classes[shown.label] }),
      said: info.classes[shown.said],
      probability: shown.probability,
      maps: seen.map((one) => one.facts),
    });
    await new Promise((resolve) => setImmediate(resolve));
  }
  progress.update({ label: methods.join(", "), done: pictures.length, total: pictures.length, unit: "items" });
  return {
    section: { title: "Where it looks", lead: methods.map((method) => words[method]).join(" "), blocks },
    facts: { pictures: facts },
    line: `${methods.join(", ")}: ${pictures.map(({ name }) => name).join(", ")}`,
  };
}

function byGradCam({ model, info, layer: asked }: Subject, shown: ShownPicture, target: number): Seen {
  const layer = asked ?? lastSpatialLayer(model);
  const map = heatMapOf(() => gradCam(model, asBatch(shown, info), { layer, classIndex: target }).map);
  const name = info.classes[target];
  const file = `${shown.stem}-grad-cam-${target}-${fileName(name)}.png`;
  const nothing = map.largest === 0 ? "; nothing does" : "";
  const caption = `Grad-CAM: what speaks for ${name}${nothing} (${layer})`;
  return {
    figure: { file, picture: overlaid(shown.picture, map), alt: `${caption}, ${shown.name}: ${hottest(map)}`, caption },
    facts: { method: "grad-cam", layer, class: name, smallest: map.smallest, largest: map.largest, file },
  };
}

async function byOcclusion({ model, info }: Subject, shown: ShownPicture, target: number): Promise<Seen> {
  const image = asBatch(shown, info);
  const found = await occlusion(model, image, { classIndex: target });
  const probabilities = await found.probability.data<"float32">();
  const [height, width] = found.probability.shape;
  tf.dispose([image, found.probability]);
  const lowest = probabilities.reduce((a, b) => Math.min(a, b));
  const drops = Float32Array.from(probabilities, (p) => Math.max(0, found.whole - p));
  const most = drops.reduce((a, b) => Math.max(a, b));
  const map = heatMap(
    drops.map((drop) => (most > 0 ? drop / most : 0)),
    height,
    width,
  );
  const name = info.classes[target];
  const file = `${shown.stem}-occlusion-${target}-${fileName(name)}.png`;
  const caption = `occlusion: hiding ${found.size}×${found.size} pixels brings ${name} from ${percent(found.whole)} to ${percent(lowest)} at worst`;
  return {
    figure: { file, picture: overlaid(shown.picture, map), alt: `${caption}, ${shown.name}: ${hottest(map)}`, caption },
    facts: {
      method: "occlusion",
      class: name,
      size: found.size,
      stride: found.stride,
      whole: found.whole,
      lowest,
      file,
    },
  };
}

function bySaliency({ model, info }: Subject, shown: ShownPicture, target: number): Seen {
  const map = heatMapOf(() => saliency(model, asBatch(shown, info), target).map);
  const name = info.classes[target];
  const file = `${shown.stem}-saliency-${target}-${fileName(name)}.png`;
  const caption = `saliency: pixels that ${name}'s score depends on`;
  const picture = readable(heatPicture(map));
  return {
    figure: { file, picture, alt: `${caption}, ${shown.name}: ${hottest(map)}`, caption },
    facts: { method: "saliency", class: name, smallest: map.smallest, largest: map.largest, file },
  };
}

interface Measured extends HeatMap {
  values: Float32Array;
  smallest: number;
  largest: number;
}

/** @param make gives a map [1, height, width] */
function heatMapOf(make: () => tf.Tensor3D): Measured {
  const map = tf.tidy(make);
  const [, height, width] = map.shape;
  const values = map.dataSync<"float32">();
  map.dispose();
  return heatMap(values, height, width);
}

function heatMap(values: Float32Array, height: number, width: number): Measured {
  const smallest = values.reduce((a, b) => Math.min(a, b));
  return { values, height, width, smallest, largest: values.reduce((a, b) => Math.max(a, b)) };
}

/** A name as a part of a file's: letters and digits of every script. Several names may give one, so it needs a number too. */
export const fileName = (name: string): string =>
  Array.from(name.replace(/[^\p{L}\p{M}\p{N}_-]+/gu, "-"))
    .slice(0, 40)
    .join("") || "class";
