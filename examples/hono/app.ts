/** A Hono application as many are: it knows nothing of Vela. */
import { setTimeout as sleep } from 'node:timers/promises';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { basicAuth } from 'hono/basic-auth';
import { compress } from 'hono/compress';
import { getSignedCookie, setSignedCookie } from 'hono/cookie';
import { cors } from 'hono/cors';
import { etag } from 'hono/etag';
import { HTTPException } from 'hono/http-exception';
import { secureHeaders } from 'hono/secure-headers';
import { stream, streamSSE } from 'hono/streaming';

const SECRET = 'not a secret';

export function createApp(): Hono {
  const app = new Hono();
  app.use(secureHeaders());
  app.use('/api/*', cors({ origin: 'https://app.example', credentials: true }));
  app.use('/api/*', etag());
  app.use('/text', compress());
  app.use('/admin', basicAuth({ username: 'ann', password: 'secret' }));
  app.use(
    '/files/*',
    serveStatic({ root: 'examples/hono/public', rewriteRequestPath: (path) => path.slice(6) }),
  );

  app.get('/', (c) => c.html('<!doctype html>\n<title>Hono on Vela</title>\n<h1>Hono on Vela</h1>\n'));
  app.get('/admin', (c) => c.text('Hello ann\n'));
  app.get('/text', (c) => c.text('A line of text.\n'.repeat(200)));
  app.route('/api', createApi());
  app.get('/visits', async (c) => {
    const visits = Number((await getSignedCookie(c, SECRET, 'visits')) || 0) + 1;
    await setSignedCookie(c, 'visits', String(visits), SECRET, { httpOnly: true });
    return c.json({ visits });
  });
  app.get('/large/:mib', (c) => {
    const mib = Math.min(1000, Number(c.req.param('mib')) || 1);
    c.header('Content-Type', 'application/octet-stream');
    return stream(c, async (out) => {
      for (let n = 0; n < mib * 16 && !out.aborted; n++) await out.write(new Uint8Array(65_536).fill(n));
    });
  });
  app.get('/events', (c) =>
    streamSSE(c, async (out) => {
      for (let id = 1; id <= 3 && !out.aborted; id++) {
        await out.writeSSE({ id: String(id), data: String(id * id) });
        await sleep(20);
      }
    }),
  );
  app.get('/boom', () => {
    throw new Error('the password is 1234');
  });
  app.onError((error, c) =>
    error instanceof HTTPException
      ? error.getResponse()
      : c.json({ status: 500, message: 'Something went wrong' }, 500),
  );
  return app;
}

function createApi(): Hono {
  const api = new Hono();
  const books: { id: number; title: string }[] = [];
  api.get('/books', (c) => c.json(books));
  api.post('/books', async (c) => {
    const { title } = await c.req.json<{ title?: unknown }>().catch(() => ({ title: undefined }));
    if (typeof title !== 'string') throw new HTTPException(422, { message: 'A book has a title' });
    const book = { id: books.length + 1, title };
    books.push(book);
    return c.json(book, 201, { Location: `/api/books/${book.id}` });
  });
  api.post('/uploads', async (c) => {
    const { file } = await c.req.parseBody();
    if (!(file instanceof File)) throw new HTTPException(422, { message: 'Send a file' });
    return c.json({ name: file.name, type: file.type, bytes: file.size }, 201);
  });
  api.put('/echo', async (c) => c.body(await c.req.arrayBuffer()));
  api.delete('/books', (c) => {
    books.length = 0;
    return c.body(null, 204);
  });
  return api;
}
