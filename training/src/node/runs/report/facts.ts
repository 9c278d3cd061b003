import { escapeHtml } from "../../../charts/html.ts";

/** A table of a JSON value's leaves, nested keys joined by dots. */
export function renderFacts(value: unknown): string {
  const rows = leaves(value, "").map(
    ([key, text]) => `<tr><th scope="row">${escapeHtml(key)}</th><td>${escapeHtml(text)}</td></tr>`,
  );
  return rows.length ? `<table class="facts"><tbody>${rows.join("")}</tbody></table>` : `<p class="quiet">none</p>`;
}

function leaves(value: unknown, path: string): [string, string][] {
  if (value === undefined) return [];
  if (typeof value !== "object" || value === null) return [[path || "value", String(value)]];
  if (Array.isArray(value) && value.every((item) => typeof item !== "object" || item === null)) {
    return [[path || "value", value.join(", ")]];
  }
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path ? `${path}.${key}` : key));
}

/** Where the time went, as one bar: waiting for data, in steps, and the rest (evaluation, saving). */
export function renderTiming(timing: { dataSeconds: number; stepSeconds: number; otherSeconds?: number }): string {
  const parts = [
    { kind: "step", label: "in steps", seconds: timing.stepSeconds },
    { kind: "data", label: "waiting for data", seconds: timing.dataSeconds },
    { kind: "other", label: "evaluation and saving", seconds: timing.otherSeconds ?? 0 },
  ].filter(({ seconds }) => seconds > 0);
  const total = parts.reduce((sum, { seconds }) => sum + seconds, 0);
  if (total === 0) return "";
  const share = (seconds: number) => `${((100 * seconds) / total).toFixed(1)}\u00a0%`;
  const bar = parts.map(({ kind, seconds }) => `<i class="${kind}" style="flex-grow:${seconds / total}"></i>`).join("");
  const keys = parts.map(
    ({ kind, label, seconds }) =>
      `<span class="key"><i class="${kind}"></i>${label} <b>${seconds < 100 ? Number(seconds.toPrecision(3)) : Math.round(seconds).toLocaleString("en-GB")}\u00a0s</b> <span class="quiet">${share(seconds)}</span></span>`,
  );
  return `<div class="timing" role="img" aria-label="${parts.map((p) => `${p.label} ${share(p.seconds)}`).join(", ")}">${bar}</div><p class="legend">${keys.join("")}</p>`;
}
