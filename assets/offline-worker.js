// When the server cannot be reached, a page that shows the last incidents seen in this browser. Nothing else is kept.
const KEPT = "aiops-offline-1";
const FILES = ["/offline.html", "/offline.js", "/tokens.css", "/style.css", "/icon.svg"];

self.addEventListener("install", (event) => {
  event.addRoutes?.({ condition: { urlPattern: "/assets/*" }, source: "network" }); // what a page is made of never waits for this worker
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => {
  const old = caches.keys().then((names) => Promise.all(names.filter((name) => name.startsWith("aiops-offline-") && name !== KEPT).map((name) => caches.delete(name))));
  event.waitUntil(old);
});
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate") event.respondWith(fetch(request).catch(() => caches.match("/offline.html")));
  else if (FILES.includes(new URL(request.url).pathname)) event.respondWith(fetch(request).catch(() => caches.match(request, { ignoreSearch: true })));
});
