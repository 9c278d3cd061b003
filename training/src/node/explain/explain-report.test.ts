import { describe, expect, it } from "vitest";
import { pictureOf } from "../../charts/picture.ts";
import { explainReport } from "./explain-report.ts";
import { type Explanation, type Figure, figuresOf } from "./explanation.ts";

const figure = (file: string): Figure => ({
  file,
  picture: pictureOf([0, 1], [1, 2, 1]),
  alt: `a <cat>, ${file}`,
  caption: "cat & dog",
});

const explanation: Explanation = {
  title: "Inside <net>",
  subtitle: "two classes",
  sections: [
    {
      title: "Where it looks",
      lead: "lead",
      blocks: [
        { kind: "figures", title: "one", figures: [figure("a.png"), figure("b.png")] },
        { kind: "figures", figures: [figure("c.png")], wide: true },
      ],
    },
    {
      title: "Figures",
      lead: "lead",
      blocks: [
        {
          kind: "scatter",
          scatter: {
            title: "points",
            points: Array.from({ length: 24 }, (_, i) => ({ x: i, y: -i, class: i, hollow: i === 3, say: `<${i}>` })),
            classes: Array.from({ length: 24 }, (_, i) => `class ${i}`),
            hollow: "mistaken",
          },
        },
        { kind: "table", table: { head: ["layer", "zeros"], rows: [["<conv1>", { share: 0.25 }]] } },
        {
          kind: "charts",
          charts: [{ title: "Loss", series: [{ name: "x", points: [{ step: 1, epoch: 1, value: 2 }] }], axis: "log" }],
        },
      ],
    },
  ],
};

describe("the report of an explanation", () => {
  const html = explainReport(explanation);

  it("requests nothing, and has each picture in it with its text", () => {
    expect(html).toContain("default-src 'none'");
    const sources = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, source]) => source);
    expect(sources.every((source) => source.startsWith("data:"))).toBe(true);
    const pictures = [...html.matchAll(/<img [^>]*>/g)].map(([tag]) => tag);
    expect(pictures).toHaveLength(figuresOf(explanation).length);
    for (const tag of pictures) expect(tag).toMatch(/alt="a &lt;cat&gt;, \w\.png"/);
  });

  it("shows what names hold as text", () => {
    expect(html).not.toMatch(/<net>|<cat>|<conv1>|<3>/);
    expect(html).toContain("cat &amp; dog");
  });

  it("tells every class of a scatter apart, by colour or by shape", () => {
    const marks = [...html.matchAll(/<path class="(p\d)" d="([^"]+)"\/><\/svg>class/g)].map(([, ...mark]) =>
      mark.join(),
    );
    expect(new Set(marks).size).toBe(24);
    expect(html.match(/<path class="p\d hollow" d="[^"]+" transform/g)).toHaveLength(1);
  });

  it("draws a share as a bar", () => {
    expect(html).toContain('style="width:25.0%"');
  });
});
