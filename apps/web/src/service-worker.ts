/**
 * Keeps the site on the device: its pages, scripts and samples when it is first opened, weights and data sets when they
 * are first used. File names carry a hash of what is in them, so nothing that is kept gets stale. A new version of the site
 * takes over when no page of the old one is open any more.
 */
const worker = self as unknown as ServiceWorkerGlobalScope;

/** The build puts a JSON text here. */
const site: { version: string; files: string[]; large: string[] } = JSON.parse("__SITE__");
const pages = `zoo-site-${site.version}`;
const large = "zoo-large-files";

worker.addEventListener("install", (event) => {
  event.waitUntil(keepSite());
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(forgetOld().then(() => worker.clients.claim()));
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method === "GET" && new URL(request.url).origin === worker.location.origin) {
    event.respondWith(answer(request));
  }
});

/** A page names what it fetched before this worker was there. */
worker.addEventListener("message", (event) => {
  const urls: unknown = event.data;
  if (!Array.isArray(urls)) return;
  const mine = urls.filter((url): url is string => typeof url === "string" && isLarge(url));
  event.waitUntil(
    Promise.all(mine.map((url) => keepLarge(url))).then(() => event.source?.postMessage({ kept: mine.length })),
  );
});

const isLarge = (url: string): boolean => {
  const scope = worker.registration.scope;
  return url.startsWith(`${scope}weights/`) || url.startsWith(`${scope}data/`);
};

async function keepSite(): Promise<void> {
  const cache = await caches.open(pages);
  await cache.addAll(
    site.files.map((file) => new Request(new URL(file, worker.registration.scope), { cache: "no-cache" })),
  );
}

async function keepLarge(url: string): Promise<void> {
  const cache = await caches.open(large);
  if (await cache.match(url, { ignoreVary: true })) return;
  const response = await fetch(url).catch(() => undefined);
  if (response?.ok) await cache.put(url, response);
}

async function forgetOld(): Promise<void> {
  for (const name of await caches.keys()) {
    if (name.startsWith("zoo-site-") && name !== pages) await caches.delete(name);
  }
  const cache = await caches.open(large);
  const wanted = new Set(site.large.map((file) => new URL(file, worker.registration.scope).href));
  for (const request of await cache.keys()) if (!wanted.has(request.url)) await cache.delete(request);
}

async function answer(request: Request): Promise<Response> {
  const url = new URL(request.url);
  if (url.pathname.endsWith("/")) url.pathname += "index.html";
  const address = url.origin + url.pathname;
  const kept = await caches.match(address, { ignoreVary: true });
  if (kept) return kept;
  const response = await fetch(request);
  if (response.status === 200 && isLarge(address)) {
    const cache = await caches.open(large);
    await cache.put(address, response.clone()).catch(() => undefined); // no room: it is fetched again next time
  }
  return response;
}
