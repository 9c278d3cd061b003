import { type BackendName, startBackend } from "@tfjs-zoo/training/node";

/**
 * Makes a backend the one in use.
 *
 * @returns whether it is here: the native one is not installed everywhere, and any other must be
 */
export async function backendStarts(backend: BackendName): Promise<boolean> {
  try {
    await startBackend(backend, { setup: false });
    return true;
  } catch (error) {
    if (backend !== "tensorflow") throw error;
    return false;
  }
}
