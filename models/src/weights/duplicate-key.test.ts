import { expect, it } from "vitest";
import { findDuplicateKey } from "./duplicate-key.ts";

it.each([
  ['{"a":1,"b":{"a":1},"c":[{"a":1},{"a":1}]}', undefined],
  ['{"a":"a","b":"a","c":["a","a"]}', undefined],
  ['{"a":"\\"a\\":","b\\\\":1,"\\\\":"{"}', undefined],
  ['{"a":1,"\\u0061" :2}', "a"],
  ['{"x":[{"k":1,"k":2}]}', "k"],
  ['{"__proto__":1,"__proto__":2}', "__proto__"],
  ['"a"', undefined],
])("%s", (json, key) => {
  JSON.parse(json);
  expect(findDuplicateKey(json)).toBe(key);
});

it("takes strings and depths of any length", () => {
  for (const piece of ["x", '\\"', "\\\\"])
    expect(findDuplicateKey(`{"a":"${piece.repeat(10_000_000)}","b":1,"b":2}`)).toBe("b");
  expect(findDuplicateKey(`${"[".repeat(1e6)}${"]".repeat(1e6)}`)).toBeUndefined();
});
