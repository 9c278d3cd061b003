/**
 * Writes the tables of the README from what they are about: the registry, the cards of the weights that ship, the saved
 * benchmarks. With --check it writes nothing and ends with 1 when a table is stale.
 *
 *   npm run readme [-- --check]
 */
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { registry } from "@tfjs-zoo/models";
import { parseCard } from "@tfjs-zoo/models/weights";
import { replaceBlock } from "./blocks.ts";
import {
  benchmarksTable,
  comparisonText,
  type DataResult,
  type DecodeResult,
  dataText,
  decodeTable,
  type GrowthResult,
  growthTable,
  type MemoryResult,
  modelsTable,
  type PageResult,
  pageText,
  precisionText,
  resultsTable,
  runText,
  type SpeedrunResult,
  samplesTable,
  speedrunTable,
  type TrainResult,
} from "./tables.ts";

/** Where the reports of comparisons that we publish are, a folder each; and of the same in several precisions. */
const COMPARISONS = "test/bench/comparisons";
const PRECISIONS = "test/bench/precisions";

/** The run whose report the README shows: its files that say how it was made, and what it reached. */
const RUN = "test/readme/run";

/** The text of each block, by name. */
export type Blocks = ReadonlyMap<string, string>;

/** The blocks from the files of a checkout. */
export async function collectBlocks(root: string): Promise<Blocks> {
  const order = [...registry.keys()];
  const place = (name: string) => order.indexOf(name);
  const cards = await readAll(join(root, "models/pretrained"), "card.json", parseCard);
  const benches = await readAll(join(root, "test/bench/results"), "", (json) => JSON.parse(json));
  const trains = benches.filter((result): result is TrainResult => "ours" in result);
  const memories = benches.filter((result): result is MemoryResult => "rss_mb" in result);
  const byModel = (a: { model: string }, b: { model: string }) => place(a.model) - place(b.model);
  return new Map([
    ["models", modelsTable([...registry.values()])],
    ["results", resultsTable(cards.sort(byModel))],
    [
      "comparison",
      comparisonText(await readAll(join(root, COMPARISONS), "comparison.json", (json) => JSON.parse(json))),
    ],
    ["precisions", precisionText(await readAll(join(root, PRECISIONS), "comparison.json", (json) => JSON.parse(json)))],
    ["samples", samplesTable(await readAll(join(root, "test/bench/samples"), "", (json) => JSON.parse(json)))],
    ["run", await readRun(join(root, RUN))],
    ["decoding", decodeTable(benches.filter((result): result is DecodeResult => "decode" in result))],
    ["data", dataText(benches.filter((result): result is DataResult => "wait_ms" in result))],
    ["growth", growthTable(benches.filter((result): result is GrowthResult => "growth" in result))],
    ["page", pageText(benches.filter((result): result is PageResult => "kept_ms" in result))],
    ["speedrun", speedrunTable(benches.filter((result): result is SpeedrunResult => "seeds" in result))],
    ["benchmarks", benchmarksTable(trains.sort(byModel), memories.sort(byModel))],
  ]);
}

/**
 * Reads each JSON file of a folder and of those in it, or FILE in each of its folders, in the order of their names; errors
 * name theirs.
 */
async function readAll<T>(folder: string, file: string, parse: (json: string) => T): Promise<T[]> {
  const names = (await readdir(folder, { recursive: file === "" }).catch(() => [] as string[])).sort();
  const paths = file
    ? names.filter((name) => !/^\.|\.tmp$/.test(name))
    : names.filter((name) => name.endsWith(".json"));
  return Promise.all(
    paths.map(async (name) => {
      const path = join(folder, name, file);
      try {
        return parse(await readFile(path, "utf8"));
      } catch (error) {
        throw new Error(`${path}: ${(error as Error).message}`);
      }
    }),
  );
}

async function readRun(folder: string): Promise<string> {
  if (!existsSync(folder)) return "No run is shown yet.";
  const read = async (file: string) => JSON.parse(await readFile(join(folder, file), "utf8"));
  const { model } = await read("config.json");
  return runText({ ...(await read("result.json")), model, environment: await read("env.json") });
}

/**
 * Fills the blocks of a README.
 *
 * @param check only compare
 * @returns the names of the blocks that were stale
 * @throws Error in one line when a block's marks are missing
 */
export async function updateReadme(path: string, blocks: Blocks, { check = false } = {}): Promise<string[]> {
  const before = await readFile(path, "utf8");
  const stale = [...blocks].filter(([name, body]) => replaceBlock(before, name, body) !== before).map(([name]) => name);
  if (stale.length > 0 && !check) {
    await writeFile(
      path,
      [...blocks].reduce((text, [name, body]) => replaceBlock(text, name, body), before),
    );
  }
  return stale;
}

async function main(): Promise<void> {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const unknown = process.argv.slice(2).filter((arg) => arg !== "--check");
  if (unknown.length > 0) throw new Error(`unknown argument ${unknown[0]}: expected nothing or --check`);
  const check = process.argv.includes("--check");
  const readme = join(root, "README.md");
  const stale = await updateReadme(readme, await collectBlocks(root), { check });
  if (check && stale.length > 0) throw new Error(`${basename(readme)} is stale in ${stale.join(", ")}: npm run readme`);
  process.stdout.write(stale.length === 0 ? "README.md is up to date\n" : `wrote ${stale.join(", ")}\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  main().catch((error: Error) => {
    process.stderr.write(`error: ${error.message}\n`);
    process.exitCode = 1;
  });
}
