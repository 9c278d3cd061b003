import { describe, expect, it } from "vitest";
import { oneLine } from "./one-line.ts";
import { startBackend } from "./start-backend.ts";
import { type BackendName, type BackendStarter, backendNames } from "./types.ts";

/** Starters that fail except for the named ones, and the list of those that were tried. */
function starters(working: BackendName[]) {
  const tried: BackendName[] = [];
  const make =
    (name: BackendName): BackendStarter =>
    async ({ threads }) => {
      tried.push(name);
      if (!working.includes(name)) throw new Error(`no ${name}\n  here.\n`);
      return { version: "1.2.3", threads, about: `${name} itself` };
    };
  const all = Object.fromEntries(backendNames.map((name) => [name, make(name)])) as Record<BackendName, BackendStarter>;
  return { all, tried };
}

describe("startBackend", () => {
  it.each([
    [["tensorflow", "wasm"], "tensorflow"],
    [["webgpu", "wasm", "cpu"], "webgpu"],
    [["wasm", "cpu"], "wasm"],
    [["cpu"], "cpu"],
  ] as [BackendName[], BackendName][])("auto with %j working takes %s", async (working, expected) => {
    const { all, tried } = starters(working);
    const { name, statuses } = await startBackend("auto", { threads: 3 }, all);
    expect(name).toBe(expected);
    expect(tried).toEqual(backendNames.slice(0, backendNames.indexOf(expected) + 1));
    expect(statuses.map((status) => status.name)).toEqual([...backendNames]);
    for (const status of statuses) {
      const index = backendNames.indexOf(status.name) - backendNames.indexOf(expected);
      if (index < 0) expect(status).toEqual({ name: status.name, ok: false, reason: `no ${status.name} here` });
      else if (index > 0) expect(status.reason).toBe(`not needed: ${expected} works and is faster`);
      else expect(status).toEqual({ name, ok: true, reason: `${name} itself`, version: "1.2.3", threads: 3 });
    }
  });

  it("tries nothing but what was asked for", async () => {
    const { all, tried } = starters(["tensorflow", "wasm"]);
    const { name, statuses } = await startBackend("wasm", {}, all);
    expect([name, tried]).toEqual(["wasm", ["wasm"]]);
    expect(statuses[0].reason).toBe("not needed: wasm was asked for");
  });

  it("says in one line why the backend that was asked for does not start", async () => {
    const { all } = starters([]);
    await expect(startBackend("webgpu", {}, all)).rejects.toMatchObject({
      name: "InputError",
      message: "the webgpu backend does not start here: no webgpu here",
    });
  });

  it("says in one line why none starts", async () => {
    const { all } = starters([]);
    await expect(startBackend("auto", {}, all)).rejects.toThrow(/^no backend starts here: tensorflow: no .*cpu here$/);
  });

  it("names the backends when it gets another name", async () => {
    await expect(startBackend("cuda" as BackendName)).rejects.toThrow(
      'unknown backend "cuda": give one of auto, tensorflow, webgpu, wasm, cpu',
    );
  });

  it("starts the stock backends, silently, with gradients", async () => {
    const tf = await import("@tensorflow/tfjs-core");
    for (const name of ["wasm", "cpu"] as const) {
      const { statuses } = await startBackend(name);
      expect(statuses.find((status) => status.ok)).toMatchObject({ name, version: "4.22.0", threads: 1 });
      expect(tf.getBackend()).toBe(name);
      expect(
        tf.tidy(
          () =>
            tf
              .grad((x) => tf.square(x))(tf.scalar(3))
              .dataSync()[0],
        ),
      ).toBe(6);
    }
  });
});

describe("oneLine", () => {
  it("joins lines, drops the full stop and cuts what is too long", () => {
    expect(oneLine(new Error("a\n\n  b."))).toBe("a b");
    expect(oneLine("x".repeat(1000))).toHaveLength(300);
  });
});
