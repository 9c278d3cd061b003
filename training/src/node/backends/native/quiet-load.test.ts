import { expect, it } from "vitest";
import { withoutChatter } from "./quiet-load.ts";

it("keeps everything but TensorFlow's greeting", () => {
  const greeting = [
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "I0000 00:00:1795315179.923658   11837 port.cc:153] oneDNN custom operations are on. You may see slightly different",
  ];
  expect(withoutChatter(`${greeting.join("\n")}\n`)).toBe("");
  expect(withoutChatter(`${greeting.join("\n")}\nF0000 this processor lacks AVX\n`)).toBe(
    "F0000 this processor lacks AVX\n",
  );
});
