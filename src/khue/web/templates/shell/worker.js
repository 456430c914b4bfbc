{% load static %}// Keeps one page and its style, to say that there is no network; everything else goes to the server.
const KEPT = "khue-offline-{% static 'build/khue.css' %}";
self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(["{% url 'offline' %}", "{% static 'build/khue.css' %}", "{% static 'build/mark.svg' %}"])).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => {
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter((name) => name !== KEPT).map((name) => caches.delete(name)))).then(() => self.clients.claim()));
});
self.addEventListener("fetch", (event) => {
  if (event.request.mode !== "navigate" || event.request.method !== "GET") return;
  event.respondWith(fetch(event.request).catch(() => caches.match("{% url 'offline' %}")));
});
