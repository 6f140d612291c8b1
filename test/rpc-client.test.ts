/** The client of JSON-RPC: its types, HTTP and WebSocket, batches, deadlines, retries, lost connections. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import jayson from 'jayson';
import { JSONRPCServer } from 'json-rpc-2.0';
import t, { type Test } from 'tap';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import { serve } from '../src/index.js';
import {
  createJsonRpcClient,
  JsonRpcConnectionError,
  JsonRpcError,
  JsonRpcHandler,
} from '../src/rpc/index.js';

const unhandled: unknown[] = [];
process.on('unhandledRejection', (error) => unhandled.push(error));
process.on('uncaughtException', (error) => unhandled.push(error));

const begun: AbortSignal[] = [];
const calc = new JsonRpcHandler()
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
  .method(
    'round',
    {
      params: [
        ['n', 'number'],
        ['digits', 'integer?'],
      ],
    },
    (_call, n, digits = 0) => Number(n.toFixed(digits)),
  )
  .method('sum', { params: [['...terms', 'number']] }, (_call, ...terms) =>
    terms.reduce((sum, one) => sum + one, 0),
  );
const notes: unknown[] = [];
const rpc = new JsonRpcHandler()
  .method('ping', () => 'pong' as const)
  .method('today', () => ({ at: new Date(0), none: undefined, big: [1, 2] as const }))
  .method(
    'find',
    {
      params: z.object({ name: z.string(), page: z.number().default(1) }),
      result: z.object({ name: z.string() }),
    },
    (_call, { name, page }) => ({ name: `${name} ${page}` }),
  )
  .method('note', { params: ['value'] }, (_call, value) => {
    notes.push(value);
  })
  .method('fail', () => {
    throw new JsonRpcError(7, 'no money', { balance: 5 });
  })
  .method('close', () => 'a name that the client has itself')
  .method('hang', async ({ signal }) => {
    begun.push(signal);
    await once(signal, 'abort');
  })
  .mount('calc', calc)
  .mount(
    'calc.deep',
    new JsonRpcHandler().method('one', () => 1),
  );

/** The least that a transport of messages over WebSockets does. */
async function serveSockets(t: Test) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  t.teardown(() => {
    for (const one of server.clients) one.terminate();
    server.close();
  });
  server.on('connection', (socket) => {
    const session = rpc.connect();
    socket.on('message', async (data) => {
      const answer = await session.receive(String(data));
      if (answer !== undefined) socket.send(answer);
    });
    socket.on('close', () => session.close());
  });
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

async function serveHttp(t: Test, gateway: 'uws' | 'node') {
  const server = await serve(rpc, { bind: '127.0.0.1:0', gateway, logLevel: 'silent' });
  t.teardown(() => server.close());
  return server.url;
}

/** A server that does what it is told with each request. */
async function serveBy(
  t: Test,
  listener: Parameters<typeof createServer>[1],
): Promise<{ url: string; server: Server }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}

for (const kind of ['uws', 'node', 'WebSocket'] as const) {
  const open = async (t: Test) => {
    const url = kind === 'WebSocket' ? (await serveSockets(t)).url : await serveHttp(t, kind);
    const client = createJsonRpcClient<typeof rpc>(url);
    t.teardown(() => client.close());
    return client;
  };

  t.test(`${kind}: calls, with the types of the server`, async (t) => {
    const client = await open(t);
    const sum: number = await client.calc.add(1, 2);
    const pong: 'pong' = await client.ping();
    const today = await client.today();
    const at: string = today.at;
    t.same([sum, pong, at, today.big], [3, 'pong', '1970-01-01T00:00:00.000Z', [1, 2]]);
    t.equal(await client.call('calc.add', [1, 2]), 3);
    t.equal(await client.call('calc.add', { a: 1, b: 2 }), 3);
    t.equal(await client.call('ping'), 'pong');
    t.equal(await client.calc.round(1.26), 1);
    t.equal(await client.calc.round(1.26, undefined), 1);
    t.equal(await client.calc.round(1.26, 1), 1.3);
    t.equal(await client.calc.sum(1, 2, 3, 4), 10);
    t.equal(await client.calc.deep.one(), 1);
    const found: { name: string } = await client.call('find', { name: 'Ann' });
    t.same(found, { name: 'Ann 1' });
    t.equal(await client.call('close'), 'a name that the client has itself');
    t.equal(await client.notify('note', [kind]), undefined);
    t.equal(await client.ping(), 'pong');
    t.ok(notes.includes(kind));

    // Not called: the compiler is the test.
    const wrong = () => [
      // @ts-expect-error another kind
      client.calc.add('1', 2),
      // @ts-expect-error too few
      client.calc.add(1),
      // @ts-expect-error too many
      client.calc.add(1, 2, 3),
      // @ts-expect-error no such method to be sent again
      createJsonRpcClient<typeof rpc>('http://127.0.0.1', { idempotent: ['calc.ad'] }),
      // @ts-expect-error no such method
      client.calc.subtract(1, 2),
      // @ts-expect-error by name alone
      client.find({ name: 'Ann' }),
      // @ts-expect-error another name
      client.call('find', { nam: 'Ann' }),
      // @ts-expect-error a parameter is missing
      client.call('calc.add', { a: 1 }),
      // @ts-expect-error no such method
      client.call('calc.nowhere'),
      // @ts-expect-error there need be parameters
      client.call('calc.add'),
    ];
    t.type(wrong, 'function');

    const loose = createJsonRpcClient('http://127.0.0.1:1/');
    const anything: () => Promise<unknown> = () => loose.any?.thing?.(1, 'x') as Promise<unknown>;
    t.type(anything, 'function');
  });

  t.test(`${kind}: errors of the server`, async (t) => {
    const client = await open(t);
    await t.rejects(client.fail(), {
      name: 'JsonRpcError',
      code: 7,
      message: 'no money',
      data: { balance: 5 },
      isRemote: true,
    });
    await t.rejects((client as never as { nowhere(): Promise<void> }).nowhere(), { code: -32601 });
    await t.rejects(client.call('calc.add', ['x' as never, 1]), { code: -32602, message: /"a" of add/ });
    t.ok((await client.fail().catch((error: unknown) => error)) instanceof JsonRpcError);
  });

  t.test(`${kind}: batches`, async (t) => {
    const client = await open(t);
    const [sum, failed, told, found] = await client.batch((b) => [
      b.calc.add(1, 2),
      b.fail(),
      b.notify('note', ['batch']),
      b.call('find', { name: 'Bob', page: 2 }),
    ]);
    const value: number | undefined = sum.status === 'fulfilled' ? sum.value : undefined;
    t.equal(value, 3);
    t.match(failed, { status: 'rejected', reason: { code: 7, isRemote: true } });
    t.same(told, { status: 'fulfilled', value: undefined });
    t.same(found, { status: 'fulfilled', value: { name: 'Bob 2' } });
    t.same(await client.batch(() => []), []);
    t.same(await client.batch((b) => [b.notify('note', [1])]), [{ status: 'fulfilled', value: undefined }]);
    const many = await client.batch((b) => Array.from({ length: 101 }, (_, n) => b.calc.add(n, 1)));
    t.equal(many.length, 101);
    t.ok(
      many.every((one) => one.status === 'rejected' && one.reason.code === -32600),
      'a refusal of all is one of each',
    );
    await t.rejects(client.batch((() => [1]) as never), { message: /gives a list of calls/ });
    await t.rejects(client.batch(5 as never), { message: /takes a function/ });
  });

  t.test(`${kind}: many calls at once`, async (t) => {
    const client = await open(t);
    const numbers = Array.from({ length: 200 }, (_, n) => n);
    t.same(
      await Promise.all(numbers.map((n) => client.calc.add(n, 1))),
      numbers.map((n) => n + 1),
    );
  });

  t.test(`${kind}: deadlines, signals, and the end`, async (t) => {
    const client = await open(t);
    await client.ping();
    begun.length = 0;
    await t.rejects(client.call('hang', [], { timeoutMs: 100 }), {
      code: 'ERR_RPC_TIMEOUT',
      message: 'A call of "hang" was not answered within 100 ms',
    });
    const leave = new AbortController();
    const hanging = client.call('hang', [], { signal: leave.signal });
    while (begun.length < 2) await new Promise(setImmediate);
    leave.abort(new Error('enough'));
    await t.rejects(hanging, { message: 'enough' });
    await t.rejects(client.call('ping', [], { signal: leave.signal }), { message: 'enough' });
    const last = client.call('hang');
    const rejected = t.rejects(last, { code: 'ERR_RPC_CONNECTION', message: 'The client is closed' });
    while (begun.length < 3) await new Promise(setImmediate);
    await client.close();
    await client.close();
    await rejected;
    await t.rejects(client.ping(), { code: 'ERR_RPC_CONNECTION' });
    for (const signal of begun) if (!signal.aborted) await once(signal, 'abort');
  });
}

t.test('a client that is closed tries nothing again', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  for (const scheme of ['http', 'ws']) {
    const client = createJsonRpcClient(`${scheme}://127.0.0.1:${port}`, { retryDelayMs: 20_000 });
    const trying = client.call('a');
    const rejected = t.rejects(trying, { code: 'ERR_RPC_CONNECTION', message: 'The client is closed' });
    const began = performance.now();
    await client.close();
    await rejected;
    await t.rejects(client.call('a'), { message: 'The client is closed', isUnsent: true });
    t.ok(performance.now() - began < 5000, `${scheme}: at once`);
  }
});

t.test('lost WebSockets settle all that is awaited, and are opened again', async (t) => {
  const { url, server } = await serveSockets(t);
  const client = createJsonRpcClient<typeof rpc>(url);
  t.teardown(() => client.close());
  begun.length = 0;
  const pending = Promise.allSettled([
    client.call('hang'),
    client.batch((b) => [b.hang()]),
    client.call('hang'),
  ]);
  while (begun.length < 3) await new Promise(setImmediate);
  for (const one of server.clients) one.terminate();
  for (const one of await pending) {
    t.equal(one.status, 'rejected');
    if (one.status === 'rejected') {
      t.ok(one.reason instanceof JsonRpcConnectionError);
      t.match(one.reason, { code: 'ERR_RPC_CONNECTION', isUnsent: false });
    }
  }
  t.equal(await client.ping(), 'pong');
});

t.test('a WebSocket server that is frozen', async (t) => {
  let connections = 0;
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (socket) => {
    socket.on('error', () => undefined);
    if (++connections === 1) socket.pause();
    else
      socket.on('message', (data) => {
        const { id } = JSON.parse(String(data)) as { id: number };
        socket.send(JSON.stringify({ jsonrpc: '2.0', result: 'well', id }));
      });
  });
  t.teardown(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  await once(server, 'listening');
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createJsonRpcClient(url, { timeoutMs: 100, limitBytes: 2 ** 32 + 1 });
  await t.rejects(client.call('a'), { code: 'ERR_RPC_TIMEOUT' });
  const large = 'x'.repeat(15_000_000);
  await t.rejects(client.notify('a', [large]), { code: 'ERR_RPC_TIMEOUT' }, 'notifications have an end too');
  const lost = await client.call('a', [], { timeoutMs: 20_000 }).catch((error: unknown) => error);
  t.match(lost, { code: 'ERR_RPC_CONNECTION', isUnsent: false }, 'it is found dead');
  t.equal(await client.call('a', [], { timeoutMs: 5000 }), 'well', 'on another connection');
  t.equal(connections, 2);
  await client.close();
});

t.test('what a WebSocket server may send, and is no answer', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  t.teardown(() => {
    for (const one of server.clients) one.terminate();
    server.close();
  });
  let answer: (id: number) => string = () => '';
  server.on('connection', (socket) =>
    socket.on('message', (data) => socket.send(answer(JSON.parse(String(data)).id))),
  );
  const client = createJsonRpcClient(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    limitBytes: 200,
    retries: 0,
  });
  t.teardown(() => client.close());
  answer = () => 'no JSON';
  await t.rejects(client.call('x'), { code: 'ERR_RPC_ANSWER' });
  answer = () => '{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error"},"id":null}';
  await t.rejects(client.call('x'), { code: -32700 });
  answer = (id) => `{"jsonrpc":"2.0","id":${id}}`;
  await t.rejects(client.call('x'), { code: 'ERR_RPC_ANSWER', message: /neither a result nor an error/ });
  answer = (id) => `{"jsonrpc":"2.0","id":${id + 1000},"result":1}`;
  await t.rejects(client.call('x', [], { timeoutMs: 50 }), { code: 'ERR_RPC_TIMEOUT' });
  answer = (id) => `{"jsonrpc":"2.0","id":${id},"result":"${'x'.repeat(300)}"}`;
  await t.rejects(client.call('x'), { code: 'ERR_RPC_ANSWER', message: /larger than the limit/ });
  answer = (id) => `{"jsonrpc":"2.0","id":${id},"result":5}`;
  t.equal(await client.call('x'), 5);
});

t.test('what an HTTP server may send, and is no answer', async (t) => {
  let status = 200;
  let body: string | ((id: number) => string) = '';
  const { url } = await serveBy(t, async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    response.statusCode = status;
    response.end(typeof body === 'string' ? body : body(JSON.parse(text).id));
  });
  const client = createJsonRpcClient(url, { limitBytes: 300, retries: 0 });
  for (const [code, text, wanted] of [
    [200, '', { code: 'ERR_RPC_ANSWER', message: /status 200, and no JSON/ }],
    [502, '<h1>Bad Gateway</h1>', { code: 'ERR_RPC_ANSWER', message: /status 502/ }],
    [
      413,
      '{"status":413,"message":"too large"}',
      { code: 'ERR_RPC_ANSWER', message: /status 413, and JSON of another kind/ },
    ],
    [204, '', { code: 'ERR_RPC_ANSWER', message: /none with its id|received undefined/ }],
    [200, (id: number) => `{"jsonrpc":"1.0","id":${id},"result":1}`, { code: 'ERR_RPC_ANSWER' }],
    [
      200,
      (id: number) => `{"jsonrpc":"2.0","id":${id + 5},"result":1}`,
      { code: 'ERR_RPC_ANSWER', message: /none with its id/ },
    ],
    [
      200,
      (id: number) => `{"jsonrpc":"2.0","id":${id},"error":"x"}`,
      { code: 'ERR_RPC_ANSWER', message: /no code and message/ },
    ],
    [
      404,
      (id: number) => `{"jsonrpc":"2.0","id":${id},"error":{"code":-32601,"message":"Method not found"}}`,
      { code: -32601 },
    ],
    [200, `"${'x'.repeat(400)}"`, { code: 'ERR_RPC_ANSWER', message: /larger than the limit of 300 bytes/ }],
  ] as const) {
    status = code;
    body = text;
    await t.rejects(client.call('x'), wanted, String(wanted.code));
  }
  await t.rejects(client.call('x', [1n]), TypeError);
  await t.rejects(client.call('x', 5 as never), { message: /a list or an object/ });
  for (const attempt of [
    () => createJsonRpcClient('ftp://a'),
    () => createJsonRpcClient(''),
    () => createJsonRpcClient(url, { retrys: 1 } as never),
    () => createJsonRpcClient(url, { retries: -1 }),
    () => createJsonRpcClient(url, { timeoutMs: 0 }),
    () => createJsonRpcClient(url, { idempotent: 'a' } as never),
    () => createJsonRpcClient(url, { headers: { a: 1 } } as never),
    () => createJsonRpcClient(url, { fetch: 1 } as never),
  ])
    t.throws(attempt, TypeError);
});

t.test('tries again where nothing was sent, or where it may be sent twice', async (t) => {
  let calls = 0;
  let cuts = 2;
  const { url, server } = await serveBy(t, async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    calls++;
    if (cuts-- > 0) request.socket.destroy();
    else response.end(JSON.stringify({ jsonrpc: '2.0', result: 'ok', id: JSON.parse(text).id }));
  });
  const client = createJsonRpcClient(url, { retryDelayMs: 1, idempotent: ['safe'] });
  await t.rejects(client.call('unsafe'), { code: 'ERR_RPC_CONNECTION', isUnsent: false });
  t.equal(calls, 1, 'it may have been made');
  cuts = 2;
  t.equal(await client.call('safe'), 'ok');
  t.equal(calls, 4);
  cuts = 1;
  t.equal(await client.call('unsafe', [], { isIdempotent: true }), 'ok');
  cuts = 1;
  await t.rejects(client.call('safe', [], { isIdempotent: false }), { code: 'ERR_RPC_CONNECTION' });
  cuts = 5;
  await t.rejects(client.call('safe'), { code: 'ERR_RPC_CONNECTION' }, 'not for ever');
  cuts = 1;
  await t.rejects(
    client.batch((b) => [b.call('safe'), b.call('unsafe')]),
    { code: 'ERR_RPC_CONNECTION' },
  );

  const { port } = server.address() as AddressInfo;
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  const began = client.call('unsafe', [], { timeoutMs: 20_000 });
  await t.rejects(began, {
    code: 'ERR_RPC_CONNECTION',
    isUnsent: true,
    message: /cannot be reached: connect ECONNREFUSED/,
  });
  const patient = createJsonRpcClient(url, { retries: 100, retryDelayMs: 5 });
  const late = patient.call('unsafe', [], { timeoutMs: 20_000 });
  const again = createServer((_request, response) =>
    response.end('{"jsonrpc":"2.0","result":"there","id":1}'),
  ).listen(port, '127.0.0.1');
  await once(again, 'listening');
  t.teardown(() => {
    again.closeAllConnections();
    again.close();
  });
  t.equal(await late, 'there');
  const socket = createJsonRpcClient('ws://127.0.0.1:1', { retryDelayMs: 1 });
  await t.rejects(socket.call('x'), { code: 'ERR_RPC_CONNECTION', isUnsent: true });
});

t.test('a signal that lives for long keeps nothing of the calls', async (t) => {
  const server = await serve(rpc, { bind: '127.0.0.1:0', logLevel: 'silent' });
  const { signal } = new AbortController();
  for (const url of [server.url, server.url.replace('http', 'ws')]) {
    const client = createJsonRpcClient<typeof rpc>(url, { retries: 0 });
    const calls = Array.from({ length: 50 }, () =>
      client.call('ping', [], { signal }).catch(() => undefined),
    );
    await Promise.all(calls);
    t.equal(dependentsOf(signal), 0);
    await client.close();
  }
  await server.close();
});

t.test('connections are kept', async (t) => {
  let connections = 0;
  const tcp = createTcpServer();
  const http = createServer((_request, response) => response.end('{"jsonrpc":"2.0","result":1,"id":null}'));
  tcp.on('connection', (socket) => {
    connections++;
    http.emit('connection', socket);
  });
  tcp.listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  t.teardown(() => {
    http.closeAllConnections();
    tcp.close();
  });
  const client = createJsonRpcClient(`http://127.0.0.1:${(tcp.address() as AddressInfo).port}/`);
  for (let n = 0; n < 10; n++) t.equal(await client.call('x'), 1);
  // An answer is there a little before its connection is free again.
  t.ok(connections <= 2);
});

t.test('servers of others', async (t) => {
  const add = (params: unknown) => {
    const [a, b] = params as [number, number];
    return a + b;
  };
  const one = new jayson.Server({
    add: (params: unknown, done: (error: unknown, sum?: number) => void) => done(null, add(params)),
  }).http();
  one.listen(0, '127.0.0.1');
  await once(one, 'listening');
  t.teardown(() => {
    one.closeAllConnections();
    one.close();
  });
  const other = new JSONRPCServer();
  other.addMethod('add', add);
  const { url } = await serveBy(t, async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const answer = await other.receiveJSON(text);
    response.statusCode = answer === null ? 204 : 200;
    response.end(answer === null ? undefined : JSON.stringify(answer));
  });
  for (const at of [url, `http://127.0.0.1:${(one.address() as AddressInfo).port}/`]) {
    const client = createJsonRpcClient(at);
    t.equal(await client.call('add', [1, 2]), 3);
    await t.rejects(client.call('nowhere'), { code: -32601 });
    t.equal(await client.notify('add', [1, 2]), undefined);
    t.match(await client.batch((b) => [b.call('add', [3, 4]), b.call('nowhere'), b.notify('add', [1, 1])]), [
      { status: 'fulfilled', value: 7 },
      { status: 'rejected', reason: { code: -32601 } },
      { status: 'fulfilled', value: undefined },
    ]);
  }
});

t.test("another server's error is no answer of one's own", async (t) => {
  const url = await serveHttp(t, 'uws');
  const upstream = createJsonRpcClient<typeof rpc>(url);
  const front = new JsonRpcHandler().method('pass', () => upstream.fail());
  const text = await front.dispatch('{"jsonrpc":"2.0","method":"pass","id":1}', {
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  });
  t.match(JSON.parse(text as string), { error: { code: -32603, message: 'Internal error' } });
});

t.test('a client is no promise, and has no members of objects', async (t) => {
  const client = createJsonRpcClient<typeof rpc>('http://127.0.0.1:1/');
  t.equal(await client, client);
  t.equal((client as never as { then: unknown }).then, undefined);
  t.equal((client.calc as never as { then: unknown }).then, undefined);
  t.equal((client as never as Record<symbol, unknown>)[Symbol.iterator], undefined);
});

t.test('nothing was left unhandled', async (t) => {
  await new Promise(setImmediate);
  t.same(unhandled, []);
});

/** How many signals Node keeps for one that they depend on: no API tells. */
function dependentsOf(signal: AbortSignal): number {
  const key = Object.getOwnPropertySymbols(signal).find((one) => one.description === 'kDependantSignals');
  return key === undefined ? 0 : ((Reflect.get(signal, key) as Set<unknown> | undefined)?.size ?? 0);
}
