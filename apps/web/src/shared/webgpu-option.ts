import { askForWebgpu, type Webgpu } from "./backend.ts";
import { byId } from "./dom.ts";

/** Offers WebGPU in #backend where this browser has it, and says in #webgpu-note where it has not. */
export async function offerWebgpu(): Promise<Webgpu> {
  const webgpu = await askForWebgpu();
  const { missing } = webgpu;
  for (const option of byId<HTMLSelectElement>("backend").options) {
    if (option.value === "webgpu") option.disabled = missing !== undefined;
  }
  byId("webgpu-note").hidden = missing === undefined;
  if (missing !== undefined) byId("webgpu-note").textContent = `${missing}: WebAssembly computes instead.`;
  return webgpu;
}
