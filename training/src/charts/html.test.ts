import { expect, it } from "vitest";
import { compact } from "./html.ts";

it.each([
  [0, "0"],
  [0.5, "0.5"],
  [0.001234567, "0.001235"],
  [5e-4, "5e-4"],
  [1.25e-5, "1.25e-5"],
  [-2e-6, "-2e-6"],
  [1234.5, "1,235"],
  [3e7, "3e7"],
  [Number.NaN, "NaN"],
])("writes %d as %s", (value, text) => expect(compact(value)).toBe(text));
