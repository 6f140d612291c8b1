import { Readable } from 'node:stream';
import Koa from 'koa';
import { ACCEPT, chunks, FIXED_HEADERS, HELLO, LARGE, LIMIT_BYTES, nextRequestId, USER_AGENT } from '../lib/answers.mjs';
import { runRow } from '../lib/child.mjs';
import { countBytes } from '../lib/count-bytes.mjs';

function answer(ctx, body, type = 'text/plain') {
  ctx.set('Content-Type', type);
  ctx.body = body;
}

const answerBytes = (ctx, body) => answer(ctx, body, 'application/octet-stream');

function refuse(ctx, status) {
  ctx.status = status;
  ctx.body = null;
}

const middleware = [
  (ctx, next) => (ctx.method === 'TRACE' ? refuse(ctx, 405) : next()),
  (ctx, next) => (ctx.path.startsWith('/admin') ? refuse(ctx, 403) : next()),
  (ctx, next) => (ctx.headers.host === undefined ? refuse(ctx, 400) : next()),
];

const apps = {
  hello: (site) => site.use((ctx) => answer(ctx, HELLO)),

  middleware(site) {
    for (const pass of middleware) site.use(pass);
    apps.hello(site);
  },

  async: (site) =>
    site.use(async (ctx) => {
      await null;
      if (ctx.headers['user-agent'] !== USER_AGENT || ctx.headers.accept !== ACCEPT) refuse(ctx, 400);
      else answer(ctx, HELLO);
    }),

  post: (site) => site.use(async (ctx) => answerBytes(ctx, await readBody(ctx.req))),

  headers: (site) =>
    site.use((ctx) => {
      for (const [name, value] of FIXED_HEADERS) ctx.set(name, value);
      ctx.set('X-Request-Id', nextRequestId());
      ctx.body = HELLO;
    }),

  large: (site) => site.use((ctx) => answerBytes(ctx, LARGE)),

  stream: (site) => site.use((ctx) => answerBytes(ctx, Readable.from(chunks()))),

  upload: (site) =>
    site.use(async (ctx) => {
      const size = await new Promise((resolve) => countBytes(ctx.req, resolve));
      answer(ctx, String(size));
    }),
};

async function readBody(req) {
  const parts = [];
  let size = 0;
  for await (const part of req) {
    size += part.length;
    if (size > LIMIT_BYTES) throw new Error('too large');
    parts.push(part);
  }
  return parts.length === 1 ? parts[0] : Buffer.concat(parts, size);
}

function listen(app) {
  const site = new Koa();
  app(site);
  return new Promise((resolve) => {
    const server = site.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
}

await runRow(apps, listen);
