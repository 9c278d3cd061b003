import { InputError } from "@tfjs-zoo/models";
import { embeddedTensor, filterLayer, findLayer, isSpatial, lastSpatialLayer } from "@tfjs-zoo/models/explain";
import { adversarial } from "./adversarial.ts";
import { health } from "./health.ts";
import { ideals } from "./ideal.ts";
import { firstFilters, layerMaps } from "./layers.ts";
import { layout } from "./layout.ts";
import type { Look, Subject } from "./subject.ts";
import { where, whereMethods } from "./where.ts";

export const methods = [...whereMethods, "filters", "feature-maps", "activation", "fgsm", "umap", "units"] as const;
export type Method = (typeof methods)[number];

/** Methods that look at a picture, and that look at many images of the test set. */
const ofPictures: readonly Method[] = [...whereMethods, "feature-maps", "fgsm"];
const ofTestSet: readonly Method[] = ["fgsm", "umap", "units"];

export const needsPictures = (chosen: readonly Method[]): boolean => chosen.some((name) => ofPictures.includes(name));
export const needsTestSet = (chosen: readonly Method[]): boolean => chosen.some((name) => ofTestSet.includes(name));

type Model = Subject["model"];

/** What not every network has: each throws an InputError where its method can't look at a network. */
const needs: { [M in Method]?: (model: Model, layer?: string) => unknown } = {
  "grad-cam": placesIn,
  "feature-maps": placesIn,
  filters: filterLayer,
  umap: embeddedTensor,
};

/** @throws InputError unless the layer says where; without one, unless some layer does */
function placesIn(model: Model, layer?: string): void {
  const last = lastSpatialLayer(model);
  if (layer !== undefined && !isSpatial(findLayer(model, layer))) {
    throw new InputError(`the output of ${layer} is no map over places: take one before it, such as "${last}"`);
  }
}

/** @throws InputError where the method can't look at the network, or at that layer of it */
export function expectPossible(method: Method, model: Model, layer?: string): void {
  needs[method]?.(model, layer);
}

/** All methods, but for those that the network or the layer rules out; those are told, with the reason. */
export function possible(model: Model, layer: string | undefined, tell: (line: string) => void): Method[] {
  const ruledOut = new Map<string, Method[]>();
  const others = methods.filter((method) => {
    try {
      expectPossible(method, model, layer);
      return true;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const [reason] = error.message.split(":");
      ruledOut.set(reason, [...(ruledOut.get(reason) ?? []), method]);
      return false;
    }
  });
  for (const [reason, names] of ruledOut) tell(`without ${names.join(" and ")}: ${reason}`);
  return others;
}

/** What to do, in the order of the report. */
export function looksOf(
  subject: Subject,
  chosen: readonly Method[],
): { name: string; look: () => Look | Promise<Look> }[] {
  const atPictures = whereMethods.filter((method) => chosen.includes(method));
  const others: { name: Method; look: () => Look | Promise<Look> }[] = [
    { name: "activation", look: () => ideals(subject) },
    { name: "filters", look: () => firstFilters(subject) },
    { name: "feature-maps", look: () => layerMaps(subject) },
    { name: "fgsm", look: () => adversarial(subject) },
    { name: "umap", look: () => layout(subject) },
    { name: "units", look: () => health(subject) },
  ];
  return [
    ...(atPictures.length > 0 ? [{ name: "where", look: () => where(subject, atPictures) }] : []),
    ...others.filter(({ name }) => chosen.includes(name)),
  ];
}
