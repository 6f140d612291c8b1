/** What hostile requests, route tables and programs get of the Router and what belongs to it. */
import t from 'tap';
import { z } from 'zod';
import { type App, Router, requestOf, SkipRoute, WsgiHandler, WsgiResponse } from '../src/index.js';
import { compress } from '../src/middleware/index.js';
import { client } from './support/ask.js';

const name = (text: string) => () => text;
const JSON_BODY = { 'content-type': 'application/json' };

t.test('of a long Accept header only the beginning is read', async (t) => {
  const far = `${'x/y,'.repeat(40)}application/json`;
  const asked: App = (environ) => {
    const request = requestOf(environ);
    return new WsgiResponse({
      content: JSON.stringify([
        request.accepts('application/json') ?? null,
        request.acceptsLanguages('de') ?? null,
        request.acceptsEncodings('gzip') ?? null,
      ]),
    });
  };
  const app = client(t, asked);
  const many = 'x,'.repeat(40);
  const headers = { accept: far, 'accept-language': `${many}de`, 'accept-encoding': `${many}gzip` };
  t.same(await (await app.get('/', { headers })).json(), [null, null, null]);
  const near = { accept: 'application/json', 'accept-language': 'de', 'accept-encoding': 'gzip' };
  t.same(await (await app.get('/', { headers: near })).json(), ['application/json', 'de', 'gzip']);

  const none = client(t, new WsgiHandler([() => undefined]));
  const page = await none.get('/', { headers: { accept: far } });
  t.equal(page.header('content-type'), 'text/plain; charset=utf-8');

  const long: App = () => new WsgiResponse({ content: 'x'.repeat(5000) });
  const packed = client(t, new WsgiHandler([long], { responseMiddleware: [compress()] }));
  t.equal(
    (await packed.get('/', { headers: { 'accept-encoding': 'gzip' } })).header('content-encoding'),
    'gzip',
  );
  const plain = await packed.get('/', { headers: { 'accept-encoding': `${many}gzip` } });
  t.equal(plain.header('content-encoding'), undefined);
});

t.test('what is wrong with a body is told in less than what was sent', async (t) => {
  const body = z.record(z.string(), z.array(z.number()));
  const router = new Router()
    .post('/route', { body }, name('ok'))
    .post('/json', async (request) => (await request.json({ schema: body })) as object);
  const app = client(t, new WsgiHandler([router]));
  // Each of the issues has the key in its place.
  const sent = JSON.stringify({ ['~/'.repeat(50_000)]: Array(200).fill('x') });
  for (const path of ['/route', '/json']) {
    const response = await app.post(path, {
      body: sent,
      headers: { ...JSON_BODY, accept: 'application/json' },
    });
    t.equal(response.status, 422);
    const { details } = (await response.json()) as { details: { path: string }[] };
    t.equal(details.length, 100);
    t.ok(
      details.every((one) => one.path.length <= 501 && one.path.endsWith('…')),
      path,
    );
  }
});

t.test('what the schemas of one route have made is not there for the next', async (t) => {
  const query = z.object({ q: z.string() });
  const router = new Router()
    .get('/none', { query, passesOn: true }, () => undefined)
    .get('/later', { query, passesOn: true }, async () => undefined)
    .get('/skip', { query, passesOn: true }, async () => {
      throw new SkipRoute();
    })
    .get('/:which', { passesOn: true }, ({ valid, params }) =>
      params.which === 'none' ? undefined : { valid },
    );
  const behind: App = (environ) =>
    new WsgiResponse({ content: JSON.stringify({ valid: requestOf(environ).valid }) });
  const app = client(t, new WsgiHandler([router, behind]));
  for (const path of ['/none', '/later', '/skip'])
    t.same(await (await app.get(`${path}?q=secret`)).json(), { valid: {} }, path);
});
