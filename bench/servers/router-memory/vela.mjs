import { parsePattern } from '../../../.modules/router/path-pattern.js';
import { PathTree } from '../../../.modules/router/path-tree.js';
import { runRouter } from '../../lib/router-child.mjs';

const isStrict = process.argv[3] === 'strict';
const policy = { sensitive: isStrict, trailing: !isStrict };

await runRouter({
  holdsMixed: true,
  build(routes) {
    const trees = new Map();
    for (const [order, { method, path, handler }] of routes.entries()) {
      if (!trees.has(method)) trees.set(method, new PathTree(policy));
      trees.get(method).add(parsePattern(path), handler, order);
    }
    return (method, path) => trees.get(method)?.find(path);
  },
  read: ({ value, params }) => ({ handler: value, params }),
});
