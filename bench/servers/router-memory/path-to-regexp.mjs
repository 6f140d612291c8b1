import { match } from 'path-to-regexp';
import { runRouter } from '../../lib/router-child.mjs';

await runRouter({
  holdsMixed: true,
  build(routes) {
    const byMethod = new Map();
    for (const { method, path, handler } of routes) {
      if (!byMethod.has(method)) byMethod.set(method, []);
      byMethod.get(method).push({ matches: match(path), handler });
    }
    return (method, path) => {
      for (const { matches, handler } of byMethod.get(method) ?? []) {
        const found = matches(path);
        if (found) return { handler, params: found.params };
      }
      return undefined;
    };
  },
  read: (found) => found,
});
