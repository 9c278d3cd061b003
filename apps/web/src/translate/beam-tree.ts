import { escapeHtml } from "@tfjs-zoo/training/charts";
import { make } from "../shared/dom.ts";
import { type Kind, placeNodes } from "./beam-layout.ts";
import type { Answer } from "./protocol.ts";

/** The tree of a search as a drawing. */
export function beamTree(answer: Answer): HTMLElement {
  const { tree, found } = answer;
  const context = make("canvas").getContext("2d");
  if (context) context.font = `600 13px ${getComputedStyle(document.body).fontFamily}`;
  const { nodes, width, height, steps, leftOut } = placeNodes(answer, (text) => context?.measureText(text).width ?? 50);
  const placeOf = new Map(nodes.map((placed) => [placed.node, placed]));
  const edges = nodes.flatMap((to) => {
    const from = placeOf.get(tree[to.node].parent);
    if (from === undefined) return [];
    const [x1, x2] = [from.x + from.width + 4, to.x - 4];
    const middle = (x1 + x2) / 2;
    const path = `M${x1.toFixed(1)} ${from.y}C${middle.toFixed(1)} ${from.y} ${middle.toFixed(1)} ${to.y} ${x2.toFixed(1)} ${to.y}`;
    return [`<path class="${to.kind}" d="${path}"/>`];
  });
  const words = nodes.map(({ node, x, y, text, kind }) => {
    const { logProbability, total, ended } = tree[node];
    const title = `${ended ? "the end" : text}: log-probability ${logProbability.toFixed(2)}, ${total.toFixed(2)} in all; ${fate[kind]}`;
    return `<text class="${kind}" x="${x.toFixed(1)}" y="${y + 4}">${escapeHtml(text)}<title>${escapeHtml(title)}</title></text>`;
  });
  const label = `${nodes.length} tokens in ${steps} steps were followed. The best translation: ${found[0].text}`;
  const box = make("div", { className: "scroll beam", tabIndex: 0 });
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", "Tree of the search");
  box.innerHTML =
    `<svg role="img" aria-label="${escapeHtml(label)}" width="${Math.ceil(width)}" height="${height}" ` +
    `viewBox="0 0 ${Math.ceil(width)} ${height}">${edges.join("")}${words.join("")}</svg>`;
  const note =
    leftOut > 0
      ? `The first ${steps} steps; ${leftOut} more are not drawn.`
      : "From left to right, in each step the likeliest on top. Blue: the best translation; faint: what was dropped.";
  return make("figure", { className: "tree" }, box, make("figcaption", { className: "quiet", textContent: note }));
}

const fate: { [kind in Kind]: string } = {
  best: "in the best translation",
  found: "in another that was found",
  dropped: "dropped",
};
