// Sums the JSON reports that vitest left in the packages, and prints "N passed, N failed".
//   node .ci/count-tests.mjs FILE [--clear] [--status N]
// FILE is the report's path in each package. --clear removes the reports instead. Where the run ended with another
// --status than 0 and no report says why, that counts as one failure.
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { clear: { type: "boolean" }, status: { type: "string", default: "0" } },
});

const { workspaces } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const packages = workspaces.flatMap((pattern) =>
  pattern.endsWith("/*")
    ? readdirSync(join(root, pattern.slice(0, -2))).map((name) => join(pattern.slice(0, -2), name))
    : [pattern],
);
const reports = packages.map((folder) => join(root, folder, positionals[0])).filter((path) => existsSync(path));

if (values.clear) {
  for (const path of reports) rmSync(path);
} else {
  let passed = 0;
  let failed = 0;
  for (const path of reports) {
    const report = JSON.parse(readFileSync(path, "utf8"));
    // A file that could not even be loaded has no failed test.
    const unloaded = report.testResults.filter(
      ({ status, assertionResults }) =>
        status === "failed" && !assertionResults.some((assertion) => assertion.status === "failed"),
    );
    passed += report.numPassedTests;
    failed += report.numFailedTests + unloaded.length;
  }
  if (values.status !== "0" && failed === 0) failed = 1;
  console.log(`${passed} passed, ${failed} failed`);
}
