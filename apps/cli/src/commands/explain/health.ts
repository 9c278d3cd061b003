import { UnitGatherer, type UnitReport } from "@tfjs-zoo/models/explain";
import { expectFinite } from "../../expect-finite.ts";
import { type Look, onSample, type Subject } from "./subject.ts";

/** Which units never answer, and how the gradient flows back through the layers. */
export async function health(subject: Subject): Promise<Look> {
  const gatherer = new UnitGatherer(subject.model);
  let report: UnitReport;
  try {
    await onSample(subject, "units", (images, labels) => gatherer.add(images, labels));
    report = gatherer.report();
  } finally {
    gatherer.dispose();
  }
  expectFinite([report.loss], subject.info);
  const rectified = report.layers.filter(({ dead }) => dead !== undefined);
  const shown = rectified.length > 0 ? rectified : report.layers;
  const dead = rectified.reduce((sum, layer) => sum + (layer.dead ?? 0), 0);
  const units = rectified.reduce((sum, layer) => sum + layer.units, 0);
  const weights = report.weights.filter(({ shape }) => shape.length > 1);
  const series = (name: string, value: (weight: (typeof weights)[number]) => number) => ({
    name,
    points: weights.map((weight, i) => ({ step: i + 1, epoch: 0, value: value(weight) })),
  });
  const x = {
    unit: "weights, from the first layer to the last",
    say: (step: number) => weights[Math.round(step) - 1]?.weight ?? "",
  };
  const images = report.images.toLocaleString("en-GB");
  const verdict =
    rectified.length === 0
      ? "It has no ReLU that stands by itself, so no unit can be called dead."
      : dead === 0
        ? `None of its ${units.toLocaleString("en-GB")} ReLU units is dead.`
        : `${dead.toLocaleString("en-GB")} of its ${units.toLocaleString("en-GB")} ReLU units are dead: they gave 0 everywhere in every image, so that they learn no more.`;
  return {
    section: {
      title: "Units and gradients",
      lead: `Over ${images} test images. ${verdict} A unit is a channel of a map, or a number of a vector. Below, the gradient of the mean loss with respect to each weight: where it is much smaller in the first layers than in the last, it vanishes on its way back (Glorot & Bengio 2010).`,
      blocks: [
        {
          kind: "table",
          table: {
            head: ["layer", "units", "mean", "std", "outputs that are 0", "dead units"],
            rows: shown.map(({ layer, units, mean, std, zeros, dead }) => [
              layer,
              String(units),
              mean.toPrecision(3),
              std.toPrecision(3),
              { share: zeros },
              dead === undefined ? "" : dead === 0 ? "0" : `${dead} (${((100 * dead) / units).toFixed(1)} %)`,
            ]),
          },
        },
        {
          kind: "charts",
          charts: [
            { title: "Gradient norm", series: [series("norm", ({ gradientNorm }) => gradientNorm)], axis: "log", x },
            {
              title: "Gradient norm over weight norm",
              series: [series("ratio", ({ ratio }) => ratio)],
              axis: "log",
              x,
            },
          ],
        },
      ],
    },
    facts: { ...report, units, dead },
    line: `units: ${verdict}`,
  };
}
