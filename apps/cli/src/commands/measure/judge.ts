import type { ImageDataset } from "@tfjs-zoo/datasets";
import type { FeatureNetwork } from "@tfjs-zoo/training/node";
import { bestClassifier, featureNetworks, sameClasses } from "./networks.ts";

/**
 * Has the best classifier that ships of a data set look at what is made; none where none ships, or its classes are others.
 * A backend has to run.
 */
export async function withJudge<T>(
  { name, classes }: ImageDataset,
  body: (classifier: FeatureNetwork | undefined) => Promise<T>,
): Promise<T> {
  const best = await bestClassifier(name);
  if (best === undefined || !sameClasses(best.info.classes, classes)) return body(undefined);
  const networks = featureNetworks({ classifier: best });
  try {
    return await body(networks.classifier);
  } finally {
    networks.dispose();
  }
}
