/** What WebGPU says about an adapter. */
export interface AdapterInfo {
  vendor?: string;
  architecture?: string;
  device?: string;
  description?: string;
  isFallbackAdapter?: boolean;
}

/** What stands behind the name of an adapter that is no graphics card. */
const SOFTWARE = "a software adapter";

/** Whether an adapter computes on the processor: SwiftShader, Mesa's llvmpipe and lavapipe, Windows' WARP. */
export function isSoftwareAdapter(info: AdapterInfo): boolean {
  if (info.isFallbackAdapter) return true;
  const text = [info.vendor, info.architecture, info.device, info.description].join(" ");
  return /swiftshader|llvmpipe|lavapipe|softpipe|software|\bcpu\b|basic render|\bwarp\b/i.test(text);
}

/** An adapter in words: its description, else what else it says. */
export function adapterText(info: AdapterInfo): string {
  return (
    info.description || [info.vendor, info.architecture, info.device].filter(Boolean).join(" ") || "unnamed adapter"
  );
}

/** What a backend on an adapter runs on, for results: the adapter in words, and whether it is none of a graphics card. */
export function deviceText(info: AdapterInfo): string {
  return `${adapterText(info)}${isSoftwareAdapter(info) ? `, ${SOFTWARE}` : ""}`;
}

/** Whether a device, as `deviceText` has it, computes on the processor. */
export const isSoftwareDevice = (device: string): boolean => device.endsWith(SOFTWARE);
