export type Backend = "wasm" | "webgpu";

export const backendTitle = { wasm: "WebAssembly", webgpu: "WebGPU" } as const;
