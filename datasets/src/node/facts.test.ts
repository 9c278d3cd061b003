import { describe, expect, it } from "vitest";
import { failure } from "../../test/support.ts";
import { loadFacts } from "./facts.ts";
import { loadPairDataset } from "./text-datasets.ts";

const [questions, summaries, both] = (["facts-questions", "facts-summaries", "facts"] as const).map((name) =>
  loadFacts(name),
);

/** What the sentences of a story say: the last one of each kind counts. */
function factsIn(context: string) {
  const [places, things, colours] = [new Map<string, string>(), new Map<string, string>(), new Map<string, string>()];
  for (const line of context.split(". ")) {
    const [, person, place] = line.match(/(\w+) (?:is in|went to) the (\w+)\.?$/) ?? [];
    const [, owner, colour, thing] = line.match(/^(\w+) has an? (\w+) (\w+)/) ?? [];
    const [, ofThing, ofOwner, ofColour] = line.match(/^The (\w+) of (\w+) is (\w+)/) ?? [];
    if (place) places.set(person, place);
    if (thing ?? ofThing) {
      things.set(owner ?? ofOwner, thing ?? ofThing);
      colours.set(thing ?? ofThing, colour ?? ofColour);
    }
  }
  return { places, things, colours };
}

function answerTo(source: string): string | undefined {
  const [, question, context] = source.match(/^question: (.*)\? context: (.*)$/) as RegExpMatchArray;
  const { places, things, colours } = factsIn(context);
  const ownerOf = (thing: string) => [...things].find(([, owned]) => owned === thing)?.[0];
  const [, kind, word] =
    question.match(/^(where is the|where is|who has the|what does|what colour is the) (\w+)/) ?? [];
  if (kind === "where is the") return places.get(ownerOf(word) as string);
  if (kind === "where is") return places.get(word);
  if (kind === "who has the") return ownerOf(word);
  return kind === "what does" ? things.get(word) : colours.get(word);
}

describe("facts-questions", () => {
  it("are answered by what their sentences say", () => {
    const { test, train, source, target, metric } = questions;
    expect([source, target, metric, train.source.length]).toEqual(["question", "answer", "exact-match", 20_000]);
    expect(test.source.map(answerTo)).toEqual(test.target);
    const kinds = test.source.filter((text) => text.startsWith("question: where is the"));
    expect(kinds.length / test.source.length).toBeCloseTo(1 / 8, 1);
    expect(test.source.some((text) => text.includes("Then "))).toBe(true);
  });
});

describe("facts-summaries", () => {
  it("have headlines of words and numbers that are in their reports", () => {
    const { test, metric } = summaries;
    expect(metric).toBe("rouge-l");
    const said = "hurt in beat elected mayor of opens new stolen from storm damages houses fire".split(" ");
    for (const [i, headline] of test.target.entries()) {
      const words = headline.split(/[ -]/).filter((word) => !said.includes(word));
      for (const word of words) expect(test.source[i].toLowerCase(), headline).toContain(word.toLowerCase());
    }
    const kinds = /hurt|beat|elected|opens|stolen|storm/;
    expect(new Set(test.target.map((headline) => headline.match(kinds)?.[0])).size).toBe(6);
  });
});

describe("facts", () => {
  it("are both, each with its prefix", () => {
    const asked = both.test.source.filter((text) => text.startsWith("question: ")).length;
    const told = both.test.source.filter((text) => text.startsWith("summarize: ")).length;
    expect(asked + told).toBe(both.test.source.length);
    expect(Math.min(asked, told)).toBeGreaterThan(0.4 * both.test.source.length);
  });
});

describe.each([questions, summaries, both])("$name", (first) => {
  it("is the same every time, and tests nothing that was learned from", async () => {
    const again = await loadPairDataset(first.name);
    expect([again.test, again.train.source.at(-1)]).toEqual([first.test, first.train.source.at(-1)]);
    const sources = [first.train, first.validation, first.test].flatMap(({ source }) => source);
    expect(new Set(sources).size).toBe(21_000);
  });

  it("has one direction", async () => {
    expect(await failure(loadPairDataset(first.name, { direction: "de-en" }))).toMatch(
      /^InputError: facts\S* has no direction "de-en": it is \w+-\w+ always, leave the direction out$/,
    );
  });
});
