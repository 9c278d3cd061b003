/**
 * Lets the program hear of signals, clicks and finished files. Backends that compute while they are called settle their
 * promises at once, so that a loop of steps alone would never come back to the event loop.
 */
export function events(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve);
  });
}
