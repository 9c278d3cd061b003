import type { Picture } from "@tfjs-zoo/training/charts";
import type { Classifier } from "../../shared/pretrained.ts";

/** What is looked into: a network, and the picture that it has answered about. */
export interface Subject {
  classifier: Classifier;
  /** what the network saw: [height, width, channels], 0..255 */
  seen: Uint8Array;
  /** what it said, an index */
  said: number;
  /** of what it said, 0 to 1 */
  probability: number;
  /** the class that is asked about, an index */
  classIndex: number;
}

/** Pictures, and what is on them in words. */
export interface View {
  pictures: Picture[];
  note: string;
}

/** Lets the page draw and listen. @throws the signal's reason once it says so */
export async function breathe(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  signal.throwIfAborted();
}
