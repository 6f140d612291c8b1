import { Memoirist } from 'memoirist';
import { runRouter } from '../../lib/router-child.mjs';

await runRouter({
  build(routes) {
    const router = new Memoirist();
    for (const { method, path, handler } of routes) router.add(method, path.replace('*path', '*'), handler);
    return (method, path) => router.find(method, path);
  },
  read: ({ store, params }) => ({ handler: store, params }),
});
