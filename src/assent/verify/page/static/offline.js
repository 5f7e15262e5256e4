// Keeps what the page needs, so that it opens without a network; the network's copy comes first.

const KEPT = "verify-page";

self.addEventListener("install", (event) => event.waitUntil(
  fetch("verify-page.json").then((answer) => answer.json()).then(({ files }) =>
    caches.open(KEPT).then((cache) => cache.addAll(["./", ...files]))).then(() => self.skipWaiting()),
));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== location.origin) return;
  event.respondWith(fetch(request).then(
    (answer) => {
      const copy = answer.clone();
      if (answer.ok) caches.open(KEPT).then((cache) => cache.put(request, copy));
      return answer;
    },
    () => caches.match(request, { ignoreSearch: true }).then((kept) => kept ?? Response.error()),
  ));
});
