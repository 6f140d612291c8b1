/** How a server of `vela/http` ends connections, lets its process end and limits heads, beside node:http's own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  Agent,
  createServer as createNodeServer,
  get,
  type IncomingMessage,
  type RequestListener,
  type ServerOptions,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createServer } from '../../src/http/index.js';
import { plainEnvironment } from '../support/run-example.js';

const MAKERS = {
  node: (options: ServerOptions, listener: RequestListener) => createNodeServer(options, listener),
  uws: (options: ServerOptions, listener: RequestListener) =>
    createServer({ ...options, gateway: 'uws' }, listener),
};

type Maker = (typeof MAKERS)['node'];

async function start(test: Test, make: Maker, listener: RequestListener, options: ServerOptions = {}) {
  const server = make(options, listener);
  test.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const fetchText = async (path = '/', agent: Agent | false = false, headers = {}) => {
    const [response] = (await once(get({ host: '127.0.0.1', port, path, agent, headers }), 'response')) as [
      IncomingMessage,
    ];
    const bytes = Buffer.concat(await response.toArray());
    return `${response.statusCode} ${bytes.toString()}`;
  };
  return { server, port, fetchText };
}

/** An agent with one connection, and how many it has opened. */
function keepAlive(test: Test) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  test.teardown(() => agent.destroy());
  const count = { closed: 0 };
  agent.on('free', (socket) => socket.once('close', () => count.closed++));
  return { agent, count };
}

for (const [name, make] of Object.entries(MAKERS)) {
  t.test(`${name}: closeAllConnections() while it listens`, async (t) => {
    let isAborted = false;
    const { server, port, fetchText } = await start(t, make, (request, response) => {
      if (request.url === '/stuck') response.once('close', () => (isAborted = true));
      else response.end('answered');
    });
    const { agent, count } = keepAlive(t);
    t.equal(await fetchText('/', agent), '200 answered');
    const stuck = fetchText('/stuck');
    stuck.catch(() => {});
    while ((await countOf(server)) < 2) await sleep(5);
    await sleep(50);
    server.closeAllConnections();
    await t.rejects(stuck, { code: 'ECONNRESET' });
    while (count.closed < 1 || !isAborted) await sleep(5);
    t.same([server.listening, (server.address() as AddressInfo).port], [true, port]);
    t.equal(await fetchText(), '200 answered', 'it still listens');
  });

  t.test(`${name}: closeIdleConnections() while it listens`, async (t) => {
    const { server, fetchText } = await start(t, make, async (request, response) => {
      if (request.url === '/late') await sleep(300);
      response.end('answered');
    });
    const { agent, count } = keepAlive(t);
    t.equal(await fetchText('/', agent), '200 answered');
    server.closeIdleConnections();
    while (count.closed < 1) await sleep(5);
    t.equal(await fetchText('/', agent), '200 answered');
    const late = fetchText('/late');
    while ((await countOf(server)) < 2) await sleep(5);
    await sleep(50);
    server.closeIdleConnections();
    t.equal(await fetchText(), '200 answered', 'it still listens');
    t.equal(await late, '200 answered', 'a request under way is answered');
    while (count.closed < 2) await sleep(5);
    const end = once(server, 'close');
    server.close();
    await end;
    t.equal(server.address(), null);
  });

  t.test(`${name}: listen() while close() waits for requests`, async (t) => {
    const events: string[] = [];
    let release = () => {};
    const { server, port, fetchText } = await start(t, make, (request, response) => {
      if (request.url !== '/slow') response.end('answered');
      else release = () => response.end('late');
    });
    server.on('close', () => events.push('close'));
    const slow = fetchText('/slow');
    await once(server, 'request');
    server.close(() => events.push('closed'));
    t.equal(server.listening, false);
    t.equal(server.address(), null);
    await once(server.listen(port, '127.0.0.1'), 'listening');
    t.equal((server.address() as AddressInfo).port, port);
    t.equal(await fetchText(), '200 answered');
    release();
    t.equal(await slow, '200 late');
    await sleep(50);
    t.strictSame(events, [], 'it is not closed while it listens');
    await new Promise((resolve) => server.close(resolve));
    t.strictSame(events, ['close', 'closed']);
  });

  t.test(`${name}: close() is told though listen() has failed meanwhile`, async (t) => {
    const taken = createNodeServer();
    t.teardown(() => taken.close());
    await once(taken.listen(0, '127.0.0.1'), 'listening');
    let release = () => {};
    let closed = 0;
    const { server, fetchText } = await start(t, make, (_request, response) => {
      release = () => response.end('late');
    });
    const slow = fetchText();
    await once(server, 'request');
    const closing = new Promise<void>((resolve) => server.close(() => resolve()));
    server.on('close', () => closed++);
    server.listen((taken.address() as AddressInfo).port, '127.0.0.1');
    const [error] = await once(server, 'error');
    t.equal(error.code, 'EADDRINUSE');
    release();
    t.equal(await slow, '200 late');
    await closing;
    await sleep(20);
    t.equal(closed, 1);
  });

  t.test(`${name}: maxHeaderSize`, async (t) => {
    const { fetchText } = await start(t, make, (_request, response) => response.end('answered'), {
      maxHeaderSize: 1024,
    });
    t.equal(await fetchText('/', false, { 'x-long': 'a'.repeat(800) }), '200 answered');
    t.equal(await fetchText('/', false, { 'x-long': 'a'.repeat(1024) }), '431 ');
    t.equal(await fetchText(`/${'a'.repeat(1024)}`), '431 ');
  });
}

async function countOf(server: ReturnType<Maker>): Promise<number> {
  return new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
}

t.test('a port that was picked can be listened on again at once', async (t) => {
  const { server, port, fetchText } = await start(t, MAKERS.uws, (_request, response) => response.end('one'));
  const { agent } = keepAlive(t);
  t.equal(await fetchText('/', agent), '200 one');
  await new Promise((resolve) => server.close(resolve));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  t.equal(await fetchText(), '200 one');
});

t.test('unref() lets the process end', async (t) => {
  const program = `
    import { once } from 'node:events';
    import { get } from 'node:http';
    import { createServer } from 'vela/http';
    const server = createServer(({ url }, response) => setTimeout(() => response.end(), url === '/late' ? 200 : 0));
    const told = [];
    server.on('listening', () => told.push(server.gateway)).once('listening', () => told.push('once'));
    const ask = (path) => get({ port: server.address().port, path, agent: false }, (response) => console.log(path, response.resume().statusCode));
    const host = process.argv[2];
    if (process.argv[1] === 'before') server.unref();
    server.listen(0, host);
    if (process.argv[1] === 'at once') server.unref();
    if (process.argv[1] === 'later') {
      await once(server, 'listening');
      const { port } = server.address();
      ask('/late');
      await new Promise((resolve) => setTimeout(resolve, 100));
      server.unref();
      if (server.address().port !== port) console.log('another port');
    }
    setTimeout(() => ask('/'), 100);
    process.once('exit', () => console.log(told.join(), server.gateway, server.listening));
  `;
  for (const host of ['127.0.0.1', 'localhost', '::'])
    for (const when of ['before', 'at once', 'later']) {
      const child = spawn(process.execPath, ['--input-type=module', '--eval', program, when, host], {
        env: plainEnvironment(),
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      t.teardown(() => child.kill('SIGKILL'));
      const out = Buffer.concat(await child.stdout.toArray()).toString();
      const expected =
        when === 'later' ? '/ 200\n/late 200\nuws,once node true\n' : '/ 200\nnode,once node true\n';
      t.equal(sorted(out), sorted(expected), `${when}, ${host}`);
    }
  const server = createServer({ gateway: 'uws' }, () => {}).listen(0);
  t.equal(server.unref().gateway, 'uws', 'the gateway was given');
  server.close();
});

function sorted(lines: string): string {
  return lines.split('\n').sort().join('\n');
}
