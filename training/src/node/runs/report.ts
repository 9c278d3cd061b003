import { renderChart, type Series } from "../../charts/chart.ts";
import { renderClassBars, renderConfusion } from "../../charts/confusion.ts";
import { escapeHtml, percent } from "../../charts/html.ts";
import { renderFacts, renderTiming } from "./report/facts.ts";
import { page } from "./report/page.ts";
import { pngDataUrl } from "./report/png.ts";

export interface ReportHistory {
  step: number;
  epoch: number;
  trainLoss?: number;
  trainAccuracy?: number;
  validationLoss?: number;
  validationAccuracy?: number;
  learningRate?: number;
  gradientNorm?: number;
}

export interface ReportMistake {
  /** [height, width, channels], 0 to 255 */
  image: Uint8Array;
  shape: [number, number, number];
  said: string;
  /** Of what it said, between 0 and 1. */
  probability: number;
  is: string;
}

export interface ReportData {
  title: string;
  /** Figures to show at the top; the first is the one that counts. */
  summary: { label: string; value: string }[];
  /** In order of steps; accuracies between 0 and 1. Values that are missing or not finite are left out of the curves. */
  history: ReportHistory[];
  classes: string[];
  /** Counts, [true][predicted]. */
  confusion?: number[][];
  mistakes?: ReportMistake[];
  timing?: { dataSeconds: number; stepSeconds: number; otherSeconds?: number };
  config: unknown;
  env: unknown;
}

/**
 * A run's report as one HTML document: curves, confusion matrix, accuracy of each class, the surest mistakes, config
 * and environment. It reads without JavaScript, on a phone, in light and dark, and on paper.
 */
export function renderReport(data: ReportData): string {
  const [main, ...others] = data.summary;
  const headline = main ? `${data.title}: ${main.value}` : data.title;
  return page(
    headline,
    `<header>
<h1>${escapeHtml(data.title)}</h1>
${main ? `<p class="hero">${escapeHtml(main.value)}</p><p class="hero-label">${escapeHtml(main.label)}</p>` : ""}
${others.length ? `<dl class="summary">${others.map(({ label, value }) => `<div><dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}</dd></div>`).join("")}</dl>` : ""}
</header>
${[curves(data), timing(data), confusion(data), mistakes(data), tables(data)].filter((part) => part !== "").join("\n")}`,
  );
}

type Quantity = Exclude<keyof ReportHistory, "step" | "epoch">;

function curves({ history }: ReportData): string {
  const series = (name: string, key: Quantity): Series => ({
    name,
    points: history.flatMap((row) => {
      const value = row[key];
      return typeof value === "number" ? { step: row.step, epoch: row.epoch, value } : [];
    }),
  });
  const charts = [
    renderChart({
      title: "Loss",
      series: [series("training", "trainLoss"), series("validation", "validationLoss")],
      axis: "log",
    }),
    renderChart({
      title: "Accuracy",
      series: [series("training", "trainAccuracy"), series("validation", "validationAccuracy")],
      axis: "share",
    }),
    renderChart({ title: "Learning rate", series: [series("rate", "learningRate")], axis: "fromZero" }),
    renderChart({ title: "Gradient norm", series: [series("norm", "gradientNorm")], axis: "log" }),
  ].filter((chart) => chart !== "");
  if (charts.length === 0) return "";
  return `<section><h2>Training</h2><div class="charts">${charts.join("\n")}</div></section>`;
}

function timing({ timing }: ReportData): string {
  const bar = timing ? renderTiming(timing) : "";
  return (
    bar &&
    `<section><h2>Where the time went</h2><p class="lead">Data is prepared beside the steps; orange is where a step had to wait for it.</p>${bar}</section>`
  );
}

function confusion({ classes, confusion }: ReportData): string {
  if (!confusion?.length) return "";
  return `<section><h2>Confusion matrix</h2>
<p class="lead">Rows are what a picture shows, columns what the network said. Blue is right, orange is wrong; each colour has its own scale.</p>
<div class="split">${renderConfusion(classes, confusion)}</div></section>
<section><h2>Accuracy of each class</h2><p class="lead">The share of a class’s pictures that were recognised, the hardest class first.</p>
${renderClassBars(classes, confusion)}</section>`;
}

function mistakes({ mistakes }: ReportData): string {
  if (!mistakes?.length) return "";
  const figures = mistakes.map(({ image, shape, said, probability, is }) => {
    const text = `said ${said} ${certainty(probability)}, is ${is}`;
    return (
      `<figure><img src="${pngDataUrl(image, shape)}" width="${shape[1]}" height="${shape[0]}" alt="${escapeHtml(text)}">` +
      `<figcaption><span class="quiet">said</span> ${escapeHtml(said)} ${certainty(probability)},<br><span class="quiet">is</span> <b>${escapeHtml(is)}</b></figcaption></figure>`
    );
  });
  return `<section><h2>The surest mistakes</h2><p class="lead">Where the network was most certain and wrong.</p>
<div class="mistakes">${figures.join("\n")}</div></section>`;
}

function tables({ config, env }: ReportData): string {
  return `<section class="tables"><div><h2>Configuration</h2>${renderFacts(config)}</div><div><h2>Environment</h2>${renderFacts(env)}</div></section>`;
}

/** Whole per cents, but never 100 for what was not quite certain. */
function certainty(probability: number): string {
  if (probability < 0.995) return percent(probability, 0);
  return probability < 0.9995 ? percent(probability) : "over\u00a099.9\u00a0%";
}
