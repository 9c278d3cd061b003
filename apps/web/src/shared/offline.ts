import { siteUrl } from "./dom.ts";

/** Has the site kept on this device, so that it opens without a network. */
export async function keepOffline(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register(siteUrl("service-worker.js"), { scope: siteUrl("") });
  } catch {
    return; // not a secure address, or switched off: the site works, but not offline
  }
  const { active } = await navigator.serviceWorker.ready;
  active?.postMessage(performance.getEntriesByType("resource").map(({ name }) => name));
}
