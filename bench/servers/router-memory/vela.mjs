import { parsePattern } from '../../../dist/router/path-pattern.js';
import { createRoute } from '../../../dist/router/route.js';
import { RouteTable } from '../../../dist/router/route-table.js';
import { runRouter } from '../../lib/router-child.mjs';

const isStrict = process.argv[3] === 'strict';
const policy = { sensitive: isStrict, trailing: !isStrict };

await runRouter({
  holdsMixed: true,
  build(routes) {
    const table = new RouteTable(
      routes.map(({ method, path, handler }) => createRoute([method], parsePattern(path), policy, {}, handler)),
    );
    return (method, path) => table.find(method, path);
  },
  read: ({ value, params }) => ({ handler: value.parts.at(-1), params }),
});
