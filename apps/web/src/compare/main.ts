import pretrained from "virtual:pretrained";
import { CHART_STYLE } from "@tfjs-zoo/training/charts";
import { type Backend, backendTitle, startBackend } from "../shared/backend.ts";
import { byId, percent, short, siteUrl } from "../shared/dom.ts";
import { keepOffline } from "../shared/offline.ts";
import type { Pretrained } from "../shared/pretrained.ts";
import { attempt, say } from "../shared/say.ts";
import { useStyle } from "../shared/use-style.ts";
import { offerWebgpu } from "../shared/webgpu-option.ts";
import { latency } from "./latency.ts";
import { renderScatter } from "./scatter.ts";
import { type Column, SortableTable } from "./table.ts";

interface Row extends Pretrained {
  /** in this browser, in milliseconds */
  time?: number;
}

const milliseconds = (ms: number): string => `${Number(ms.toPrecision(ms < 10 ? 2 : 3))}\u00a0ms`;

const rows: Row[] = pretrained.map((entry) => ({ ...entry }));
const columns: Column<Row>[] = [
  {
    title: "Weights",
    value: ({ name }) => name,
    text: ({ name }) => name,
    link: ({ name }) => siteUrl(`classify/index.html?weights=${name}`),
  },
  {
    title: "Accuracy",
    value: ({ card }) => card.metric.value,
    text: ({ card }) => percent(card.metric.value, 2),
    descending: true,
  },
  { title: "Data set", value: ({ card }) => card.metric.dataset, text: ({ card }) => card.metric.dataset },
  { title: "Parameters", value: ({ card }) => card.parameters, text: ({ card }) => short(card.parameters) },
  { title: "Multiply-adds", value: ({ card }) => card.macs, text: ({ card }) => short(card.macs) },
  { title: "File", value: ({ card }) => card.bytes, text: ({ card }) => `${short(card.bytes)}B` },
  {
    title: "Time here",
    value: ({ time }) => time,
    text: ({ time }) => (time === undefined ? "–" : milliseconds(time)),
  },
];
const table = new SortableTable(byId("results"), columns, rows, "Pretrained networks; a heading's button sorts by it");

const groups = [...new Set(rows.map(({ card }) => card.metric.dataset))];
const plots: { title: string; of(row: Row): number | undefined; say(value: number): string }[] = [
  { title: "Accuracy against parameters", of: ({ card }) => card.parameters, say: short },
  { title: "Accuracy against multiply-adds", of: ({ card }) => card.macs, say: short },
  { title: "Accuracy against time here", of: ({ time }) => time, say: milliseconds },
];

function showPlots(): void {
  byId("plots").innerHTML = plots
    .map(({ title, of, say: words }) => {
      const dots = rows.flatMap((row) => {
        const [x, { metric, model }] = [of(row), row.card];
        return x === undefined ? [] : [{ name: model, group: metric.dataset, x, y: metric.value }];
      });
      return renderScatter(dots, { title, groups, say: words });
    })
    .join("");
}

let stopping = false;

/** Fills in the column of times, a network after the other. */
async function measure(): Promise<void> {
  const backend = byId<HTMLSelectElement>("backend").value as Backend;
  stopping = false;
  say(`Starting ${backendTitle[backend]} …`);
  await startBackend(backend);
  for (const row of rows) row.time = undefined;
  for (const [i, row] of rows.entries()) {
    const counted = `${i + 1} of ${rows.length}: ${row.name}`;
    say(counted);
    row.time = await latency(row, (share) => {
      if (share < 1) say(`${counted}, fetching ${percent(share, 0)}`);
    });
    table.show();
    showPlots();
    if (stopping) break;
  }
  say(stopping ? "Stopped" : `Measured on ${backendTitle[backend]}`);
}

const measureButton = byId<HTMLButtonElement>("measure");
const stopButton = byId<HTMLButtonElement>("stop");
measureButton.addEventListener("click", () => {
  measureButton.disabled = true;
  stopButton.disabled = false;
  void attempt(measure).then(() => {
    measureButton.disabled = false;
    stopButton.disabled = true;
  });
});
stopButton.addEventListener("click", () => {
  stopping = true;
});

useStyle(CHART_STYLE);
showPlots();
void offerWebgpu();
void keepOffline();
