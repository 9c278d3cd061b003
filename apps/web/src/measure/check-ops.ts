import "@tensorflow/tfjs-backend-cpu"; // where the stock oracle runs
import { checkGradients, checkNames } from "@tfjs-zoo/models/testing";
import { type Backend, startBackend } from "../shared/backend.ts";
import type { Checked } from "./protocol.ts";

/**
 * Checks every op's value and gradients in this browser, as `npm run gradcheck` does in Node.
 *
 * @throws InputError where this browser has not got the backend
 */
export async function* checkOps(
  backend: Backend,
): AsyncGenerator<{ checked: Checked; done: number; total: number }, void> {
  await startBackend(backend);
  for (const [i, op] of checkNames.entries()) {
    const checked: Checked = { op, worst: 0, wrong: [] };
    for await (const { oracle, order, case: name, maxError, ok, reason } of checkGradients({ backend, ops: [op] })) {
      checked.worst = Math.max(checked.worst, maxError);
      if (!ok) checked.wrong.push(`${name} beside ${oracle}, order ${order}: ${reason}`);
    }
    yield { checked, done: i + 1, total: checkNames.length };
  }
}
