/**
 * The servers of the table, in its order. `packages` are those whose versions it states; `rows` limits a variant to
 * the rows where it differs; `args` are handed to the server's file.
 */
export const servers = [
  { id: 'vela', title: 'vela', file: 'vela.mjs' },
  {
    id: 'vela-declared',
    title: 'vela, declared headers',
    file: 'vela.mjs',
    rows: ['async'],
    args: ['declared-headers'],
  },
  { id: 'raw', title: 'raw uWebSockets.js', file: 'raw.mjs', packages: ['uWebSockets.js'] },
  { id: 'hyper-express', title: 'hyper-express', file: 'hyper-express.mjs', packages: ['hyper-express'] },
  { id: 'ultimate-express', title: 'ultimate-express', file: 'ultimate-express.mjs', packages: ['ultimate-express'] },
  { id: 'fastify', title: 'fastify', file: 'fastify.mjs', packages: ['fastify'] },
  { id: 'hono', title: 'hono on node-server', file: 'hono.mjs', packages: ['hono', '@hono/node-server'] },
  { id: 'node', title: 'node:http', file: 'node.mjs' },
].map((server) => ({ args: [], packages: [], ...server }));
