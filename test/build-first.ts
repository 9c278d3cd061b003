import { execSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** What these tests run is built; turbo has done so where it runs them (its task says that it depends on the build). */
export default function buildFirst(): void {
  if (process.env.TURBO_HASH !== undefined) return;
  const root = fileURLToPath(new URL("..", import.meta.url));
  execSync("npm run build -- --output-logs=errors-only", { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
}
