import findMyWay from 'find-my-way';
import { runRouter } from '../../lib/router-child.mjs';

await runRouter({
  holdsMixed: true,
  build(routes) {
    const router = findMyWay();
    for (const { method, path, handler } of routes) router.on(method, path.replace('*path', '*'), handler);
    return (method, path) => router.find(method, path);
  },
  read: ({ handler, params }) => ({ handler, params }),
});
