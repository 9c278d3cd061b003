import { siteUrl } from "./dom.ts";

/** Has the site kept on this device, so that it opens without a network. */
export async function keepOffline(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register(siteUrl("service-worker.js"), { scope: siteUrl("") });
  } catch {
    return; // not a secure address, or switched off: the site works, but not offline
  }
  await keepFiles(performance.getEntriesByType("resource").map(({ name }) => name));
}

/** Has files kept that were fetched before the service worker was there, by a worker of the page for one. */
export async function keepFiles(urls: readonly string[]): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  const { active } = await navigator.serviceWorker.ready;
  active?.postMessage(urls);
}
