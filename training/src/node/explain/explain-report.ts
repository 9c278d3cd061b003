import { renderChart } from "../../charts/chart.ts";
import { escapeHtml, percent } from "../../charts/html.ts";
import { page } from "../runs/report/page.ts";
import { pngDataUrl } from "../runs/report/png.ts";
import type { Block, Explanation, Figure, Section, TableOptions } from "./explanation.ts";
import { renderScatter } from "./scatter.ts";
import { EXPLAIN_STYLE } from "./style.ts";

/**
 * An explanation as one HTML document that requests nothing: pictures and drawings are in it. It reads without
 * JavaScript, on a phone, in light and dark, and each picture has its text.
 */
export function explainReport({ title, subtitle, sections }: Explanation): string {
  const header = `<header><h1>${text(title)}</h1><p>${text(subtitle)}</p></header>`;
  return page(title, [header, ...sections.map(section)].join("\n"), EXPLAIN_STYLE);
}

/** Text for HTML whose numbers keep their unit on their line. */
const text = (words: string): string => escapeHtml(words.replace(/ (?=%)|(?<=ε) (?==)|(?<=ε =) /g, "\u00a0"));

function section({ title, lead, blocks }: Section): string {
  return `<section><h2>${text(title)}</h2><p class="lead">${text(lead)}</p>
${blocks.map(block).join("\n")}</section>`;
}

function block(part: Block): string {
  switch (part.kind) {
    case "figures": {
      const heading = part.title === undefined ? "" : `<h3>${text(part.title)}</h3>`;
      return `<div class="look">${heading}<div class="${part.wide ? "wide" : "row"}">${part.figures.map(figure).join("")}</div></div>`;
    }
    case "charts":
      return `<div class="charts">${part.charts.map(renderChart).join("\n")}</div>`;
    case "scatter":
      return renderScatter(part.scatter);
    case "table":
      return table(part.table);
  }
}

function figure({ picture: { pixels, height, width }, alt, caption }: Figure): string {
  return `<figure><img src="${pngDataUrl(pixels, [height, width, 3])}" width="${width}" height="${height}" alt="${text(alt)}"><figcaption>${text(caption)}</figcaption></figure>`;
}

function table({ head, rows }: TableOptions): string {
  const cell = (value: TableOptions["rows"][number][number]) =>
    typeof value === "string"
      ? `<td>${text(value)}</td>`
      : `<td><span class="bar"><i style="width:${(100 * value.share).toFixed(1)}%"></i></span>${percent(value.share)}</td>`;
  const lines = rows.map((row) => `<tr>${row.map(cell).join("")}</tr>`);
  const titles = head.map((name) => `<th scope="col">${text(name)}</th>`);
  return `<div class="scroll"><table class="comparison shares"><thead><tr>${titles.join("")}</tr></thead><tbody>${lines.join("")}</tbody></table></div>`;
}
