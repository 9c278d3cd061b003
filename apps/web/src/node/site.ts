import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError, registry } from "@tfjs-zoo/models";
import { type Card, parseCard, readSafetensors } from "@tfjs-zoo/models/weights";
import type { InlineConfig, Plugin } from "vite";
import type { Pretrained } from "../shared/pretrained.ts";
import type { Packed } from "./pack-sets.ts";
import { headOf, navigationOf } from "./page-parts.ts";

const folder = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Where the built site lies unless the caller says so. */
export const defaultOut = folder("dist");
/** What only this site has: a folder with it may be replaced. */
export const SIGN = "tfjs-zoo-site.txt";
const samples = folder("public/samples");
const pretrained = folder("../../models/pretrained");

/** What goes into a site. */
export interface SiteParts {
  packed: Packed;
  /** a folder of published weights, NAME.TAG/ each, beside those that ship */
  weights?: string;
}

/** What Vite is told; the same for building and for serving what is built. */
export function siteConfig(
  outDir: string,
  { packed, weights }: SiteParts = { packed: { sets: [], files: [], missing: [] } },
): InlineConfig {
  return {
    configFile: false,
    root: folder("src"),
    publicDir: folder("public"),
    base: "./", // relative addresses, so that the site works below any path
    appType: "mpa",
    logLevel: "warn",
    resolve: { conditions: ["tfjs-zoo-source", "module", "browser", "production"] },
    build: {
      outDir,
      emptyOutDir: true,
      target: "es2022",
      assetsInlineLimit: 0,
      chunkSizeWarningLimit: 2000,
      modulePreload: { polyfill: false },
      rolldownOptions: {
        input: {
          home: folder("src/index.html"),
          classify: folder("src/classify/index.html"),
          compare: folder("src/compare/index.html"),
          train: folder("src/train/index.html"),
          write: folder("src/write/index.html"),
          translate: folder("src/translate/index.html"),
          generate: folder("src/generate/index.html"),
          measure: folder("src/measure/index.html"),
          "service-worker": folder("src/service-worker.ts"),
        },
        output: {
          entryFileNames: ({ name }) => (name === "service-worker" ? "service-worker.js" : "assets/[name]-[hash].js"),
        },
      },
    },
    worker: { format: "es" },
    plugins: [pageParts(), lists(weights), dataSets(packed), offlineList()],
  };
}

/** The parts that all pages have. */
function pageParts(): Plugin {
  return {
    name: "zoo-page-parts",
    transformIndexHtml: {
      order: "pre",
      handler: (html, { path }) =>
        html.replace("<!-- head -->", headOf(path)).replace("<!-- navigation -->", navigationOf(path)),
    },
  };
}

/** Tasks of networks that make images. */
const makesImages = ["autoencoding", "adversarial", "diffusion"];
/** Tasks that some page has a use for. */
const pagesHave = new Set(["classification", "language-modelling", "translation", ...makesImages]);

/** Published weights: a folder NAME.TAG of a card, the weights and what else the card names. */
interface Published {
  name: string;
  card: Card;
  /** reads one of the folder's files */
  read(file: string): Uint8Array;
}

/** @throws InputError when a folder of published weights can't be read, or has something else in it */
function publishedIn(folder: string): Published[] {
  const read = (name: string, file: string) => {
    if (file !== basename(file)) throw new InputError(`the card of ${name} names ${file}, which is not beside it`);
    return reading(join(folder, name, file), (path): Uint8Array => readFileSync(path));
  };
  return reading(folder, (path) => readdirSync(path))
    .filter((name) => !name.startsWith("."))
    .sort()
    .map((name) => {
      const card = parseCard(new TextDecoder().decode(read(name, "card.json")));
      return { name, card, read: (file) => read(name, file) };
    });
}

function reading<T>(path: string, read: (path: string) => T): T {
  try {
    return read(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(
      `can't read ${path} (${code}): expected folders NAME.TAG, as "npm run zoo -- publish" writes them`,
    );
  }
}

/** As the registry has their networks: of each kind the plainest first, which opens with its page. */
function inOrderOfTheZoo(entries: readonly Pretrained[]): Pretrained[] {
  const order = [...registry.keys()];
  return entries.toSorted((a, b) => order.indexOf(a.card.model) - order.indexOf(b.card.model));
}

/** Modules that list what there is: weights with their cards, and samples by data set. The weights go into the site. */
function lists(more?: string): Plugin {
  const entries = publishedIn(pretrained)
    .concat(more === undefined ? [] : publishedIn(more))
    .flatMap(({ name, card, read }): { entry: Pretrained; bytes: Uint8Array; tokenizer?: Uint8Array }[] => {
      if (!pagesHave.has(card.task)) return [];
      const file = `weights/${name}-${card.sha256.slice(0, 8)}.safetensors`;
      const bytes = read("model.safetensors");
      if (card.tokenizer === undefined) return [{ entry: { name, card, file }, bytes }];
      const tokenizer = read(card.tokenizer);
      const version = createHash("sha256").update(tokenizer).digest("hex").slice(0, 8);
      const beside = { file: `weights/${name}-${version}.tokenizer.json`, bytes: tokenizer.length };
      const direction = card.task === "translation" ? readSafetensors(bytes).metadata.direction : undefined;
      return [{ entry: { name, card, file, tokenizer: beside, direction }, bytes, tokenizer }];
    });
  const ofTask = (...tasks: Card["task"][]) =>
    entries.map(({ entry }) => entry).filter(({ card }) => tasks.includes(card.task));
  const modules: { [name: string]: () => unknown } = {
    "virtual:pretrained": () => ofTask("classification"),
    "virtual:writers": () => ofTask("language-modelling"),
    "virtual:translators": () => ofTask("translation"),
    "virtual:makers": () => inOrderOfTheZoo(ofTask(...makesImages)),
    "virtual:samples": () =>
      Object.fromEntries(
        readdirSync(samples, { withFileTypes: true })
          .filter((entry) => entry.isDirectory())
          .map(({ name }) => [name, readdirSync(join(samples, name)).sort(byClass)]),
      ),
  };
  return {
    name: "zoo-lists",
    resolveId: (id) => (id in modules ? `\0${id}` : undefined),
    load: (id) =>
      id.startsWith("\0virtual:") && id.slice(1) in modules
        ? `export default ${JSON.stringify(modules[id.slice(1)]())}`
        : undefined,
    generateBundle() {
      this.emitFile({ type: "asset", fileName: SIGN, source: "Built by tfjs-zoo, which may replace this folder.\n" });
      for (const { entry, bytes, tokenizer } of entries) {
        this.emitFile({ type: "asset", fileName: entry.file, source: bytes });
        if (entry.tokenizer && tokenizer) {
          this.emitFile({ type: "asset", fileName: entry.tokenizer.file, source: tokenizer });
        }
      }
    },
  };
}

/** File names are a number and a class: 8-cat.png. */
const byClass = (a: string, b: string) => a.replace(/^\d+/, "").localeCompare(b.replace(/^\d+/, ""), "en");

/** Data sets to train on, and sets.json, which lists them. */
function dataSets({ sets, files }: Packed): Plugin {
  return {
    name: "zoo-data-sets",
    generateBundle() {
      this.emitFile({ type: "asset", fileName: "sets.json", source: JSON.stringify(sets) });
      for (const { name, bytes } of files) this.emitFile({ type: "asset", fileName: name, source: bytes });
    },
  };
}

/** Tells the service worker which files make up the site. Weights and data sets are kept when they are first used. */
function offlineList(): Plugin {
  return {
    name: "zoo-offline-list",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const files = Object.values(bundle).filter(
          ({ fileName }) => !/^(weights|data)\/|^service-worker\.js$|\.map$/.test(fileName),
        );
        const shown = readdirSync(samples, { recursive: true, encoding: "utf8" })
          .filter((name) => name.endsWith(".png"))
          .map((name) => `samples/${name.replaceAll("\\", "/")}`);
        const version = createHash("sha256");
        for (const file of files) version.update(file.type === "chunk" ? file.code : file.source);
        const worker = bundle["service-worker.js"];
        if (worker?.type !== "chunk") throw new Error("the service worker was not built");
        const list = {
          version: version.digest("hex").slice(0, 12),
          files: [...files.map(({ fileName }) => fileName), ...shown],
          large: Object.keys(bundle).filter((name) => /^(weights|data)\//.test(name)),
        };
        worker.code = worker.code.replace(/(["'`])__SITE__\1/, () => JSON.stringify(JSON.stringify(list)));
      },
    },
  };
}
