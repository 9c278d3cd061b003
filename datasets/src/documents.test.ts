import { describe, expect, it } from "vitest";
import { documentsOf } from "./documents.ts";

const speech = (name: string, sentences: number) =>
  `${name}:\n${Array.from({ length: sentences }, (_, i) => `This is number ${i},\nof ${name}.`).join(" ")}`;

describe("running text", () => {
  it("is cut into sentences of paragraphs, and these are put together to documents of 16 sentences or more", () => {
    const text = [speech("First", 10), speech("Second", 10), speech("Third", 20), speech("Fourth", 1)].join("\n\n");
    const documents = documentsOf(text, "a text");
    expect(documents.map(({ length }) => length)).toEqual([20, 20, 1]);
    expect(documents[0].slice(9, 12)).toEqual([
      "This is number 9, of First.",
      "Second: This is number 0, of Second.",
      "This is number 1, of Second.",
    ]);
  });

  it("has a paragraph a line where no line is empty", () => {
    const lines = Array.from({ length: 20 }, (_, i) => `line ${i} without an end`);
    const documents = documentsOf(`${lines.join("\n")}\n`, "a text");
    expect(documents).toEqual([lines.slice(0, 16), lines.slice(16)]);
  });

  it.each(["", "One. Two. Three.", `${"word ".repeat(1000)}`])("is too little in %#", (text) => {
    expect(() => documentsOf(text, "a text")).toThrow(
      /^a text has \d+ sentences: more than 16 are needed, .* more text$/,
    );
  });
});
