import { addRoute, createRouter, findRoute } from 'rou3';
import { runRouter } from '../../lib/router-child.mjs';

await runRouter({
  holdsMixed: true,
  build(routes) {
    const router = createRouter();
    for (const { method, path, handler } of routes) addRoute(router, method, path.replace('*path', '**:path'), handler);
    return (method, path) => findRoute(router, method, path);
  },
  read: ({ data, params = {} }) => ({ handler: data, params }),
});
