/**
 * A server whose requests tell what they leave: `node --expose-gc --no-opt scavenged.mjs`. `/used` is how many bytes its heap
 * has after a scavenge, and `/clean` after a full collection.
 */
import { readForm, readJson, serve, WsgiHandler } from 'vela';
import { fromFetch, fromNode } from 'vela/adapters';
import { mount } from 'vela/middleware';
import { JsonRpcHandler } from 'vela/rpc';
import { websocket } from 'vela/websocket';

const gc = globalThis.gc;

function used(options) {
  gc(options);
  return String(process.memoryUsage().heapUsed);
}

function text(start, body) {
  start('200 OK', [['Content-Type', 'text/plain']]);
  return [body];
}

const later = () => new Promise((resolve) => setImmediate(resolve));

async function drain(chunks) {
  let bytes = 0;
  for await (const chunk of chunks) bytes += chunk.length;
  return String(bytes);
}

const listeners = {
  awaited: async (request, response) => response.end(await drain(request)),
  flowing: (request, response) => {
    request.on('data', () => {}).on('end', () => response.end('done'));
  },
  paused: (request, response) => {
    request.on('readable', () => request.read());
    request.on('end', () => response.end('done'));
  },
  unread: (_request, response) => setImmediate(() => response.end('done')),
};

const apps = {
  '/used': (_environ, start) => text(start, used({ type: 'minor' })),
  '/clean': (_environ, start) => text(start, used()),
  '/plain': (_environ, start) => text(start, 'plain'),
  '/later': async (_environ, start) => {
    await later();
    return text(start, 'later');
  },
  '/read': async (environ, start) => text(start, await environ['wsgi.input'].read()),
  '/iterated': async (environ, start) => text(start, await drain(environ['wsgi.input'])),
  '/lines': async (environ, start) => text(start, await environ['wsgi.input'].readline()),
  '/json': async (environ, start) => text(start, JSON.stringify(await readJson(environ))),
  '/form': async (environ, start) => text(start, String((await readForm(environ)).get('a'))),
  '/multipart': async (environ, start) => text(start, String((await readForm(environ)).get('a'))),
  '/fetch': fromFetch(async (request) => Response.json(await request.json())),
  '/streamed': fromFetch(async (request) => new Response(await drain(request.body))),
  '/node/awaited': fromNode(listeners.awaited),
  '/node/flowing': fromNode(listeners.flowing),
  '/node/paused': fromNode(listeners.paused),
  '/node/unread': fromNode(listeners.unread),
};

const rpc = new JsonRpcHandler().method(
  'add',
  { params: ['a', 'b'].map((name) => [name, 'number']) },
  (_call, a, b) => a + b,
);
const echo = websocket('/echo', { message: (socket, message) => socket.send(message) });

const app = new WsgiHandler([
  echo,
  mount('/rpc', rpc),
  (environ, start) => apps[environ.PATH_INFO](environ, start),
]);
const { url } = await serve(app, { bind: '127.0.0.1:0', gateway: process.argv[2] ?? 'uws' });
process.send(url);
