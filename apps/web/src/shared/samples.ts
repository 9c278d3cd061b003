import samples from "virtual:samples";
import { InputError } from "@tfjs-zoo/models";
import { make, siteUrl } from "./dom.ts";

/** A picture that comes with the site. */
export interface Sample {
  /** what is on it */
  title: string;
  url: string;
}

/** The samples for networks that were trained on a data set. */
export function samplesOf(dataset: string): Sample[] {
  const files = Object.hasOwn(samples, dataset) ? samples[dataset] : [];
  return files.map((file) => ({
    title: file.replace(/^\d+-|\.png$/g, ""),
    url: siteUrl(`samples/${dataset}/${file}`),
  }));
}

/** @throws InputError when it can't be had */
export async function fetchSample({ title, url }: Sample): Promise<Blob> {
  const response = await fetch(url).catch(() => undefined);
  if (!response?.ok) throw new InputError(`The sample "${title}" can't be fetched: try again with a network`);
  return response.blob();
}

/** A button with a sample's picture. */
export function sampleButton(sample: Sample, onChoose: () => void): HTMLElement {
  const image = make("img", { src: sample.url, alt: sample.title, width: 56, height: 56 });
  const button = make("button", { type: "button", title: sample.title }, image);
  button.addEventListener("click", onChoose);
  return make("li", {}, button);
}
