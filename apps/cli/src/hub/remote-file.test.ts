import { afterEach, expect, it, vi } from "vitest";
import { UsageError } from "../context.ts";
import { hosted } from "./hosted.ts";
import { remoteFile } from "./remote-file.ts";

afterEach(() => vi.unstubAllEnvs());

it.each<[string, string, string, string]>([
  [
    "hf:timm/resnet18.a1_in1k",
    "https://hub/timm/resnet18.a1_in1k/resolve/main/model.safetensors",
    "model.safetensors",
    "resnet18.a1_in1k",
  ],
  ["hf:a/b/sub/my weights.pt", "https://hub/a/b/resolve/main/sub/my%20weights.pt", "my-weights.pt", "b"],
  ["hf:a/b/?x=#y", "https://hub/a/b/resolve/main/%3Fx%3D%23y", "x-y", "b"],
  [
    "https://host/x/net-12345678.pth?a=../b",
    "https://host/x/net-12345678.pth?a=../b",
    "net-12345678.pth",
    "net-12345678",
  ],
  ["https://host", "https://host/", "weights", "weights"],
  ["https://host/..%2F..%2F%00%0A%F0%9F%98%80.pt", "https://host/..%2F..%2F%00%0A%F0%9F%98%80.pt", "pt", "pt"],
  ["https://host/%E0%A4%A.pt", "https://host/%E0%A4%A.pt", "E0-A4-A.pt", "E0-A4-A"],
])("%j is %s, kept as %s, and named %s", (address, url, file, title) => {
  vi.stubEnv("HF_ENDPOINT", "https://hub/");
  expect(remoteFile(address)).toEqual({ url, file, title, isOnHub: address.startsWith("hf:") });
});

it.each([
  "hf:a",
  "hf:a/",
  "hf:../b",
  "hf:a/..",
  "hf:a/b/../c",
  "hf:a/b//c",
  "hf:a/b%x",
  "ftp://a/b",
  "file:///etc/passwd",
  "a/b",
  "",
])("%j is nothing that can be fetched", (address) => {
  expect(() => remoteFile(address)).toThrow(UsageError);
});

it("all that the zoo knows to be hosted comes by https", () => {
  expect(hosted.size).toBeGreaterThan(30);
  for (const { name, model, address } of hosted.values()) {
    expect(name.startsWith(`${model}.`)).toBe(true);
    expect(remoteFile(address).url).toMatch(/^https:/);
  }
});
