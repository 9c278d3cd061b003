import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { layers } from "@tfjs-zoo/models";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { withFolder } from "../cli/zoo.ts";
import { type Boundary, findViolations, importsOf, isNodeOnly } from "./imports.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Forbids Node, the named packages of the zoo, and files outside one's own package. */
function within(home: string, { node = false, zoo = [] as string[] } = {}): Boundary["forbids"] {
  return {
    module: (name) =>
      (!node && isNodeOnly(name)) ||
      zoo.some((other) => name === `@tfjs-zoo/${other}` || name.startsWith(`@tfjs-zoo/${other}/`)) ||
      (!node && /^@tfjs-zoo\/\w+\/node(\/|$)/.test(name)),
    file: (path) => !path.startsWith(home) || (!node && path.startsWith(`${home}src/node/`)),
  };
}

const neutralFolders = ["charts", "loop", "optim", "schedules", "metrics", "tasks", "recipes"];

const boundaries: Record<string, Boundary> = {
  "models knows no Node and nothing else of the zoo": {
    of: ["models/src"],
    forbids: within("models/", { zoo: ["datasets", "training", "cli", "models"] }),
  },
  "datasets knows nothing else of the zoo": {
    of: ["datasets/src"],
    forbids: within("datasets/", { node: true, zoo: ["models", "training", "cli", "datasets"] }),
  },
  "datasets outside src/node knows no Node": {
    of: ["datasets/src"],
    except: ["node"],
    forbids: within("datasets/"),
  },
  "training does not know the apps": {
    of: ["training/src"],
    forbids: within("training/", { node: true, zoo: ["cli", "training"] }),
  },
  "training's neutral folders know no Node": {
    of: [
      "training/src/index.ts",
      ...neutralFolders.map((folder) => `training/src/${folder}`).filter((path) => existsSync(join(root, path))),
    ],
    forbids: within("training/"),
  },
};

describe("boundaries", () => {
  it.each(Object.entries(boundaries))("%s", async (_, boundary) => {
    expect(await findViolations(root, boundary)).toEqual([]);
  });

  it("cover every folder of training that is there", async () => {
    const folders = (await readdir(join(root, "training/src"), { withFileTypes: true }))
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    expect(folders.filter((name) => !neutralFolders.includes(name)).sort()).toEqual(["bench", "node"]);
  });
});

describe("the check of boundaries", () => {
  const planted = [
    ["a built-in module", `import { readFile } from "node:fs";`],
    ["a built-in module without its prefix", `import fs from "fs/promises";`],
    ["a type of Node's", `import type { Readable } from "node:stream";`],
    ["a dynamic import", `const fs = await import("node:fs");`],
    ["an export", `export * from "os";`],
    ["an import for its effects", `import "@tensorflow/tfjs-node";`],
    ["an import over several lines", `import {\n  a,\n  b,\n} from "sharp";`],
    ["another package", `import { fit } from "@tfjs-zoo/training";`],
    ["a file of another package", `import { x } from "../../../training/src/index.ts";`],
    ["a file of a test's package", `import type { x } from "../../../../test/cli/zoo.ts";`],
  ];

  it.each(planted)("finds %s", async (_, line) => {
    await withFolder(async (folder) => {
      await mkdir(join(folder, "models/src/ops"), { recursive: true });
      await writeFile(join(folder, "models/src/ops/planted.ts"), `/** A doc. */\nimport "./fine.ts";\n${line}\n`);
      const [boundary] = Object.values(boundaries);
      const found = await findViolations(folder, boundary);
      expect(found.map(({ file }) => file)).toEqual([join("models", "src", "ops", "planted.ts")]);
    });
  });

  it("leaves comments and tests alone", async () => {
    expect(importsOf(`/**\n * import fs from "node:fs"\n */\n// from "os"\nimport * as tf from "tf";`)).toEqual(["tf"]);
    await withFolder(async (folder) => {
      await mkdir(join(folder, "models/src"), { recursive: true });
      await writeFile(join(folder, "models/src/a.test.ts"), `import "node:fs";`);
      expect(await findViolations(folder, Object.values(boundaries)[0])).toEqual([]);
    });
  });
});

describe("a bundle for browsers", () => {
  /** What a page's bundler makes of it; a module that only Node has ends it with an error. */
  const bundle = (code: string) =>
    build({
      stdin: { contents: code, resolveDir: fileURLToPath(new URL("..", import.meta.url)), loader: "js" },
      bundle: true,
      write: false,
      format: "esm",
      platform: "browser",
      conditions: ["tfjs-zoo-source"],
      metafile: true,
      logLevel: "silent",
    });

  it.each([
    "@tfjs-zoo/models",
    "@tfjs-zoo/models/explain",
    "@tfjs-zoo/models/weights",
    "@tfjs-zoo/models/testing",
    "@tfjs-zoo/models/text",
    "@tfjs-zoo/models/kernels/wasm",
    "@tfjs-zoo/models/kernels/webgpu",
    "@tfjs-zoo/models/kernels/tensorflow",
    "@tfjs-zoo/datasets",
    "@tfjs-zoo/training",
    "@tfjs-zoo/training/charts",
    "@tfjs-zoo/training/bench",
  ])("of %s pulls nothing of Node in", async (name) => {
    const { metafile } = await bundle(`export * from ${JSON.stringify(name)};`);
    const inputs = Object.values(metafile.inputs);
    expect(inputs.length).toBeGreaterThan(3);
    expect(inputs.flatMap(({ imports }) => imports.filter(({ external }) => external))).toEqual([]);
  });

  it("has every layer where the package is imported for that alone, as an exported model may ask", async () => {
    const { outputFiles } = await bundle('import "@tfjs-zoo/models";');
    const names = Object.values(layers).flatMap((layer) => ("className" in layer ? [layer.className] : []));
    expect(names.length).toBeGreaterThan(20);
    for (const name of names) expect(outputFiles[0].text).toContain(`"${name}"`);
  });

  it("fails where there is something of Node", async () => {
    await expect(bundle(`export * from "@tfjs-zoo/datasets/node";`)).rejects.toThrow(/Could not resolve "node:/);
  });
});
