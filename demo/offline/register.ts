/**
 * Makes the built page work without network once a picture was read under the service worker, which a first visit starts. Not on localhost: a developer's next page there would be
 * answered by this one when its server is down.
 */
export function workOffline(): void {
  if (!import.meta.env.PROD || location.hostname === 'localhost' || !('serviceWorker' in navigator)) return;
  const address = new URL('service-worker.js', document.baseURI);
  navigator.serviceWorker.register(address).catch((error: unknown) => {
    console.warn(`The page will not work without network: ${String(error)}`);
  });
}
