/** What hostile requests, route tables and programs get of the Router and what belongs to it. */
import t from 'tap';
import { type App, requestOf, WsgiHandler, WsgiResponse } from '../src/index.js';
import { compress } from '../src/middleware/index.js';
import { client } from './support/ask.js';

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
