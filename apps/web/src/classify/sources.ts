import pretrained from "virtual:pretrained";
import { InputError } from "@tfjs-zoo/models";
import { percent, short } from "../shared/dom.ts";
import { type Classifier, classifierOf, openPretrained, type Pretrained } from "../shared/pretrained.ts";

/** A file of weights may be as long as that of the largest network of the zoo, and a little longer. */
const MAX_FILE = 800e6;

/** Where a network comes from. */
export interface Source {
  name: string;
  /** what it was trained on, which says what samples are for it */
  dataset: string;
  /** what is known of it, as terms and texts */
  facts: readonly (readonly [term: string, text: string])[];
  /** Opens it on the backend in use; `onShare` is told how much of it is here, 0 to 1. */
  open(onShare: (share: number) => void): Promise<Classifier>;
}

/** The networks that come with the site. */
export const sources: readonly Source[] = pretrained.map((entry: Pretrained) => {
  const { inputShape, metric, parameters, macs, bytes } = entry.card;
  const measured = `${metric.images.toLocaleString("en")} test images (${metric.dataset})`;
  return {
    name: entry.name,
    dataset: metric.dataset,
    facts: [
      ["Input", inputShape.join(" × ")],
      ["Accuracy", `${percent(metric.value, 2)} of ${measured}`],
      ["Parameters", short(parameters)],
      ["Multiply-adds", short(macs)],
      ["File", `${short(bytes)}B`],
    ],
    open: (onShare) => openPretrained(entry, onShare),
  };
});

/**
 * A network from a file of weights that the zoo wrote.
 *
 * @throws InputError when it is something else, damaged, or does not fit its network
 */
export async function sourceOf(file: File): Promise<Source> {
  if (file.size > MAX_FILE)
    throw new InputError(`${file.name} has ${file.size} bytes, more than any network of the zoo`);
  const bytes = new Uint8Array(await file.arrayBuffer());
  const { model, info } = classifierOf(bytes, file.name); // what is wrong with it comes to light here
  const parameters = model.countParams();
  model.dispose();
  return {
    name: file.name,
    dataset: info.dataset,
    facts: [
      ["Network", info.model],
      ["Input", info.inputShape.join(" × ")],
      ["Trained on", info.dataset],
      ["Parameters", short(parameters)],
      ["File", `${short(file.size)}B`],
    ],
    open: async () => classifierOf(bytes, file.name),
  };
}
