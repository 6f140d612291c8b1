/** A Koa application as many are: it knows nothing of Vela. */
import { createReadStream } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import Router from '@koa/router';
import Koa from 'koa';
import bodyParser from 'koa-bodyparser';
import compress from 'koa-compress';
import session from 'koa-session';
import serveStatic from 'koa-static';

interface Note {
  readonly id: number;
  readonly text: string;
}

const MIB = 1_048_576;
const folder = fileURLToPath(new URL('public/', import.meta.url));

export function createApp(): Koa {
  const app = new Koa({ keys: ['not a secret'] });
  app.use(compress({ threshold: 1024 }));
  app.use(sayWhatFailed);
  app.use(session({ key: 'notes', maxAge: 'session' }, app));
  app.use(bodyParser({ jsonLimit: '100kb' }));
  app.use(serveStatic(folder));
  const router = createRouter();
  app.use(router.routes());
  app.use(router.allowedMethods());
  return app;
}

function createRouter(): Router {
  const notes = new Map<number, Note>();
  const router = new Router();
  router.get('/notes', (ctx) => {
    ctx.body = [...notes.values()];
  });
  router.post('/notes', (ctx) => {
    const { text } = (ctx.request.body ?? {}) as { text?: unknown };
    if (typeof text !== 'string') ctx.throw(422, 'A note has a text');
    const note = { id: notes.size + 1, text: String(text) };
    notes.set(note.id, note);
    ctx.status = 201;
    ctx.set('Location', `/notes/${note.id}`);
    ctx.body = note;
  });
  router.get('/notes/:id', (ctx) => {
    const note = notes.get(Number(ctx.params.id));
    if (note === undefined) ctx.throw(404, 'No such note');
    ctx.body = note;
    ctx.set('ETag', `"${note?.id}"`);
    if (ctx.fresh) ctx.status = 304;
  });
  router.get('/visits', (ctx) => {
    if (ctx.session === null) return;
    ctx.session.visits = ((ctx.session.visits as number | undefined) ?? 0) + 1;
    ctx.body = { visits: ctx.session.visits };
  });
  router.post('/logout', (ctx) => {
    ctx.session = null;
    ctx.status = 204;
  });
  router.get('/stream', (ctx) => {
    ctx.type = 'text/plain';
    ctx.body = createReadStream(`${folder}words.txt`);
  });
  router.get('/large/:mib', (ctx) => {
    const mib = Math.min(1000, Number(ctx.params.mib) || 1);
    ctx.type = 'application/octet-stream';
    ctx.length = mib * MIB;
    ctx.body = Readable.from(pieces(mib * 16), { objectMode: false });
  });
  router.get('/events', (ctx) => {
    ctx.type = 'text/event-stream';
    ctx.compress = false;
    const events = new PassThrough();
    ctx.body = events;
    void tell(events);
  });
  router.get('/teapot', (ctx) => {
    ctx.status = 418;
    ctx.message = 'Short and stout';
    ctx.body = null;
  });
  router.get('/old', (ctx) => ctx.redirect('/notes'));
  router.get('/boom', async () => {
    throw new Error('the password is 1234');
  });
  return router;
}

function* pieces(count: number): Generator<Buffer> {
  for (let n = 0; n < count; n++) yield Buffer.alloc(65_536, n);
}

async function tell(events: PassThrough): Promise<void> {
  for (let id = 1; id <= 3 && !events.destroyed; id++) {
    events.write(`id: ${id}\ndata: ${id * id}\n\n`);
    await sleep(20);
  }
  events.end();
}

async function sayWhatFailed(ctx: Koa.Context, next: Koa.Next): Promise<void> {
  try {
    await next();
  } catch (error) {
    const { status = 500, message } = error as { status?: number; message: string };
    ctx.status = status;
    ctx.body = { status, message: status < 500 ? message : 'Something went wrong' };
  }
}
