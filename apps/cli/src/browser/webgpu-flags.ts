import { readdirSync } from "node:fs";

/**
 * What makes a headless Chromium compute WebGPU: on the graphics card, which on Linux it uses by Vulkan alone, or on the
 * processor where there is none.
 */
export function webgpuFlags({ platform = process.platform as string, card = hasCard() } = {}): string[] {
  if (platform !== "linux") return ["--enable-unsafe-webgpu"];
  const driver = card ? ["--use-angle=vulkan", "--disable-vulkan-surface"] : ["--use-webgpu-adapter=swiftshader"];
  return ["--enable-unsafe-webgpu", "--enable-features=Vulkan", ...driver];
}

/** Whether Linux shows a card that computes: NVIDIA's, or another's render node. */
function hasCard(): boolean {
  return listed("/dev").includes("nvidia0") || listed("/dev/dri").some((name) => name.startsWith("renderD"));
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
