import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["tfjs-zoo-source"] },
  ssr: { resolve: { conditions: ["tfjs-zoo-source"] } },
  // What a page or a server does may take a while on a busy machine.
  test: {
    globalSetup: "build-first.ts",
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000 } },
    pool: "forks",
    maxWorkers: 2,
  },
});
