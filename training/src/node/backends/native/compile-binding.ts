import { mkdir, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { oneLine } from "../one-line.ts";
import type { Progress } from "../types.ts";
import { bindingPath, librariesPath, libraryNames, stderrPath, tfjsNodeVersion } from "./layout.ts";
import { runCommand } from "./run-command.ts";

const require = createRequire(import.meta.url);

/** Moves stderr to another file descriptor and back, see quiet-load.ts. */
const stderrSource = `
#include <node_api.h>
#include <unistd.h>

static napi_value Redirect(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument, result;
  int32_t target = -1;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  napi_get_value_int32(env, argument, &target);
  const int saved = dup(2);
  if (saved >= 0) dup2(target, 2);
  napi_create_int32(env, saved, &result);
  return result;
}

static napi_value Restore(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  int32_t saved = -1;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  napi_get_value_int32(env, argument, &saved);
  if (saved >= 0) {
    dup2(saved, 2);
    close(saved);
  }
  return nullptr;
}

extern "C" NAPI_MODULE_EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_property_descriptor functions[] = {
      {"redirect", nullptr, Redirect, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"restore", nullptr, Restore, nullptr, nullptr, nullptr, napi_default, nullptr},
  };
  napi_define_properties(env, exports, 2, functions);
  return exports;
}
`;

/** The folder of the npm package tfjs-node, whose C++ sources and JavaScript half are used; its install script is not. */
export function tfjsNodeFolder(): string {
  let manifest: string;
  try {
    manifest = require.resolve("@tensorflow/tfjs-node/package.json");
  } catch {
    throw new Error(
      `the npm package @tensorflow/tfjs-node is missing: npm install --ignore-scripts @tensorflow/tfjs-node@${tfjsNodeVersion}`,
    );
  }
  return dirname(manifest);
}

/** The C++ compiler that answers first: $CXX, c++, g++, clang++. @throws Error with one line when there is none */
export async function findCompiler(): Promise<string> {
  const candidates = [process.env.CXX, "c++", "g++", "clang++"].filter((name): name is string => Boolean(name));
  for (const candidate of candidates) {
    const { code } = await runCommand(candidate, ["--version"], { timeoutMs: 20_000 });
    if (code === 0) return candidate;
  }
  throw new Error("no C++ compiler (c++, g++ or clang++): install one (Debian, Ubuntu: sudo apt install g++)");
}

/** The first error line of a compiler's output. */
export function compilerFailure(compiler: string, stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim());
  const line = lines.find((text) => /\berror\b/i.test(text)) ?? lines.filter(Boolean).at(-1) ?? "no message";
  return oneLine(`${compiler}: ${line}`);
}

/** Runs the compiler and makes sure that it left something behind. @throws with its first error in one line */
export async function build(compiler: string, target: string, args: string[]): Promise<void> {
  const result = await runCommand(compiler, args, { timeoutMs: 10 * 60_000 });
  if (result.failure === "timeout") throw new Error(`${compiler} took longer than ten minutes`);
  if (result.code !== 0) throw new Error(compilerFailure(compiler, result.stderr));
  const bytes = await stat(target).then(
    ({ size }) => size,
    () => 0,
  );
  if (bytes === 0) throw new Error(`${compiler} left no ${basename(target)} behind`);
}

/**
 * Compiles tfjs-node's Node-API binding against TensorFlow's library. Neither node-gyp nor Node's
 * own headers are needed, and the result suits every Node from 12.19 on.
 *
 * @param compiler the program to call
 * @param folder the set-up folder: holds deps/lib, gets lib/napi-v8/tfjs_binding.node and a helper beside it
 * @param include the wheel's headers
 * @throws with the compiler's first error in one line
 */
export async function compileBinding(
  compiler: string,
  folder: string,
  include: string,
  progress?: Progress,
): Promise<void> {
  const label = "Compiling the TensorFlow binding";
  progress?.({ label, done: 0, total: 1, unit: "items" });
  const source = tfjsNodeFolder();
  const headers: { include_dir: string } = require("node-api-headers");
  const target = join(folder, bindingPath);
  await mkdir(dirname(target), { recursive: true });
  const libraries = libraryNames.map((name) => join(folder, librariesPath, name));
  const common = ["-std=c++17", "-O2", "-shared", "-fPIC", "-DNAPI_VERSION=8", "-w"];
  const includes = [source, include, headers.include_dir].flatMap((path) => ["-I", path]);
  await build(compiler, target, [
    ...common,
    ...includes,
    join(source, "binding", "tfjs_backend.cc"),
    join(source, "binding", "tfjs_binding.cc"),
    ...["-o", target],
    ...libraries,
    "-Wl,-rpath,$ORIGIN/../../deps/lib",
  ]);
  const stderr = join(include, "stderr.cc");
  await writeFile(stderr, stderrSource);
  const stderrTarget = join(folder, stderrPath);
  await build(compiler, stderrTarget, [...common, ...includes, stderr, "-o", stderrTarget]);
  progress?.({ label, done: 1, total: 1, unit: "items" });
}
