import { RegExpRouter } from 'hono/router/reg-exp-router';
import { runRouter } from '../../lib/router-child.mjs';

await runRouter({
  build(routes) {
    const router = new RegExpRouter();
    for (const { method, path, handler } of routes) router.add(method, path.replace('*path', ':path{.+}'), handler);
    return (method, path) => {
      const [found, groups] = router.match(method, path);
      if (found.length === 0) return undefined;
      const [handler, places] = found[0];
      // It leaves the parameters in the groups of its match, and tells where.
      const params = {};
      for (const name in places) params[name] = groups[places[name]];
      return { handler, params };
    };
  },
  read: (found) => found,
});
