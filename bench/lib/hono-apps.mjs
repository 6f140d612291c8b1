import { Hono } from 'hono';
import { ACCEPT, CHUNK, CHUNK_COUNT, FIXED_HEADERS, HELLO, LARGE, nextRequestId, USER_AGENT } from './answers.mjs';

const text = { 'Content-Type': 'text/plain' };
const binary = { 'Content-Type': 'application/octet-stream' };

const middleware = [
  (c, next) => (c.req.method === 'TRACE' ? c.body(null, 405) : next()),
  (c, next) => (c.req.path.startsWith('/admin') ? c.body(null, 403) : next()),
  (c, next) => (c.req.header('host') === undefined ? c.body(null, 400) : next()),
];

/** The rows of core, by Hono: each puts its routes into an application. */
const apps = {
  hello: (server) => server.get('/', (c) => c.body(HELLO, 200, text)),

  middleware(server) {
    for (const pass of middleware) server.use(pass);
    apps.hello(server);
  },

  async: (server) =>
    server.get('/', async (c) => {
      await null;
      if (c.req.header('user-agent') !== USER_AGENT || c.req.header('accept') !== ACCEPT) return c.body(null, 400);
      return c.body(HELLO, 200, text);
    }),

  post: (server) => server.post('/', async (c) => c.body(await c.req.arrayBuffer(), 200, binary)),

  headers(server) {
    const fixed = Object.fromEntries(FIXED_HEADERS);
    server.get('/', (c) => c.body(HELLO, 200, { ...fixed, 'X-Request-Id': nextRequestId() }));
  },

  large: (server) => server.get('/', (c) => c.body(LARGE, 200, binary)),

  stream: (server) => server.get('/', (c) => c.body(countedStream(), 200, binary)),

  upload: (server) =>
    server.post('/', async (c) => {
      let size = 0;
      for await (const part of c.req.raw.body) size += part.length;
      return c.body(String(size), 200, text);
    }),
};

function countedStream() {
  let left = CHUNK_COUNT;
  return new ReadableStream({
    pull(controller) {
      if (left === 0) return controller.close();
      left -= 1;
      controller.enqueue(CHUNK);
    },
  });
}

/** The application of a row. */
export function createApp(row) {
  const app = new Hono();
  apps[row](app);
  return app;
}

export const rows = Object.fromEntries(Object.keys(apps).map((row) => [row, row]));
