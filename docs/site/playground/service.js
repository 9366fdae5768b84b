// Keeps the page for when there is no network. Every build has a version, and a copy, of its own.

const VERSION = "$version";
const FILES = $files;

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(drop()));
self.addEventListener("fetch", (event) => {
  if (event.request.method === "GET") event.respondWith(kept(event.request));
});

async function keep() {
  const copy = await caches.open(VERSION);
  await copy.addAll(["./", ...FILES]);
}

/** Drop the copies of earlier builds. */
async function drop() {
  const others = (await caches.keys()).filter((version) => version !== VERSION);
  await Promise.all(others.map((version) => caches.delete(version)));
  await self.clients.claim();
}

async function kept(request) {
  const copy = await caches.open(VERSION);
  const found = await copy.match(request, { ignoreSearch: true });
  return found ?? fetch(request);
}
