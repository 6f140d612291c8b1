/** Fetch handlers that run in threads of an executor. */
import { Hono } from 'hono';
import { fromFetch } from '../../src/adapters/index.js';

const hono = new Hono();
hono.get('/thread/hello', (c) => c.text(`Hello ${c.req.query('name')} at ${new URL(c.req.url).pathname}`));
hono.post('/thread/echo', async (c) =>
  c.body(await c.req.arrayBuffer(), 201, { 'x-type': c.req.header('content-type') ?? '' }),
);
hono.get('/thread/stream', () => new Response(countTo(2000)));
hono.get('/thread/cookies', () => {
  const headers = new Headers([
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
  ]);
  return new Response(null, { status: 204, headers });
});

/** Lines of numbers. */
function countTo(last: number): ReadableStream {
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(new TextEncoder().encode(`${next}\n`));
      next += 1;
      if (next === last) controller.close();
    },
  });
}

export default fromFetch(hono as never);
