/** `createServer` of `vela/http` as frameworks and test tools use it, beside node:http's own. */
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import {
  createServer as createNodeServer,
  get,
  type IncomingMessage,
  Server as NodeServer,
  ServerResponse,
} from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
// @ts-expect-error It has no types under this name.
import express4 from 'express4';
import Koa from 'koa';
import request from 'supertest';
import t from 'tap';
import { WebSocket, WebSocketServer } from 'ws';
import { createServer, type HttpServerOptions, type Server, serveNode } from '../../src/http/index.js';
import { plainEnvironment } from '../support/run-example.js';
import { makeFolder } from '../support/run-in-folder.js';

const hello = (_request: IncomingMessage, response: { end(text: string): unknown }) =>
  void response.end('hello');

type Place =
  | string
  | { port: number; path?: string; headers?: Record<string, string> }
  | { socketPath: string };

async function fetchText(at: Place): Promise<string> {
  const options = { agent: false, ...(typeof at === 'string' ? {} : { host: '127.0.0.1', ...at }) };
  const asked = typeof at === 'string' ? get(at, options) : get(options);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return Buffer.concat(await response.toArray()).toString();
}

type Maker = (listener: (request: IncomingMessage, response: ServerResponse) => void) => NodeServer;
const MAKERS: readonly Maker[] = [createNodeServer, createServer];

const portOf = (server: NodeServer) => (server.address() as { port: number }).port;
const closed = async (server: NodeServer) => {
  const done = once(server, 'close');
  server.close();
  await done;
};

t.test('listen() in all its forms', async (t) => {
  const socketPath = join(makeFolder(t), 'http.sock');
  const port = await freePort();
  const forms: Readonly<Record<string, (server: Server, heard: () => void) => unknown>> = {
    'nothing at all': (server, heard) => server.listen(heard),
    '(0, callback)': (server, heard) => server.listen(0, heard),
    '(port as text, host, callback)': (server, heard) => server.listen(String(port), '127.0.0.1', heard),
    '(port, host, backlog, callback)': (server, heard) => server.listen(port, '127.0.0.1', 511, heard),
    '(port, name)': (server, heard) => server.once('listening', heard).listen(port, 'localhost'),
    '({ port, host }, callback)': (server, heard) => server.listen({ port, host: '127.0.0.1' }, heard),
    '({ path }, callback)': (server, heard) => server.listen({ path: socketPath }, heard),
    '(path, callback)': (server, heard) => server.listen(socketPath, heard),
    '(undefined, undefined, callback)': (server, heard) => server.listen(undefined, undefined, heard),
  };
  for (const [form, listen] of Object.entries(forms)) {
    const server = createServer(hello);
    t.equal(server.listening, false);
    const result = await new Promise<unknown>((resolve) => {
      const returned = listen(server, () => resolve(returned));
    });
    t.equal(result, server, form);
    t.same([server.listening, server.gateway], [true, 'uws'], form);
    const address = server.address();
    t.equal(
      await fetchText(typeof address === 'string' ? { socketPath: address } : { port: portOf(server) }),
      'hello',
    );
    await closed(server);
    t.same([server.listening, server.address(), server.gateway], [false, null, undefined]);
  }
  const server = createServer(hello);
  t.same([server.listen(0, '127.0.0.1').address(), server.listening], [server.address(), true], 'at once');
  t.match(server.address(), { address: '127.0.0.1', family: 'IPv4', port: Number });
  t.throws(() => server.listen(0), { code: 'ERR_SERVER_ALREADY_LISTEN' });
  await closed(server);
  server.listen(0);
  t.equal(await fetchText({ port: portOf(server) }), 'hello', 'once more');
  await closed(server);
});

t.test('what cannot be listened on is told as node:http tells it', async (t) => {
  const first = createServer(hello).listen(0, '127.0.0.1');
  t.teardown(() => first.close());
  const cases: Readonly<Record<string, readonly unknown[]>> = {
    'a port that is taken': [portOf(first), '127.0.0.1'],
    'a port that is taken, by a name': [portOf(first), 'localhost'],
    'an address of another machine': [0, '203.0.113.7'],
    'a name that is none': [0, 'no.such.name.invalid'],
  };
  for (const [fact, args] of Object.entries(cases)) {
    const codes: unknown[] = [];
    for (const make of MAKERS) {
      const server = make(hello);
      const [error] = (await once(server.listen(...(args as [])), 'error').catch((error) => [error])) as [
        NodeJS.ErrnoException,
      ];
      codes.push(error.code);
      t.equal(server.listening, false);
    }
    t.equal(codes[1], codes[0], `${fact}: ${codes[0]}`);
  }
  const server = createServer(hello).listen(join(makeFolder(t), 'none', 'x.sock'));
  t.match(await once(server, 'error').catch((error: unknown) => [error]), [{ code: 'ENOENT' }]);
  for (const args of [[-1], [65_536], [{}], [{ port: Number.NaN }]]) {
    const codes = MAKERS.map((make) => {
      const server = make(hello);
      server.on('error', () => {});
      try {
        server.listen(...(args as []));
        server.close();
        return 'none';
      } catch (error) {
        return (error as NodeJS.ErrnoException).code;
      }
    });
    t.equal(codes[1], codes[0], `${JSON.stringify(args)}: ${codes[0]}`);
  }
  t.throws(
    () => createServer({ gateway: 'apache' as never }),
    /"gateway" of createServer\(\) is "auto", "uws" or "node"/,
  );
  t.throws(
    () => createServer(new Koa() as never),
    /createServer\(\) takes a listener, such as app\.callback\(\) of Koa/,
  );
});

t.test('close() waits for requests, and ends idle connections', async (t) => {
  const order: string[] = [];
  const server = createServer(async (_request, response) => {
    await sleep(100);
    response.end('late', () => order.push('answered'));
  }).listen(0, '127.0.0.1');
  const idle = connect(portOf(server), '127.0.0.1');
  await once(idle, 'connect');
  const count = await new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
  t.equal(count, 1);
  const answer = fetchText({ port: portOf(server) });
  await sleep(30);
  const done = new Promise<Error | undefined>((resolve) => server.close(resolve)).then((error) => {
    order.push('closed');
    return error;
  });
  t.equal(server.listening, false);
  t.equal(await answer, 'late');
  t.equal(await done, undefined);
  t.same(order, ['answered', 'closed']);
  if (!idle.closed) await once(idle, 'close');
  const again = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => server.close(resolve));
  t.equal(again?.code, 'ERR_SERVER_NOT_RUNNING');

  for (const make of MAKERS) {
    let release = () => {};
    const busy = make((_request, response) => {
      release = () => void response.end('still answered');
    }).listen(0, '127.0.0.1');
    if (!busy.listening) await once(busy, 'listening');
    const heard: string[] = [];
    busy.on('close', () => heard.push('close'));
    const asked = fetchText({ port: portOf(busy) });
    await once(busy, 'request');
    const both = [1, 2].map(
      (time) =>
        new Promise<void>((resolve) => {
          busy.close((error) => {
            heard.push(`${time} ${(error as NodeJS.ErrnoException | undefined)?.code}`);
            resolve();
          });
        }),
    );
    await sleep(30);
    t.same(heard, [], 'closed twice, it waits as long as closed once');
    release();
    t.equal(await asked, 'still answered');
    await Promise.all(both);
    t.same(heard, ['close', '1 undefined', '2 ERR_SERVER_NOT_RUNNING']);
  }

  const stuck = createServer(() => {}).listen(0, '127.0.0.1');
  const lost = fetchText({ port: portOf(stuck) });
  await sleep(30);
  const gone = once(stuck, 'close');
  stuck.close();
  stuck.closeAllConnections();
  await t.rejects(lost);
  await gone;

  for (const args of [[join(makeFolder(t), 'x.sock')], [0, 'localhost']]) {
    const soon = createServer(hello).listen(...(args as []));
    await closed(soon);
    t.same([soon.listening, soon.address()], [false, null], 'closed before it listens');
  }

  const aborter = new AbortController();
  const signalled = createServer(hello).listen({ port: 0, host: '127.0.0.1', signal: aborter.signal });
  await once(signalled, 'listening');
  aborter.abort();
  await once(signalled, 'close');
});

t.test('who needs connections gets node:http', async (t) => {
  const server = createServer(hello);
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.send('hi'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.equal(server.gateway, 'node');
  t.equal(await fetchText({ port: portOf(server) }), 'hello');
  const socket = new WebSocket(`ws://127.0.0.1:${portOf(server)}`);
  const [message] = await once(socket, 'message');
  t.equal(String(message), 'hi');
  socket.close();
  await once(socket, 'close');
  sockets.close();
  await closed(server);

  for (const isEarly of [true, false]) {
    let listened = 0;
    const late = createServer(hello).on('listening', () => listened++);
    late.listen(0, '127.0.0.1');
    t.equal(late.gateway, 'uws');
    if (!isEarly) await once(late, 'listening');
    const port = portOf(late);
    const lateSockets = new WebSocketServer({ server: late });
    lateSockets.on('connection', (socket) => socket.send('late'));
    if (!late.listening) await once(late, 'listening');
    const client = new WebSocket(`ws://127.0.0.1:${port}`);
    t.equal(String((await once(client, 'message'))[0]), 'late');
    client.close();
    await once(client, 'close');
    t.equal(await fetchText({ port }), 'hello');
    t.equal(late.gateway, 'node');
    t.equal(listened, 1, "'listening' is told once");
    lateSockets.close();
    await closed(late);
  }
  const bound = createServer({ gateway: 'uws' }, hello).listen(0, '127.0.0.1');
  await once(bound, 'listening');
  const warned = once(process, 'warning');
  bound.on('upgrade', () => {});
  t.match(await warned, [{ code: 'ERR_HTTP_LATE_LISTENER', message: /'upgrade' .*before listen\(\)/ }]);
  await closed(bound);

  const strict = createServer({ gateway: 'uws' }, hello).on('upgrade', () => {});
  t.throws(() => strict.listen(0), {
    code: 'ERR_HTTP_GATEWAY',
    message: /the event 'upgrade': createServer\(\{ gateway: 'node' \}/,
  });
  class OwnResponse<R extends IncomingMessage> extends ServerResponse<R> {}
  const own = createServer({ ServerResponse: OwnResponse }, (_request, response) => {
    response.end(String(response instanceof OwnResponse));
  }).listen(0, '127.0.0.1');
  await once(own, 'listening');
  t.equal(own.gateway, 'node');
  t.equal(await fetchText({ port: portOf(own) }), 'true');
  await closed(own);
  t.throws(() => createServer({ gateway: 'uws', uniqueHeaders: ['a'] }, hello).listen(0), {
    code: 'ERR_HTTP_GATEWAY',
    message: /the option 'uniqueHeaders'/,
  });
  const given = createServer({ gateway: 'node' }, hello).listen(0, '127.0.0.1');
  await once(given, 'listening');
  t.equal(given.gateway, 'node');
  await closed(given);
});

t.test('a body is taken in before anybody reads it', async (t) => {
  const facts: unknown[] = [];
  for (const make of MAKERS) {
    const server = make(async (request, response) => {
      const atOnce = request.complete;
      await sleep(60);
      const later = [request.complete, request.readableLength];
      response.end(JSON.stringify([atOnce, ...later, Buffer.concat(await request.toArray()).toString()]));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    t.teardown(() => server.close());
    const answers: unknown[] = [];
    for (const body of [undefined, 'given', chunked('in chunks')]) {
      const response = await fetch(`http://127.0.0.1:${portOf(server)}/`, {
        ...(body !== undefined && { method: 'POST', body, duplex: 'half' }),
      });
      answers.push(await response.json());
    }
    facts.push(answers);
  }
  t.same(facts[1], facts[0]);
  t.same(facts[1], [
    [false, true, 0, ''],
    [false, true, 5, 'given'],
    [false, true, 9, 'in chunks'],
  ]);
});

t.test('flushHeaders() sends the head of a response whose length is known', async (t) => {
  for (const make of MAKERS)
    for (const body of ['', 'late', 'x'.repeat(1_000_000)]) {
      let end = () => {};
      const server = make((_request, response) => {
        response.setHeader('Content-Length', body.length);
        response.flushHeaders();
        end = () => response.end(body);
        // Of no bytes the head is all that is sent.
        if (body === '') setImmediate(end);
      });
      await once(server.listen(0, '127.0.0.1'), 'listening');
      t.teardown(() => server.close());
      const asked = get({ port: portOf(server), host: '127.0.0.1', agent: false });
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      t.equal(response.headers['content-length'], String(body.length));
      end();
      t.equal(Buffer.concat(await response.toArray()).toString(), body);
    }
});

t.test('events of requests', async (t) => {
  const heard: string[] = [];
  const server = createServer();
  t.ok(server instanceof NodeServer);
  server.on('checkContinue', (_request, response) => {
    heard.push('checkContinue');
    response.writeContinue();
    response.end('went on');
  });
  server.on('checkExpectation', (request, response) => {
    heard.push(`checkExpectation ${request.headers.expect}`);
    response.writeHead(200).end('wonderful');
  });
  server.setTimeout(40, () => heard.push('timeout'));
  server.on('request', () => heard.push('request'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const port = portOf(server);
  t.equal(await fetchText({ port, headers: { expect: '100-continue' } }), 'went on');
  t.equal(await fetchText({ port, headers: { expect: 'x' } }), 'wonderful');
  const late = fetchText({ port }).catch(() => undefined);
  await sleep(120);
  t.same(heard, ['checkContinue', 'checkExpectation x', 'request', 'timeout']);
  server.closeAllConnections();
  server.close();
  server.closeAllConnections();
  await late;
});

t.test('a listener that throws is answered, and others go on', async (t) => {
  const written = t.capture(process.stderr, 'write');
  let closes = 0;
  const server = createServer((request, response) => {
    response.on('close', () => closes++);
    if (request.url === '/') {
      response.write('begun');
      throw new Error('thrown');
    }
    response.end('fine');
  }).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  const [response] = (await once(get({ port: portOf(server), host: '127.0.0.1' }), 'response')) as [
    IncomingMessage,
  ];
  response.resume();
  t.equal(response.statusCode, 500);
  t.match(
    written()
      .map(({ args }) => args[0])
      .join(''),
    /error .*Error: thrown/,
  );
  t.equal(closes, 1, 'what it has begun is told');
  t.equal(await fetchText({ port: portOf(server), path: '/x' }), 'fine');
});

t.test('socket.end() behind a response ends the connection', async (t) => {
  for (const make of MAKERS) {
    const server = make((request, response) => {
      response.end('last');
      request.socket.end();
    }).listen(0, '127.0.0.1');
    if (!server.listening) await once(server, 'listening');
    t.teardown(() => server.close());
    const client = connect(portOf(server), '127.0.0.1');
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const beganMs = performance.now();
    const answer = Buffer.concat(await client.toArray()).toString();
    t.ok(performance.now() - beganMs < 4000, 'at once, and not as an idle one');
    t.match(answer, /^HTTP\/1.1 200 OK\r\n/);
    t.ok(answer.endsWith('\r\n\r\nlast'));
  }
});

t.test('a body that is larger than the server takes is answered', async (t) => {
  let heard: unknown;
  const listener = async (request: IncomingMessage, response: ServerResponse) => {
    request.on('error', (error) => {
      heard = error;
    });
    await request.toArray().catch(() => {});
    response.end('not reached');
  };
  for (const gateway of ['uws', 'node'] as const) {
    const server = await serveNode(listener, { bind: '127.0.0.1:0', maxBodyBytes: 1000, gateway });
    t.teardown(() => server.close());
    const body = Readable.toWeb(Readable.from([Buffer.alloc(600), Buffer.alloc(600)])) as ReadableStream;
    const response = await fetch(server.url, { method: 'POST', body, duplex: 'half' });
    t.equal(response.status, 413, gateway);
    t.match(heard, { status: 413 });
  }
});

t.test('frameworks and supertest', async (t) => {
  for (const [name, make] of [
    ['express 5', express],
    ['express 4', express4 as unknown as typeof express],
  ] as const) {
    const app = make();
    app.use(make.json());
    app.post('/echo', (request, response) => {
      response.cookie('seen', '1').json({ body: request.body as unknown, ip: request.ip });
    });
    app.get('/fail', () => {
      throw Object.assign(new Error('teapot'), { status: 418, expose: true });
    });
    const echo = await request(createServer(app)).post('/echo').send({ a: 1 }).expect(200);
    t.match(echo.body, { body: { a: 1 } }, name);
    t.match(echo.headers['set-cookie'], ['seen=1; Path=/']);
    await request(createServer({}, app)).get('/fail').expect(418);
    await request(createServer(app)).get('/none').expect(404);
  }
  const koa = new Koa();
  koa.use(async (context) => {
    await sleep(1);
    context.set('x-koa', '1');
    context.body = { path: context.path };
  });
  const answer = await request(createServer(koa.callback())).get('/k').expect(200);
  t.same(answer.body, { path: '/k' });
  const served = await serveNode(koa.callback(), { bind: '127.0.0.1:0' });
  t.equal(await fetchText(`${served.url}/s`), '{"path":"/s"}');
  await served.close();
});

t.test('vela/http/register serves a program that knows nothing of it', async (t) => {
  const program = `
    const http = require('node:http');
    const app = (request, response) => response.end([http.Server.name, server.constructor.name, server.gateway, server instanceof http.Server].join());
    const server = process.argv[1] === 'new' ? new http.Server(app) : process.argv[1] === 'call' ? http.Server(app) : http.createServer(app);
    server.listen(0, '127.0.0.1', () => console.log(server.address().port));
  `;
  for (const how of ['create', 'new', 'call']) {
    const child = spawn(process.execPath, ['--import', './dist/http/register.js', '--eval', program, how], {
      env: plainEnvironment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    const [port] = await once(child.stdout, 'data');
    t.equal(await fetchText({ port: Number(String(port)) }), 'Server,Server,uws,true', how);
    child.kill();
    await once(child, 'exit');
  }
});

t.test('VELA_GATEWAY is that of servers by vela/http/register which do not say theirs', async (t) => {
  const program = `
    const http = require('node:http');
    class Own extends http.Server {}
    const servers = [http.createServer(), http.createServer({ noDelay: true }), http.Server(() => {}), new http.Server(() => {}), new Own(), http.createServer({ gateway: 'node' })];
    for (const server of servers) server.listen(0);
    console.log(servers.map((server) => server.gateway).join());
    console.log(servers.map((server) => server.listenerCount('request')).join());
    try { http.createServer('x') } catch (error) { console.log(error.code) }
    process.exit();
  `;
  const run = async (gateway: string) => {
    const child = spawn(process.execPath, ['--import', './dist/http/register.js', '--eval', program], {
      env: { ...plainEnvironment(), VELA_GATEWAY: gateway },
    });
    t.teardown(() => child.kill('SIGKILL'));
    const [out, err] = await Promise.all([child.stdout.toArray(), child.stderr.toArray()]);
    return { out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
  };
  const rest = '0,0,1,1,0,0\nERR_INVALID_ARG_TYPE\n';
  t.equal((await run('node')).out, `node,node,node,node,node,node\n${rest}`);
  for (const gateway of ['', 'auto', 'uws'])
    t.equal((await run(gateway)).out, `uws,uws,uws,uws,uws,node\n${rest}`, gateway);
  t.match((await run('apache')).err, /VELA_GATEWAY is "auto", "uws" or "node"; received "apache"/);
});

t.test(
  'workers of node:cluster share a port',
  { skip: process.platform !== 'linux' && 'needs SO_REUSEPORT' },
  async (t) => {
    const program = `
    const cluster = require('node:cluster');
    const http = require('node:http');
    const port = Number(process.argv[1]);
    if (cluster.isPrimary) { for (let i = 0; i < 2; i++) cluster.fork(); process.on('SIGTERM', () => process.exit()); }
    else http.createServer((request, response) => response.end(String(process.pid))).listen(port, '127.0.0.1', () => console.log('up'));
  `;
    const port = await freePort();
    const child = spawn(
      process.execPath,
      ['--import', './dist/http/register.js', '--eval', program, String(port)],
      { env: plainEnvironment(), stdio: ['ignore', 'pipe', 'inherit'] },
    );
    t.teardown(() => child.kill('SIGKILL'));
    let lines = '';
    child.stdout.on('data', (bytes) => {
      lines += String(bytes);
    });
    while (lines.split('up').length < 3) await sleep(20);
    const pids = new Set<string>();
    for (let i = 0; i < 64 && pids.size < 2; i++) pids.add(await fetchText({ port }));
    t.equal(pids.size, 2);
    child.kill();
    await once(child, 'exit');
  },
);

t.test('options are those of node:http', async (t) => {
  const options: HttpServerOptions = { keepAliveTimeout: 1234, gateway: 'uws' };
  const server = createServer(options);
  t.equal(server.keepAliveTimeout, 1234);
  t.ok(server instanceof EventEmitter);
  t.equal(server.ref(), server);
  t.equal(server.unref(), server);
});

async function freePort(): Promise<number> {
  const probe = createNodeServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const port = portOf(probe);
  await closed(probe);
  return port;
}

function chunked(text: string): ReadableStream<Uint8Array> {
  return new Blob([text]).stream() as ReadableStream<Uint8Array>;
}
