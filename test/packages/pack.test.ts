import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
/** Below the repository, so that what the packages depend on is found in its node_modules. */
const project = fileURLToPath(new URL("./.packed", import.meta.url));
const folders = {
  models: "models",
  datasets: "datasets",
  training: "training",
  "bench-page": "apps/bench-page",
  cli: "apps/cli",
};

interface Manifest {
  exports?: { [path: string]: string | { types: string; default: string } };
}

const installed = (name: string) => join(project, "node_modules/@tfjs-zoo", name);
const filesOf = async (name: string) => (await readdir(installed(name), { recursive: true })).sort();

/** Runs plain Node, as another project has it: without tsx, without this repository's conditions. */
async function node(args: string[]): Promise<string> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  return (await run(process.execPath, args, { cwd: project, env })).stdout;
}

/** Runs the TypeScript compiler in the project; what it says, also when it ends with an error. */
async function typecheck(config: string): Promise<string> {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  return node([tsc, "-p", config]).catch(({ stdout }: { stdout: string }) => stdout || "tsc failed");
}

beforeAll(async () => {
  for (const folder of Object.values(folders)) {
    const dist = join(root, folder, "dist");
    if (!existsSync(dist)) throw new Error(`${folder} is not built: run \`npm run build\` first`);
  }
  await rm(project, { recursive: true, force: true });
  await mkdir(project, { recursive: true });
  const paths = Object.values(folders).map((folder) => `./${folder}`);
  const pack = ["pack", ...paths, "--pack-destination", project, "--ignore-scripts", "--silent"];
  const tarballs = (await run("npm", pack, { cwd: root })).stdout.trim().split("\n");
  expect(tarballs).toHaveLength(paths.length);
  for (const [i, name] of Object.keys(folders).entries()) {
    await mkdir(installed(name), { recursive: true });
    await run("tar", ["-xzf", join(project, tarballs[i]), "-C", installed(name), "--strip-components=1"]);
  }
  await writeFile(join(project, "package.json"), JSON.stringify({ name: "another-project", type: "module" }));
});

afterAll(() => rm(project, { recursive: true, force: true }));

describe.each(Object.keys(folders))("the tarball of %s", (name) => {
  it("holds no sources and no tests", async () => {
    const files = await filesOf(name);
    expect(files.filter((file) => /(^|\/)src(\/|$)|\.test\.|test-net|fixtures|tsconfig|\.turbo/.test(file))).toEqual(
      [],
    );
    expect(files.filter((file) => /\.[cm]?ts$/.test(file) && !/\.d\.[cm]?ts$/.test(file))).toEqual([]);
  });

  it("has declarations beside every module", async () => {
    const files = new Set(await filesOf(name));
    const modules = [...files].filter((file) => /^dist\/(?!page\/).*\.js$/.test(file)); // a page is no module
    expect(modules.length).toBeGreaterThan(1);
    expect(modules.filter((file) => !files.has(file.replace(/\.js$/, ".d.ts")))).toEqual([]);
  });

  it("has what its exports name", async () => {
    const manifest: Manifest = JSON.parse(await readFile(join(installed(name), "package.json"), "utf8"));
    const targets = Object.values(manifest.exports ?? {}).flatMap((target) =>
      typeof target === "string" ? [] : [target.types, target.default],
    );
    expect(targets.filter((target) => !existsSync(join(installed(name), target)))).toEqual([]);
  });
});

describe("a project that installed the packages", () => {
  it("imports every entry and computes", async () => {
    await writeFile(
      join(project, "use.js"),
      `
      import * as tf from "@tensorflow/tfjs-core";
      import "@tensorflow/tfjs-backend-cpu";
      import { createModel } from "@tfjs-zoo/models";
      import * as explain from "@tfjs-zoo/models/explain";
      import * as weights from "@tfjs-zoo/models/weights";
      import * as testing from "@tfjs-zoo/models/testing";
      import { registerWasmKernels } from "@tfjs-zoo/models/kernels/wasm";
      import * as tensorflow from "@tfjs-zoo/models/kernels/tensorflow";
      import * as datasets from "@tfjs-zoo/datasets";
      import * as datasetsNode from "@tfjs-zoo/datasets/node";
      import * as training from "@tfjs-zoo/training";
      import * as trainingNode from "@tfjs-zoo/training/node";
      await tf.setBackend("cpu");
      const model = createModel("lenet5");
      const [height, width, channels] = model.inputs[0].shape.slice(1);
      const output = model.predict(tf.zeros([2, height, width, channels]));
      console.log(JSON.stringify({
        from: import.meta.resolve("@tfjs-zoo/models"),
        shape: output.shape,
        finite: (await output.data()).every(Number.isFinite),
        kinds: [registerWasmKernels, explain.gradCam, explain.umap, weights.readSafetensors, testing.checkGradients, datasets.evaluationBatches,
          datasetsNode.loadDataset, training.sgd, trainingNode.startBackend].map((x) => typeof x),
        kernels: Object.keys(tensorflow).length > 0,
      }));
      process.exit(0);
      `,
    );
    const used = JSON.parse((await node(["use.js"])).trim().split("\n").at(-1) as string);
    expect(used.from).toContain("/.packed/node_modules/@tfjs-zoo/models/dist/index.js");
    expect(used).toMatchObject({ shape: [2, 10], finite: true, kernels: true });
    expect(new Set(used.kinds)).toEqual(new Set(["function"]));
  });

  describe.each([
    ["NodeNext", "NodeNext"],
    ["ESNext", "bundler"],
  ])("typechecks with module %s, moduleResolution %s", (module, moduleResolution) => {
    const config = `tsconfig.${moduleResolution}.json`;
    const declarations = `tsconfig.${moduleResolution}.declarations.json`;

    beforeAll(async () => {
      await writeFile(
        join(project, "use.ts"),
        `
        import * as tf from "@tensorflow/tfjs-core";
        import { createModel, findClassifier, type ClassifierEntry, ops } from "@tfjs-zoo/models";
        import { registerWasmKernels } from "@tfjs-zoo/models/kernels/wasm";
        import { type GradCam, gradCam } from "@tfjs-zoo/models/explain";
        import { checkGradients } from "@tfjs-zoo/models/testing";
        import { type Card, parseCard, readSafetensors } from "@tfjs-zoo/models/weights";
        import { type ImageDataset, evaluationBatches } from "@tfjs-zoo/datasets";
        import { loadDataset } from "@tfjs-zoo/datasets/node";
        import { type Recipe, recipeFor } from "@tfjs-zoo/training";
        import { startBackend } from "@tfjs-zoo/training/node";

        registerWasmKernels();
        const entry: ClassifierEntry = findClassifier("lenet5");
        const logits = createModel(entry.name, { classes: 10, seed: 1 }).predict(tf.zeros([1, ...entry.inputShape]));
        const cam: GradCam = gradCam(createModel(entry.name), tf.zeros([1, ...entry.inputShape]), { classIndex: 3 });
        const card: Card = parseCard("{}");
        const recipe: Recipe = recipeFor("quick", card.metric.dataset);
        const dataset: ImageDataset = await loadDataset("cifar10", { seed: recipe.epochs });
        const { name } = await startBackend("auto", {});
        console.log(logits, cam, dataset, name, ops.relu, checkGradients, readSafetensors, evaluationBatches);

        // Types that got lost on the way would be any, which takes everything.
        // @ts-expect-error a model is no string
        const model: string = createModel("lenet5");
        // @ts-expect-error a width is a number
        createModel("lenet5", { inputShape: ["1", 2, 3] });
        // @ts-expect-error a card's value is a number
        const value: string = card.metric.value;
        // @ts-expect-error a data set is no number
        const images: number = await loadDataset("cifar10", {});
        // @ts-expect-error a count of epochs is no string
        const epochs: string = recipe.epochs;
        // @ts-expect-error no backend has this name
        await startBackend("abacus", {});
        export { epochs, images, model, value };
        `,
      );
      const compilerOptions = {
        target: "ES2022",
        lib: ["ES2023", "DOM", "DOM.Iterable"],
        module,
        moduleResolution,
        strict: true,
        noEmit: true,
        types: [],
        skipLibCheck: true, // tfjs's own declarations have errors
      };
      await writeFile(join(project, config), JSON.stringify({ compilerOptions, files: ["use.ts"] }));
      const strictest = { ...compilerOptions, skipLibCheck: false, types: ["node"] };
      await writeFile(join(project, declarations), JSON.stringify({ compilerOptions: strictest, files: ["use.ts"] }));
    });

    it("in its own code", async () => {
      expect(await typecheck(config)).toBe("");
    });

    it("in our declarations", async () => {
      const lines = (await typecheck(declarations)).split("\n");
      expect(lines.filter((line) => line.includes("@tfjs-zoo/") || line.startsWith("use.ts"))).toEqual([]);
    });
  });

  it("has the zoo command", async () => {
    const zoo = join(installed("cli"), "bin/zoo.js");
    const { version } = JSON.parse(await readFile(join(installed("cli"), "package.json"), "utf8"));
    expect((await node([zoo, "--version"])).trim()).toBe(version);
    const models: { name: string }[] = JSON.parse(await node([zoo, "list", "--json"]));
    expect(models.map(({ name }) => name)).toEqual(expect.arrayContaining(["lenet5", "resnet20"]));
  });
});
