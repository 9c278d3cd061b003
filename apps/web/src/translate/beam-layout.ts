import type { BeamNode } from "@tfjs-zoo/models";
import { SIGN_OF_END, SIGN_OF_PART } from "./token-signs.ts";

/** Steps that are drawn, at most. */
const MOST_STEPS = 60;
/** Characters of a token that are shown. */
const LONGEST = 14;
const [ROW, GAP, EDGE] = [22, 26, 8];

/** Whether the best translation goes through a node, another that was found, or none. */
export type Kind = "best" | "found" | "dropped";

/** A node where it is drawn: x of its left end and y of its middle, pixels. */
export interface PlacedNode {
  /** its place in the tree */
  node: number;
  step: number;
  x: number;
  y: number;
  width: number;
  text: string;
  kind: Kind;
}

/** What a search followed and found. */
export interface Search {
  tree: readonly BeamNode[];
  /** the text of each node's token */
  nodeTexts: readonly string[];
  /** the last node of each translation that is shown, the best first */
  found: readonly { node: number }[];
}

/**
 * Places for the nodes of a search: a column for each step, in it the likeliest on top. What came after the last step of
 * all translations that are shown is left out.
 *
 * @param measure a text's width, pixels
 */
export function placeNodes(
  search: Search,
  measure: (text: string) => number,
): { nodes: PlacedNode[]; width: number; height: number; steps: number; leftOut: number } {
  const { tree, nodeTexts, found } = search;
  const stepOf: number[] = [];
  for (const { parent } of tree) stepOf.push(parent < 0 ? 0 : stepOf[parent] + 1);
  const kinds = kindsOf(search);
  const needed = 1 + Math.max(...found.map(({ node }) => stepOf[node]));
  const steps = Math.min(MOST_STEPS, needed);
  const columns: PlacedNode[][] = Array.from({ length: steps }, () => []);
  for (const [node, step] of stepOf.entries()) {
    if (step >= steps) continue;
    const text = shownText(tree[node].ended, nodeTexts[node]);
    const y = ROW * (columns[step].length + 0.5);
    columns[step].push({ node, step, x: 0, y, width: measure(text), text, kind: kinds[node] });
  }
  let x = EDGE;
  for (const column of columns) {
    for (const placed of column) placed.x = x;
    x += GAP + Math.max(...column.map(({ width }) => width));
  }
  const height = ROW * Math.max(...columns.map(({ length }) => length));
  return { nodes: columns.flat(), width: x - GAP + EDGE, height, steps, leftOut: needed - steps };
}

function kindsOf({ tree, found }: Search): Kind[] {
  const kinds: Kind[] = tree.map(() => "dropped");
  for (const [rank, { node }] of [...found.entries()].reverse()) {
    for (let at = node; at >= 0; at = tree[at].parent) kinds[at] = rank === 0 ? "best" : "found";
  }
  return kinds;
}

function shownText(ended: boolean, text: string): string {
  if (ended) return SIGN_OF_END;
  const shown = [...text.trim()];
  if (shown.length === 0) return SIGN_OF_PART;
  return shown.length > LONGEST ? `${shown.slice(0, LONGEST - 1).join("")}…` : shown.join("");
}
