import { expect, it } from "vitest";
import { diagnose } from "./diagnose.ts";
import { backendNames, type ProgressEvent } from "./types.ts";

it("really starts and measures each backend, in processes of their own", async () => {
  const events: ProgressEvent[] = [];
  const diagnosis = await diagnose({ setup: false, progress: (event) => events.push(event) });
  expect(diagnosis.backends.map(({ name }) => name)).toEqual([...backendNames]);
  for (const { name, ok, reason, version, gflops } of diagnosis.backends) {
    expect(reason).toMatch(/^\S.*$/);
    expect(Boolean(version), name).toBe(ok);
    expect((gflops ?? 0) > 0, name).toBe(ok);
  }
  expect(diagnosis.backends.filter(({ ok }) => ok).map(({ name }) => name)).toEqual(
    expect.arrayContaining(["wasm", "cpu", diagnosis.default]),
  );
  expect(events.map(({ done, total }) => `${done}/${total}`)).toEqual(["0/4", "1/4", "2/4", "3/4"]);
});
