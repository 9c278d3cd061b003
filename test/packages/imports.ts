import { readdir, readFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { basename, join, relative, resolve, sep } from "node:path";

/** What the files of some folders must not import. */
export interface Boundary {
  /** folders or files below the root */
  of: readonly string[];
  /** folders below these, by name, that the rule leaves out */
  except?: readonly string[];
  /** Says whether a package (`sharp`, `@tfjs-zoo/training/node`) or a file below the root is out of bounds. */
  forbids: { module(specifier: string): boolean; file(path: string): boolean };
}

export interface Violation {
  file: string;
  specifier: string;
}

const builtins = new Set(builtinModules);

/** Whether a module exists only in Node: a built-in one, or a package with native code. */
export function isNodeOnly(specifier: string): boolean {
  const name = specifier.replace(/^(@[^/]+\/[^/]+|[^/]+).*/, "$1");
  return (
    specifier.startsWith("node:") ||
    builtins.has(name) ||
    ["sharp", "webgpu", "yauzl", "node-api-headers", "@tensorflow/tfjs-node", "@tensorflow/tfjs-node-gpu"].includes(
      name,
    )
  );
}

/**
 * The modules that a source names, types included. Doc comments and whole-line comments are left out; a string that
 * reads like an import counts as one.
 */
export function importsOf(source: string): string[] {
  const code = source.replace(/^\s*\/\*[\s\S]*?\*\//gm, "").replace(/^\s*\/\/.*$/gm, "");
  const imports = /\b(?:from|import|require|importScripts)\s*\(?\s*(["'`])([^"'`\n]+)\1/g;
  return [...code.matchAll(imports)].map((match) => match[2]);
}

/** Every import in a boundary's files that crosses it; tests are free. */
export async function findViolations(root: string, { of, except = [], forbids }: Boundary): Promise<Violation[]> {
  const violations: Violation[] = [];
  for (const file of (await Promise.all(of.map((path) => sourcesIn(join(root, path), except)))).flat()) {
    for (const specifier of importsOf(await readFile(file, "utf8"))) {
      const crosses = specifier.startsWith(".")
        ? forbids.file(
            relative(root, resolve(file, "..", specifier))
              .split(sep)
              .join("/"),
          )
        : forbids.module(specifier);
      if (crosses) violations.push({ file: relative(root, file), specifier });
    }
  }
  return violations;
}

/** The TypeScript sources in a folder, without tests; of a file, itself. */
async function sourcesIn(path: string, except: readonly string[]): Promise<string[]> {
  if (path.endsWith(".ts")) return [path];
  const entries = await readdir(path, { withFileTypes: true });
  const nested = entries.map((entry) => {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) return except.includes(entry.name) ? [] : sourcesIn(inner, except);
    const name = basename(inner);
    return /\.[cm]?ts$/.test(name) && !/\.test\.ts$|^test-/.test(name) ? [inner] : [];
  });
  return (await Promise.all(nested)).flat();
}
