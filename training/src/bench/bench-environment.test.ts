import { expect, it } from "vitest";
import { benchEnvironment, processorFolder } from "./bench-environment.ts";

it.each([
  ["AMD EPYC", "amd-epyc"],
  ["Intel(R) Xeon(R) CPU @ 2.80GHz", "intel-xeon-cpu-2-80ghz"],
  ["../../etc", "etc"],
  ["", "unknown"],
])("makes a folder's name of the processor %j", (processor, folder) => {
  expect(processorFolder(processor)).toBe(folder);
});

it("names a graphics card only where there is one", () => {
  expect(benchEnvironment()).not.toHaveProperty("device");
  expect(benchEnvironment("a card")).toMatchObject({ device: "a card", node: process.versions.node });
});
