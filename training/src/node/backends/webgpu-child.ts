import { oneLine } from "./one-line.ts";
import { findAdapter } from "./webgpu.ts";

/** Looks for an adapter and tells the parent what it is, or why there is none. */
const found = await findAdapter().then(
  ({ info }) => {
    // The adapter's info is a native object, which would arrive empty.
    const { vendor, architecture, device, description, isFallbackAdapter } = info;
    return { info: { vendor, architecture, device, description, isFallbackAdapter } };
  },
  (error) => ({ reason: oneLine(error) }),
);
process.send?.(found, () => process.exit(0));
