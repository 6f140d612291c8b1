/** JSON-RPC over WebSockets, from Vela's client and from others', on both gateways. */
import { once } from 'node:events';
import { JSONRPCClient } from 'json-rpc-2.0';
import t, { type Test } from 'tap';
import { WebSocket } from 'ws';
import { Http401, HttpError, serve, WsgiHandler } from '../src/index.js';
import { mount } from '../src/middleware/index.js';
import { createJsonRpcClient, JsonRpcHandler, jsonRpcWebSocket } from '../src/rpc/index.js';
import { testClient } from '../src/testing/index.js';
import { recorder } from './support/ask.js';

let gate = openGate<string>();
let aborted = openGate<string>();
let handshakes = 0;
const rpc = new JsonRpcHandler()
  .method('ping', () => 'pong')
  .method(
    'add',
    {
      params: [
        ['a', 'number'],
        ['b', 'number'],
      ],
    },
    (_call, a, b) => a + b,
  )
  .method('who', (call) => `${call.request.header('x-user')} at ${call.request.path}`)
  .method('wait', () => gate.promise)
  .method('hold', { params: ['data'] }, async ({ signal }, data) => {
    signal.throwIfAborted();
    await gate.promise;
    return String(data).length;
  })
  .method('unreadable', async () => {
    throw Object.defineProperty(new Error(), 'message', {
      get() {
        throw new Error('of a getter');
      },
    });
  })
  .method('hang', async ({ signal }) => {
    await once(signal, 'abort');
    aborted.resolve((signal.reason as { code: string }).code);
  });

const app = new WsgiHandler([
  jsonRpcWebSocket('/http/live', rpc),
  mount('/http', rpc),
  jsonRpcWebSocket('/http/behind', rpc),
  jsonRpcWebSocket('/rpc', rpc),
  jsonRpcWebSocket('/narrow', rpc, { maxConcurrentCalls: 1, maxWaitingCalls: 1 }),
  jsonRpcWebSocket('/light', rpc, { maxConcurrentCalls: 2, maxWaitingBytes: 2500 }),
  jsonRpcWebSocket('/closed', rpc, {
    handshake() {
      handshakes++;
      throw new Http401('Sign in first');
    },
  }),
  jsonRpcWebSocket('/busy', rpc, {
    handshake() {
      handshakes++;
      throw new HttpError(503, 'Not now');
    },
  }),
]);

t.test('call.logger is of the namespace vela.rpc', async (t) => {
  const logger = recorder();
  const named = (namespace: string) => ({ ...logger, info: () => logger.info({ namespace }, 'called') });
  const noting = new JsonRpcHandler().method('note', (call) => call.logger.info({}, 'called'));
  const client = testClient(jsonRpcWebSocket('/rpc', noting), { logger: { ...logger, named } });
  t.teardown(() => client.close());
  const socket = await client.websocket('/rpc');
  socket.send('{"jsonrpc":"2.0","method":"note","id":1}');
  t.equal(await socket.next(), '{"jsonrpc":"2.0","result":null,"id":1}');
  t.match(logger.lines.at(-1), { details: { namespace: 'vela.rpc' } });
});

for (const gateway of ['uws', 'node'] as const) {
  t.test(gateway, async (t) => {
    const server = await serve(app, { bind: '127.0.0.1:0', gateway, logLevel: 'silent' });
    const url = server.url.replace('http', 'ws');
    t.teardown(() => server.close({ timeoutMs: 0 }));

    await t.test("Vela's client", async (t) => {
      const client = createJsonRpcClient<typeof rpc>(`${url}/rpc`, { headers: { 'X-User': 'ann' } });
      t.teardown(() => client.close());
      t.equal(await client.ping(), 'pong');
      t.equal(await client.call('add', { a: 1, b: 2 }), 3);
      t.equal(await client.who(), 'ann at /rpc');
      await t.rejects(client.call('add', ['x', 2] as never), { code: -32602 });
      const [one, two] = await client.batch((b) => [b.add(1, 2), b.ping()]);
      t.match([one, two], [{ value: 3 }, { value: 'pong' }]);
    });

    await t.test('over HTTP and WebSockets, one below the other', async (t) => {
      for (const path of [`${server.url}/http`, `${url}/http/live`]) {
        const client = createJsonRpcClient<typeof rpc>(path);
        t.teardown(() => client.close());
        t.equal(await client.ping(), 'pong', path);
      }
      const socket = new WebSocket(`${url}/http/behind`);
      socket.on('error', () => {});
      const [, response] = await once(socket, 'unexpected-response');
      t.equal(response.statusCode, 405);
      response.setEncoding('utf8');
      const [text] = await once(response, 'data');
      t.match(text, /jsonRpcWebSocket\(\) stands before/);
      socket.terminate();
    });

    await t.test('calls overtake each other', async (t) => {
      gate = openGate<string>();
      const client = createJsonRpcClient<typeof rpc>(`${url}/rpc`);
      t.teardown(() => client.close());
      const slow = client.wait();
      t.equal(await client.ping(), 'pong');
      gate.resolve('at last');
      t.equal(await slow, 'at last');
    });

    await t.test('calls of a connection are bounded', async (t) => {
      gate = openGate<string>();
      const client = createJsonRpcClient<typeof rpc>(`${url}/narrow`);
      t.teardown(() => client.close());
      const first = client.wait();
      const second = client.wait();
      await t.rejects(client.ping(), { code: -32002 });
      gate.resolve('done');
      t.same(await Promise.all([first, second]), ['done', 'done']);
    });

    await t.test('what waits is bounded in bytes, too', async (t) => {
      gate = openGate<string>();
      const client = createJsonRpcClient<typeof rpc>(`${url}/light`);
      t.teardown(() => client.close());
      const kilobyte = 'x'.repeat(1000);
      const calls = Array.from({ length: 6 }, () => client.hold(kilobyte));
      for (const refused of calls.slice(4)) await t.rejects(refused, { code: -32002 });
      gate.resolve('');
      t.same(await Promise.all(calls.slice(0, 4)), [1000, 1000, 1000, 1000]);
      t.equal(await client.hold(kilobyte), 1000, 'there is room again');
    });

    await t.test('many calls at once that look at their signals are no leak', async (t) => {
      const warnings: Error[] = [];
      const note = (warning: Error) => warnings.push(warning);
      process.on('warning', note);
      t.teardown(() => process.off('warning', note));
      gate = openGate<string>();
      const client = createJsonRpcClient<typeof rpc>(`${url}/rpc`);
      t.teardown(() => client.close());
      const calls = Array.from({ length: 16 }, () => client.hold(''));
      await client.notify('ping');
      gate.resolve('');
      await Promise.all(calls);
      t.same(warnings, []);
    });

    await t.test('an error that cannot be read is one like others', async (t) => {
      const client = createJsonRpcClient<typeof rpc>(`${url}/rpc`);
      t.teardown(() => client.close());
      await t.rejects(client.unreadable(), { code: -32603, message: 'Internal error' });
    });

    await t.test('the package json-rpc-2.0, and frames as they are', async (t) => {
      const socket = await connect(t, `${url}/rpc`);
      const client = new JSONRPCClient((request) => socket.send(JSON.stringify(request)));
      socket.on('message', (data) => client.receive(JSON.parse(String(data))));
      t.equal(await client.request('add', [2, 3]), 5);
      await t.rejects(Promise.resolve(client.request('nothing', [])), /Method not found/);
      client.notify('ping', []);
      t.equal(await client.request('ping', []), 'pong');
      socket.removeAllListeners('message');
      const said = async (message: string | Buffer) => {
        socket.send(message);
        const [data] = await once(socket, 'message');
        return String(data);
      };
      t.equal(await said('{'), '{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error"},"id":null}');
      t.equal(
        await said('[]'),
        '{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request"},"id":null}',
      );
      t.equal(
        await said(Buffer.from('{"jsonrpc":"2.0","method":"ping","id":"a"}')),
        '{"jsonrpc":"2.0","result":"pong","id":"a"}',
      );
    });

    await t.test('a client that leaves aborts its calls', async (t) => {
      aborted = openGate<string>();
      const socket = await connect(t, `${url}/rpc`);
      socket.send('{"jsonrpc":"2.0","method":"hang","id":1}');
      socket.send('{"jsonrpc":"2.0","method":"ping","id":2}');
      await once(socket, 'message');
      socket.terminate();
      t.equal(await aborted.promise, 'ERR_RPC_CLOSED');
    });

    await t.test('a handshake that is refused rejects calls, and is not tried again', async (t) => {
      handshakes = 0;
      const client = createJsonRpcClient<typeof rpc>(`${url}/closed`);
      t.teardown(() => client.close());
      await t.rejects(client.ping(), { code: 'ERR_RPC_ANSWER', message: /status 401 to its handshake/ });
      t.equal(handshakes, 1);
    });

    await t.test('a handshake that cannot be had at present is tried again', async (t) => {
      handshakes = 0;
      const client = createJsonRpcClient<typeof rpc>(`${url}/busy`, { retries: 1, retryDelayMs: 1 });
      t.teardown(() => client.close());
      await t.rejects(client.ping(), { code: 'ERR_RPC_CONNECTION', message: /status 503 to its handshake/ });
      t.equal(handshakes, 2);
    });

    await t.test('calls under way reject when the server stops', async (t) => {
      const other = await serve(app, { bind: '127.0.0.1:0', gateway, logLevel: 'silent' });
      const client = createJsonRpcClient<typeof rpc>(`${other.url.replace('http', 'ws')}/rpc`, {
        retries: 0,
      });
      t.teardown(() => client.close());
      await client.ping();
      gate = openGate<string>();
      const waiting = t.rejects(client.wait(), { code: 'ERR_RPC_CONNECTION' });
      await client.ping();
      const closing = other.close({ timeoutMs: 0 });
      await waiting;
      gate.resolve('late');
      await closing;
    });
  });
}

t.test('mistakes are told at once', (t) => {
  t.throws(() => jsonRpcWebSocket('/rpc', {} as never), /takes a path and a JsonRpcHandler/);
  t.throws(() => jsonRpcWebSocket('/rpc', rpc, { maxConcurrentCalls: 0 }), /maxConcurrentCalls/);
  t.throws(() => jsonRpcWebSocket('/rpc', rpc, { concurrency: 4 } as never), /concurrency/);
  t.end();
});

async function connect(t: Test, url: string): Promise<WebSocket> {
  const socket = new WebSocket(url);
  t.teardown(() => socket.terminate());
  await once(socket, 'open');
  return socket;
}

/** A promise, and what resolves it. */
function openGate<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
