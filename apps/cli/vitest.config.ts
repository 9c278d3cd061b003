import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["tfjs-zoo-source"] },
  ssr: { resolve: { conditions: ["tfjs-zoo-source"] } },
  test: { testTimeout: 60_000, hookTimeout: 120_000, pool: "forks", maxWorkers: 2 },
});
