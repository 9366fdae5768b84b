// Keeps the page for when there is no network. Every build has a version, and a copy, of its own.

const OURS = "resnet-spec-playground-"; // others may have copies at the same address
const VERSION = OURS + "$version";
const FILES = $files;

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(drop()));
self.addEventListener("fetch", (event) => {
  if (event.request.method === "GET") event.respondWith(kept(event.request));
});

async function keep() {
  const copy = await caches.open(VERSION);
  const fresh = ["./", ...FILES].map((name) => new Request(name, { cache: "no-cache" }));
  await copy.addAll(fresh);
}

/** Drop the copies of earlier builds. */
async function drop() {
  const ours = (await caches.keys()).filter((name) => name.startsWith(OURS));
  const earlier = ours.filter((name) => name !== VERSION);
  await Promise.all(earlier.map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function kept(request) {
  const copy = await caches.open(VERSION);
  const found = await copy.match(request, { ignoreSearch: true });
  return found ?? fetch(request);
}
