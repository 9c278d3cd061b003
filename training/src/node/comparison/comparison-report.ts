import { renderChart, type Series, STYLES } from "../../charts/chart.ts";
import { escapeHtml } from "../../charts/html.ts";
import { renderFacts } from "../runs/report/facts.ts";
import { page } from "../runs/report/page.ts";
import { type ComparedModel, type Comparison, worthOf } from "./comparison.ts";
import { byAccuracy, headings, rowsOf, setupOf } from "./comparison-text.ts";

/** A comparison as one HTML document that requests nothing: the table, and accuracy against time and against compute. */
export function comparisonReport(comparison: Comparison): string {
  const models = byAccuracy(comparison.models);
  const title = `${models.length} networks on ${comparison.dataset}`;
  const minutes = (value: number) => `${value.toFixed(1)} min`;
  const tera = (value: number) => `${value.toPrecision(3)} · 10¹² multiply-adds`;
  const charts = [
    renderChart({
      title: "Held-out accuracy against time",
      series: seriesOf(models, ({ seconds }) => seconds / 60),
      axis: "share",
      x: { unit: "minutes of training", say: minutes },
    }),
    renderChart({
      title: "Held-out accuracy against compute",
      // A step's backward pass takes twice the products of its forward pass.
      series: seriesOf(models, ({ epoch }, { macs }) => (3 * macs * comparison.train_images * epoch) / 1e12),
      axis: "share",
      x: { unit: "10¹² multiply-adds, forward and backward", say: tera },
    }),
  ].filter((chart) => chart !== "");
  const failed = comparison.failed.map(
    ({ model, seed, reason }) => `<li>${escapeHtml(`${model}, seed ${seed}: ${reason}`)}</li>`,
  );
  const seeds = models.map(({ model, runs }) => [
    model,
    runs.map(({ seed, accuracy }) => `${(100 * accuracy).toFixed(2)} % (${seed})`).join(", "),
  ]);
  return page(
    title,
    `<header><h1>${escapeHtml(title)}</h1><p>${escapeHtml(setupOf(comparison))}</p></header>
<section><h2>Results</h2>${table(comparison)}<p>${escapeHtml(worthOf(comparison))}</p></section>
${failed.length > 0 ? `<section><h2>Failed</h2><ul>${failed.join("")}</ul></section>` : ""}
${charts.length > 0 ? `<section><h2>While training</h2><p class="lead">Means over seeds, on images that were held out of the training set.</p><div class="charts">${charts.join("\n")}</div></section>` : ""}
<section class="tables"><div><h2>Each seed</h2>${renderFacts(Object.fromEntries(seeds))}</div><div><h2>Environment</h2>${renderFacts(comparison.environment)}</div></section>`,
  );
}

function table(comparison: Comparison): string {
  const head = headings.map((heading) => `<th scope="col">${escapeHtml(heading)}</th>`).join("");
  const rows = rowsOf(comparison).map(([name, ...cells], i) => {
    const rest = cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("");
    return `<tr><td class="s${i % STYLES}"><i></i>${escapeHtml(name)}</td>${rest}</tr>`;
  });
  return `<div class="scroll"><table class="comparison"><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

/** Each network's held-out accuracy, the mean over its seeds. */
function seriesOf(
  models: readonly ComparedModel[],
  x: (point: ComparedModel["runs"][number]["curve"][number], model: ComparedModel) => number,
): Series[] {
  return models.map((model) => {
    const longest = model.runs.reduce((a, b) => (b.curve.length > a.curve.length ? b : a)).curve;
    const points = longest.map((point, i) => {
      const others = model.runs.flatMap(({ curve }) => curve[i] ?? []);
      const mean = (value: (p: typeof point) => number) => others.reduce((sum, p) => sum + value(p), 0) / others.length;
      const seconds = mean((p) => p.seconds);
      const accuracy = mean((p) => p.accuracy);
      return { step: x({ ...point, seconds, accuracy }, model), epoch: point.epoch, value: accuracy };
    });
    return { name: model.model, points };
  });
}
