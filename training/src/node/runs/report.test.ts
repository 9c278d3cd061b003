import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type ReportData, renderReport } from "./report.ts";

const hostile = '</script><script>alert("x")</script>';

const data: ReportData = {
  title: "LeNet-5 on MNIST",
  summary: [
    { label: "test accuracy", value: "99.12 %" },
    { label: "epochs", value: "2" },
  ],
  history: [
    { step: 100, epoch: 0.5, trainLoss: 0.9, trainAccuracy: 0.7, learningRate: 0.1, gradientNorm: 3 },
    { step: 150, epoch: 0.8, trainLoss: Number.NaN, gradientNorm: Number.POSITIVE_INFINITY },
    { step: 200, epoch: 1, trainLoss: 0.4, trainAccuracy: 0.9, learningRate: 0.05, gradientNorm: 1 },
    { step: 200, epoch: 1, validationLoss: 0.35, validationAccuracy: 0.91 },
  ],
  classes: ["zero", "one", hostile],
  confusion: [
    [90, 10, 0],
    [1, 99, 0],
    [0, 0, 0],
  ],
  mistakes: [{ image: new Uint8Array(12), shape: [2, 2, 3], said: hostile, probability: 0.98, is: "one" }],
  timing: { dataSeconds: 1, stepSeconds: 98, otherSeconds: 1 },
  config: { model: "lenet5", recipe: { epochs: 2, augmentation: ["crop"] }, path: hostile },
  env: { node: "20" },
};

/** The text of a report, without what is the same in all of them. */
const body = (report: string) => report.slice(report.indexOf("<main>"), report.indexOf("</main>"));

describe("renderReport", () => {
  const report = renderReport(data);

  it("has the final figure, four charts, the matrix, the bars, the mistakes and the tables", () => {
    expect(report).toContain("<title>LeNet-5 on MNIST: 99.12 %</title>");
    expect(report).toContain('<p class="hero">99.12 %</p>');
    expect(report.match(/<svg [^>]*data-chart=/g)).toHaveLength(4);
    expect(report).toContain('title="zero taken for one: 10 of 100">10</td>');
    expect(report.indexOf('title="zero">zero</span>')).toBeLessThan(report.indexOf('title="one">one</span>'));
    expect(report).toContain("98\u00a0%");
    expect(report).toContain('<th scope="row">recipe.augmentation</th><td>crop</td>');
    expect(report).toContain("waiting for data");
  });

  it("lets no name or path become markup", () => {
    expect(body(report)).not.toContain("<script");
    expect(body(report)).toContain("&lt;script&gt;");
    expect(report.match(/<script/g)).toHaveLength(1);
  });

  it("requests nothing, and allows only its own script", () => {
    expect(report).not.toMatch(/(?:src|href)="(?!data:)/);
    expect(report).not.toMatch(/url\(|@import|https?:/);
    const script = /<script>([\s\S]*)<\/script>/.exec(report)?.[1] ?? "";
    expect(report).toContain(`script-src 'sha256-${createHash("sha256").update(script).digest("base64")}'`);
  });

  it("draws no NaN and no infinity", () => {
    for (const path of report.match(/ (?:d|x|y|cx|cy|points)="[^"]*"/g) ?? []) expect(path).not.toMatch(/NaN|Infinity/);
    const loss = JSON.parse((/data-chart="([^"]*)"/.exec(report)?.[1] ?? "").replaceAll("&quot;", '"'));
    expect(loss.map((series: unknown[]) => series.length)).toEqual([2, 1]);
  });

  it("leaves out what a run lacks", () => {
    const bare = renderReport({ title: "t", summary: [], history: [], classes: [], config: {}, env: undefined });
    expect(bare).not.toContain("<svg");
    expect(bare).not.toMatch(/undefined|NaN/);
    const diverged = renderReport({ ...data, history: [{ step: 1, epoch: 1, trainLoss: Number.NaN }] });
    expect(diverged).not.toContain("<h2>Training</h2>");
  });

  it("stays small for a long run and many classes", () => {
    const history = Array.from({ length: 30_000 }, (_, step) => ({
      step,
      epoch: step / 350,
      trainLoss: 1 / (1 + step),
    }));
    const confusion = Array.from({ length: 100 }, (_, i) =>
      Array.from({ length: 100 }, (_, j) => (i === j ? 90 : j % 2)),
    );
    const classes = confusion.map((_, i) => `class ${i}`);
    expect(renderReport({ ...data, history, confusion, classes, mistakes: [] }).length).toBeLessThan(1_500_000);
  });

  it("never calls a mistake quite certain", () => {
    const said = (probability: number) =>
      /said (.*), is/.exec(renderReport({ ...data, mistakes: [{ ...data.mistakes?.[0], probability } as never] }))?.[1];
    expect(said(0.9999)).toMatch(/over\u00a099\.9\u00a0%$/);
    expect(said(0.997)).toMatch(/99\.7\u00a0%$/);
  });
});
