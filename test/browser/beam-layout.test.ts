import { expect, it } from "vitest";
import { placeNodes } from "../../apps/web/src/translate/beam-layout.ts";

const node = (token: number, parent: number, total: number, ended = false) => ({
  ...{ token, parent, total, ended },
  logProbability: -1,
});

/** Two beams, three steps: "a b", "a c" and "x" were found, what comes after "c" led nowhere. */
const answer = {
  tree: [node(1, -1, -1), node(2, -1, -2), node(3, 0, -2), node(4, 0, -3), node(0, 1, -4, true), node(0, 2, -3, true)],
  nodeTexts: ["a", "x", " b", "c", "", ""],
  found: [{ node: 5 }, { node: 4 }],
};
const measure = (text: string) => 10 * text.length;

it("gives each step a column, the likeliest on top, without overlap", () => {
  const { nodes, width, height, steps, leftOut } = placeNodes(answer, measure);
  expect([steps, leftOut]).toEqual([3, 0]);
  expect(nodes.map(({ text, step, kind }) => [text, step, kind])).toEqual([
    ["a", 0, "best"],
    ["x", 0, "found"],
    ["b", 1, "best"],
    ["c", 1, "dropped"],
    ["■", 1, "found"],
    ["■", 2, "best"],
  ]);
  for (const a of nodes) {
    expect(a.x + a.width).toBeLessThanOrEqual(width);
    expect(a.y).toBeLessThan(height);
    for (const b of nodes) if (b.step > a.step) expect(b.x).toBeGreaterThan(a.x + a.width);
  }
  expect(new Set(nodes.map(({ x, y }) => `${x} ${y}`)).size).toBe(nodes.length);
});

it("leaves out what came after the last that was found, and what is too much to draw", () => {
  const after = { ...answer, found: answer.found.slice(1) };
  expect(placeNodes(after, measure).steps).toBe(2);
  const long = Array.from({ length: 100 }, (_, i) => node(1, i - 1, -i));
  const drawn = placeNodes({ tree: long, nodeTexts: long.map(() => "w"), found: [{ node: 99 }] }, measure);
  expect(drawn.steps + drawn.leftOut).toBe(100);
  expect(drawn.nodes).toHaveLength(drawn.steps);
  expect(drawn.leftOut).toBeGreaterThan(0);
});

it("shows what has no text by a sign, and a long text by its beginning", () => {
  const texts = ["", "x".repeat(40), "\u{1F415}".repeat(20), "c", "", ""];
  const shown = placeNodes({ ...answer, nodeTexts: texts }, measure).nodes.map(({ text }) => text);
  expect(shown[0]).toBe("·");
  expect(shown[1]).toMatch(/^x{13}…$/);
  expect(shown[2]).toMatch(/^(\u{1F415}){13}…$/u);
});
