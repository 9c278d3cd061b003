import { compact, escapeHtml, percent } from "./html.ts";

const COUNTED_CLASSES = 26;
const LISTED = 12;

/**
 * The confusion matrix, rows true, columns predicted. What is right and what is wrong have a colour and a scale each:
 * on one scale the mistakes of a good network would all be white. Many classes are drawn without figures.
 *
 * @param matrix [true][predicted] counts
 */
export function renderConfusion(classes: string[], matrix: number[][]): string {
  const worst = Math.max(
    1,
    ...matrix.map((row, i) => row.reduce((most, n, j) => (i === j ? most : Math.max(most, n)), 0)),
  );
  const name = (index: number) => classes[index] ?? String(index);
  const drawing = matrix.length <= COUNTED_CLASSES ? table(name, matrix, worst) : map(name, matrix, worst);
  return `${drawing}${confusions(name, matrix)}`;
}

type Name = (index: number) => string;

function table(name: Name, matrix: number[][], worst: number): string {
  const head = matrix.map(
    (_, j) => `<th scope="col"><span title="${escapeHtml(name(j))}">${escapeHtml(name(j))}</span></th>`,
  );
  const rows = matrix.map((row, i) => {
    const total = sum(row);
    const cells = row.map((count, j) => {
      const weight = strength(count, i === j ? total : worst);
      const kind = `${i === j ? "right" : "wrong"}${weight > 0.75 ? " strong" : ""}`;
      const title = `${name(i)} taken for ${name(j)}: ${count} of ${total}`;
      return `<td class="${count ? kind : "none"}" style="--w:${weight.toFixed(3)}" title="${escapeHtml(title)}">${count ? compact(count) : "·"}</td>`;
    });
    return `<tr><th scope="row" title="${escapeHtml(name(i))}">${escapeHtml(name(i))}</th>${cells.join("")}</tr>`;
  });
  return `<div class="scroll"><table class="confusion"><thead><tr><th></th>${head.join("")}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

function map(name: Name, matrix: number[][], worst: number): string {
  const size = matrix.length;
  const cells = matrix.flatMap((row, i) => {
    const total = sum(row);
    return row.flatMap((count, j) => {
      if (!count) return [];
      const title = escapeHtml(`${name(i)} taken for ${name(j)}: ${count} of ${total}`);
      const weight = strength(count, i === j ? total : worst);
      return `<rect class="${i === j ? "right" : "wrong"}" x="${j}" y="${i}" width="1" height="1" style="--w:${weight.toFixed(2)}"><title>${title}</title></rect>`;
    });
  });
  return `<svg class="confusion-map" viewBox="0 0 ${size} ${size}" role="img" aria-label="confusion matrix of ${size} classes">${cells.join("")}</svg>`;
}

/** The square root brings out the small ones. */
function strength(count: number, most: number): number {
  return most > 0 ? Math.sqrt(count / most) : 0;
}

function confusions(name: Name, matrix: number[][]): string {
  const found = matrix
    .flatMap((row, i) => row.map((count, j) => ({ i, j, count, share: count / (sum(row) || 1) })))
    .filter(({ i, j, count }) => i !== j && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, LISTED);
  if (found.length === 0) return "";
  const items = found.map(
    ({ i, j, count, share }) =>
      `<li>${escapeHtml(name(i))} <span class="quiet">taken for</span> ${escapeHtml(name(j))} <span class="number">${compact(count)} <span class="quiet">(${percent(share)})</span></span></li>`,
  );
  return `<div class="side"><h3>Most frequent</h3><ol class="confusions">${items.join("")}</ol></div>`;
}

/** Per class, the share of its examples that were recognised, worst first. */
export function renderClassBars(classes: string[], matrix: number[][]): string {
  const bars = matrix
    .map((row, i) => ({ name: classes[i] ?? String(i), total: sum(row), share: row[i] / (sum(row) || 1) }))
    .filter(({ total }) => total > 0)
    .sort((a, b) => a.share - b.share);
  const items = bars.map(
    ({ name, share, total }) =>
      `<li><span class="name" title="${escapeHtml(name)}">${escapeHtml(name)}</span><span class="bar" title="${total} images"><i style="width:${(share * 100).toFixed(2)}%"></i></span><span class="number">${percent(share)}</span></li>`,
  );
  return `<ul class="bars${bars.length > COUNTED_CLASSES ? " many" : ""}">${items.join("")}</ul>`;
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
