import { expect, it } from "vitest";
import { splitText } from "./split-text.ts";

it("splits nine to one, and loses nothing", () => {
  const text = `${"0123456789".repeat(7)}abc`;
  const { train, validation } = splitText(text, "a.txt");
  expect(train.length).toBe(65);
  expect(train + validation).toBe(text);
});

it("does not cut a character in two", () => {
  const { train, validation } = splitText(`${"a".repeat(8)}😀b`, "a.txt");
  expect([train, validation]).toEqual(["aaaaaaaa", "😀b"]);
});

it.each(["", "too short", " \n".repeat(20)])("refuses %j", (text) => {
  expect(() => splitText(text, "a.txt")).toThrow(/^a.txt has \d+ characters: at least 10 are needed$/);
});
