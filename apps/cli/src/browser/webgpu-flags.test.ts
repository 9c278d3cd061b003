import { expect, it } from "vitest";
import { webgpuFlags } from "./webgpu-flags.ts";

it.each([
  ["linux", true, "--use-angle=vulkan", "swiftshader"],
  ["linux", false, "--use-webgpu-adapter=swiftshader", "angle"],
  ["darwin", true, "--enable-unsafe-webgpu", "Vulkan"],
])("on %s, with a card: %s, it has %s and nothing of %s", (platform, card, has, not) => {
  const flags = webgpuFlags({ platform, card });
  expect(flags).toContain(has);
  expect(flags.join()).not.toContain(not);
});
