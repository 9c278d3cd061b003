import type { ImageSet, Progress } from "@tfjs-zoo/datasets";
import { InputError, randomStream } from "@tfjs-zoo/models";
import { classBalance, collapseSigns, shareRight } from "./class-balance.ts";
import { type ClassifierFeatures, classifierFeatures, type FeatureNetwork } from "./classifier-features.ts";
import { type FeatureRows, featureRows } from "./feature-rows.ts";
import { frechetDistance } from "./frechet-distance.ts";
import { type KernelDistance, kernelDistance } from "./kernel-distance.ts";
import { type Memorising, memorising } from "./nearest-neighbours.ts";
import { type PrecisionRecall, precisionRecall } from "./precision-recall.ts";

/** The images that samples are compared with. */
export interface RealImages {
  /** what the generator was shown: copies are looked for here */
  training: ImageSet;
  /** images of the same kind that it was not shown */
  heldOut: ImageSet;
  /**
   * What samples are to be like; `heldOut` unless given: a classifier knows its training images better than any sample, so
   * that even perfect samples would seem unlike those. Published FID is against the training images.
   */
  reference?: ImageSet;
}

export interface MeasureSamplesOptions {
  samples: ImageSet;
  /** Whether `samples.labels` are the classes that were asked for; those of the classifier and of the reference images too. */
  asked?: boolean;
  real: RealImages;
  /** a classifier of such images, whose features all is measured on */
  classifier: FeatureNetwork;
  /** `inception-v3-fid` with the published weights: what published figures are measured on */
  inception?: FeatureNetwork;
  /** samples, and held-out images, that are looked for among all training images, at most; 1,000 unless given */
  compared?: number;
  /** of random subsets */
  seed?: number;
  progress?: Progress;
}

/** Two sets compared by the features of one network. */
export interface FeatureMeasures extends PrecisionRecall {
  /** the network that the features are of */
  features: string;
  dimensions: number;
  samples: number;
  /** images that they were compared with */
  reference: number;
  /** Fréchet distance; on other features than published Inception's not comparable with published FID */
  fid: number;
  /** kernel distance; as comparable as `fid` */
  kid: KernelDistance;
}

export interface SampleMeasures extends FeatureMeasures {
  /** the same on Inception's features */
  inception?: FeatureMeasures;
  classes: readonly string[];
  /** [classes], share of samples that the classifier takes for each */
  classShares: number[];
  /** [classes], share of the reference images that it takes for each */
  expectedShares: number[];
  /** mean probability of the class that a sample is taken for, and a reference image */
  confidence: number;
  expectedConfidence: number;
  /** share of samples that are of the class that was asked for, as the classifier sees them, and its accuracy on reference images */
  asked?: { right: number; accuracy: number };
  /** signs of mode collapse, in words; none where there are none */
  collapse: string[];
  /** The check for learning by heart, by pixels (0..255) and by the classifier's features. */
  memorised: {
    /** [compared], places of the samples that were looked for, as `neighbours` of both has them */
    samples: Int32Array;
    pixels: Memorising;
    features: Memorising;
  };
}

/**
 * All measures of a generator's samples. Work grows with the product of the numbers of samples and of real images.
 *
 * @param options.samples of one shape with the real images; pixels 0..255, since published figures are of such
 * @throws InputError for sets of different shapes, too few images, and a network that can't read them
 */
export async function measureSamples(options: MeasureSamplesOptions): Promise<SampleMeasures> {
  const { samples, asked, real, classifier, inception, compared = 1000, seed = 0, progress = () => {} } = options;
  const { training, heldOut, reference = heldOut } = real;
  for (const set of [training, heldOut, reference]) expectShape(set, samples);

  const steps = (label: string) => (done: number, total: number) => progress({ label, done, total, unit: "items" });
  const seen = (network: FeatureNetwork, set: ImageSet, what: string) =>
    classifierFeatures(network, set, steps(`${network.name} on ${what}`));
  const between = async (network: FeatureNetwork, ofSamples: FeatureRows, ofReference: FeatureRows) => ({
    features: network.name,
    dimensions: ofSamples.dimensions,
    samples: ofSamples.count,
    reference: ofReference.count,
    fid: frechetDistance(ofReference, ofSamples),
    kid: await kernelDistance(ofReference, ofSamples, { seed, onProgress: steps("KID") }),
    ...(await precisionRecall(ofReference, ofSamples, { onProgress: steps("precision and recall") })),
  });

  const ofSamples = await seen(classifier, samples, "samples");
  const ofReference = await seen(classifier, reference, "reference images");
  const measures = await between(classifier, ofSamples.features, ofReference.features);
  const { classes } = classifier.info;
  const expected = classBalance(ofReference.probabilities, classes.length);
  const balance = classBalance(ofSamples.probabilities, classes.length, expected.shares);

  const which = drawn(samples.count, compared, seed, "samples");
  const others = drawn(heldOut.count, compared, seed, "held out");
  const originals = {
    training: (await seen(classifier, training, "training images")).features,
    heldOut: rowsAt(
      (reference === heldOut ? ofReference : await seen(classifier, heldOut, "held-out images")).features,
      others,
    ),
  };
  const byFeatures = await memorising(rowsAt(ofSamples.features, which), originals, steps("nearest features"));
  const pixels = {
    training: await pixelRows(
      training,
      Int32Array.from({ length: training.count }, (_, i) => i),
    ),
    heldOut: await pixelRows(heldOut, others),
  };
  const byPixels = await memorising(await pixelRows(samples, which), pixels, steps("nearest pixels"));

  const published: ClassifierFeatures[] = [];
  if (inception !== undefined) {
    published.push(await seen(inception, samples, "samples"), await seen(inception, reference, "reference images"));
  }
  return {
    ...measures,
    ...(inception && { inception: await between(inception, published[0].features, published[1].features) }),
    classes,
    classShares: balance.shares,
    expectedShares: expected.shares,
    confidence: balance.confidence,
    expectedConfidence: expected.confidence,
    ...(asked && {
      asked: {
        right: shareRight(ofSamples.probabilities, samples.labels),
        accuracy: shareRight(ofReference.probabilities, reference.labels),
      },
    }),
    collapse: collapseSigns(balance, classes, measures.recall),
    memorised: { samples: which, pixels: byPixels, features: byFeatures },
  };
}

function expectShape({ shape }: ImageSet, samples: ImageSet): void {
  if (shape.join() === samples.shape.join()) return;
  throw new InputError(
    `samples of ${samples.shape.join("x")} and real images of ${shape.join("x")}: expected images of one shape`,
  );
}

/** Some places of a set in their order, all where there are no more. */
function drawn(count: number, most: number, seed: number, which: string): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  if (count <= most) return order;
  const random = randomStream(seed, "compared", which);
  for (let i = 0; i < most; i++) {
    const j = i + random.integer(count - i);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order.subarray(0, most).sort();
}

function rowsAt({ values, dimensions }: FeatureRows, which: Int32Array): FeatureRows {
  const rows = new Float32Array(which.length * dimensions);
  for (const [n, i] of which.entries()) {
    rows.set(values.subarray(i * dimensions, (i + 1) * dimensions), n * dimensions);
  }
  return featureRows(rows, dimensions);
}

async function pixelRows(set: ImageSet, which: Int32Array): Promise<FeatureRows> {
  const size = set.shape[0] * set.shape[1] * set.shape[2];
  const pixels = new Uint8Array(which.length * size);
  await set.read(which, pixels);
  return featureRows(pixels, size);
}
