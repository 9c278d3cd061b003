import { expect, it } from "vitest";
import { crc32, crc32c } from "./crc.ts";

it("agrees with the check values of the CRC catalogue", () => {
  const digits = Buffer.from("123456789");
  expect(crc32(digits)).toBe(0xcbf43926);
  expect(crc32c(digits)).toBe(0xe3069283);
  expect(crc32c(digits.subarray(0, 4), digits.subarray(4))).toBe(0xe3069283);
});

it("agrees with RFC 3720, B.4", () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
});
