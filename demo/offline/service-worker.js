// Keeps the files of the page, as they come, so that it also works without network. What the network has goes first: there
// is nothing stale. Before this text the build puts `build`, a hash of all files, `files`, what there is, and `start`, what
// to fetch ahead (offline/plugin.ts).

const prefix = `kinglet-demo ${registration.scope} `;
const cacheName = prefix + build;
const addresses = new Set(files.map((file) => new URL(file, registration.scope).href));

addEventListener('install', (event) => {
  skipWaiting();
  const requests = start.map((file) => new Request(file, { cache: 'no-cache' }));
  event.waitUntil(caches.open(cacheName).then((cache) => cache.addAll(requests)));
});

addEventListener('activate', (event) => {
  const removeOthers = async () => {
    const names = await caches.keys();
    const others = names.filter((name) => name.startsWith(prefix) && name !== cacheName);
    await Promise.all(others.map((name) => caches.delete(name)));
    await clients.claim();
  };
  event.waitUntil(removeOthers());
});

async function answer(event) {
  const { request } = event;
  const cache = await caches.open(cacheName);
  const kept = await cache.match(request, { ignoreVary: true });
  let response;
  try {
    response = await fetch(request);
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
  const isNew = !kept || kept.headers.get('etag') !== response.headers.get('etag');
  // The page itself is kept as of this build, with the scripts that belong to it.
  // A page in the place of another file is a network's own, which wants a sign-in.
  const isPage = response.headers.get('content-type')?.startsWith('text/html');
  if (isNew && response.ok && !response.redirected && !isPage && request.mode !== 'navigate') {
    event.waitUntil(cache.put(request, response.clone()));
  }
  return response;
}

addEventListener('fetch', (event) => {
  const { method, url } = event.request;
  if (method === 'GET' && addresses.has(url)) event.respondWith(answer(event));
});
