import { join } from "node:path";

/** The release of TensorFlow whose library the wheel brings, and of the npm package whose binding drives it. */
export const tensorflowVersion = "2.21.0";
export const tfjsNodeVersion = "4.22.0";
/** In a folder's name: whatever TensorFlow tfjs-node's own install script downloads (2.5 to 2.9, by platform). */
export const bundledTensorflow = "bundled";

/** Where, inside a set-up folder, the binding lies. The libraries lie in deps/lib, which its run path names. */
export const bindingPath = join("lib", "napi-v8", "tfjs_binding.node");
/** A helper of ours beside it, where the binding was compiled here; see quiet-load.ts. */
export const stderrPath = join("lib", "napi-v8", "stderr.node");
export const librariesPath = join("deps", "lib");
export const libraryNames = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"] as const;

/** The folder that holds every set-up of the native backend. */
export function nativeRoot(cache: string): string {
  return join(cache, "native");
}

/** A finished set-up's folder. It holds everything or does not exist. */
export function nativeFolder(cache: string, tensorflow: string): string {
  const name = `tensorflow-${tensorflow}-tfjs-node-${tfjsNodeVersion}-${process.platform}-${process.arch}`;
  return join(nativeRoot(cache), name);
}
