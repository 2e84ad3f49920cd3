// A server on this machine whose answers the tests choose.
import { createServer } from 'node:http';

/**
 * Serves `routes`: path to `(request, response) => void`. Resolves to `{url(path), requests, close()}`; `requests` counts
 * by path.
 */
export async function serve(routes) {
  const requests = {};
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    requests[pathname] = (requests[pathname] ?? 0) + 1;
    const route = routes[pathname];
    if (route) return route(request, response);
    response.writeHead(404, { 'content-type': 'text/plain' }).end('not here');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    requests,
    url: (path) => `http://127.0.0.1:${server.address().port}${path}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
