import "@tensorflow/tfjs-backend-cpu";
import { checkGradients, type GradientCheck, gradcheckTable } from "@tfjs-zoo/models/testing";
import { startBackend } from "@tfjs-zoo/training/node";
import { expect, it } from "vitest";

/** The package `models` checks its ops on cpu and wasm; the native backend starts from here. */
it("every op agrees with both oracles on the native backend", async ({ skip }) => {
  const starts = await startBackend("tensorflow", { setup: false }).then(
    () => true,
    () => false,
  );
  if (!starts) skip();
  const checks: GradientCheck[] = [];
  for await (const check of checkGradients({ backend: "tensorflow" })) checks.push(check);
  expect(checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(gradcheckTable(checks).length).toBeGreaterThan(30);
});
