import { TrieRouter } from 'hono/router/trie-router';
import { runRouter } from '../../lib/router-child.mjs';

await runRouter({
  build(routes) {
    const router = new TrieRouter();
    for (const { method, path, handler } of routes) router.add(method, path.replace('*path', ':path{.+}'), handler);
    return (method, path) => router.match(method, path)[0][0];
  },
  read: ([handler, params]) => ({ handler, params }),
});
