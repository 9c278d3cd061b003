import { percent } from "./class-balance.ts";
import type { FeatureMeasures, SampleMeasures } from "./measure-samples.ts";
import type { Memorising } from "./nearest-neighbours.ts";

/** Classes whose shares are listed, at most. */
const MOST_SHARES = 20;

/** What the measures of samples say, in lines that need no knowledge of them. */
export function measureLines(measures: SampleMeasures): string[] {
  const { inception, classes, classShares, confidence, expectedConfidence, asked, collapse, memorised } = measures;
  const [least, most] = [Math.min(...classShares), Math.max(...classShares)];
  return [
    ...featureLines(measures, "not comparable with published FID"),
    ...(inception
      ? featureLines(inception, "comparable with published FID of as many samples against the same images")
      : []),
    `classes, as ${measures.features} sees them: ${percent(least)} (${classes[classShares.indexOf(least)]}) to ` +
      `${percent(most)} (${classes[classShares.indexOf(most)]}) of samples; it is ${percent(confidence)} sure on average ` +
      `(${percent(expectedConfidence)} of real images)`,
    ...(classes.length <= MOST_SHARES
      ? [`shares: ${classes.map((name, k) => `${name} ${percent(classShares[k])}`).join(", ")}`]
      : []),
    ...(asked
      ? [
          `${percent(asked.right)} of samples are of the class that was asked for; of real images it tells ${percent(asked.accuracy)} right`,
        ]
      : []),
    collapse.length === 0 ? "no sign of mode collapse" : `warning: signs of mode collapse: ${collapse.join("; ")}`,
    ...memorisingLines(memorised.pixels, memorised.features),
  ];
}

function featureLines(measures: FeatureMeasures, comparable: string): string[] {
  const { features, dimensions, samples, reference, fid, kid, precision, recall, density, coverage } = measures;
  return [
    `FID ${fid.toFixed(2)} on features of ${features}: ${comparable} (${count(samples)} samples, ${count(reference)} real images)`,
    ...(Math.min(samples, reference) <= dimensions
      ? [`there are no more images than features (${count(dimensions)}): that FID is far too large, KID is not`]
      : []),
    `KID ${kid.mean.toFixed(5)} ± ${kid.spread.toFixed(5)} on the same features (${kid.subsets} subsets of ${count(kid.subsetSize)})`,
    `precision ${percent(precision)}: samples that lie among real images; recall ${percent(recall)}: real images that lie among samples`,
    `density ${density.toFixed(2)} (1 is as the data), coverage ${percent(coverage)}: real images with a sample near them`,
  ];
}

function memorisingLines(pixels: Memorising, features: Memorising): string[] {
  const copies = Math.max(pixels.copies, features.copies);
  return [
    `${percent(pixels.nearer)} of samples by pixels and ${percent(features.nearer)} by features lie nearer to a training image ` +
      "than half of the held-out images do (50 % of images that are new)",
    pixels.memorised || features.memorised
      ? `learned by heart: ${percent(copies)} of samples are copies of a training image`
      : `not learned by heart: ${percent(copies)} of samples have one training image three times as near as any other`,
  ];
}

const count = (n: number): string => n.toLocaleString("en-GB");
