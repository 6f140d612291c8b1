/** The executor over sockets: bodies, clients that leave, threads that die, deadlines, a stop. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import t from 'tap';
import { createExecutor, type Executor, middlewareInExecutor, offload } from '../../src/executor/index.js';
import {
  type App,
  createExecutor as createFromQuickStart,
  middlewareInExecutor as fromQuickStart,
  HttpError,
  type Middleware,
  offload as offloadFromQuickStart,
  type Server,
  serve,
  WsgiHandler,
} from '../../src/index.js';
import { mount, timeout } from '../../src/middleware/index.js';
import {
  ask,
  counter,
  eventually,
  LONG_MS,
  listen,
  MODULE,
  open,
  site,
  threads,
} from '../support/threads.js';

const GATEWAYS = ['uws', 'node'] as const;
t.setTimeout(280_000);

for (const gateway of GATEWAYS) {
  t.test(`a thread sees the address that its request came to: ${gateway}`, async (t) => {
    const bind = ['127.0.0.1:0', '127.0.0.1:0'];
    const server = await listen(t, site(threads(t), ['show']), { gateway, bind });
    for (const url of [...server.urls, ...server.urls]) {
      const { SERVER_PORT } = (await (await fetch(`${url}/show`)).json()) as { SERVER_PORT: string };
      t.equal(SERVER_PORT, new URL(url).port);
    }
  });

  t.test(`bodies over sockets: ${gateway}`, async (t) => {
    const executor = threads(t, { concurrency: 4 });
    const count = counter(executor);
    const names = [
      'hello',
      'reads',
      'readsSync',
      'readsByLines',
      'bodies',
      'endless',
      'show',
      'writesMuch',
    ] as const;
    const here: App = (_environ, start) => {
      start('200 OK', [['Content-Type', 'text/plain']]);
      return ['here'];
    };
    const app = new WsgiHandler([mount('/here', here), site(executor, names) as Middleware]);
    const server = await listen(t, app, { gateway });
    t.match(await ask(server, '/hello/x'), { status: 200, text: 'Hello /x' });
    t.match(await ask(server, '/hello', { method: 'HEAD' }), { status: 200, text: '' });
    t.match(JSON.parse((await ask(server, '/show?a=%20')).text), {
      SCRIPT_NAME: '/show',
      QUERY_STRING: 'a=%20',
      REMOTE_ADDR: '127.0.0.1',
      SERVER_PORT: new URL(server.url).port,
    });
    const text = 'x'.repeat(3_000_000);
    t.equal((await ask(server, '/readsByLines', { method: 'POST', body: text })).text, '3000000');
    t.equal((await ask(server, '/reads?iterate', { method: 'POST', body: text })).text.length, 3_000_000);
    t.equal((await ask(server, '/bodies?large')).text.length, 3_000_000);
    t.equal((await ask(server, '/bodies?breaks')).text, 'cut', 'an error in the middle cuts the response');

    const slow = open(server, '/readsSync', { method: 'POST', headers: { 'transfer-encoding': 'chunked' } });
    slow.request.write('abcd');
    await eventually('the call has begun', () => executor.metrics().running === 1);
    t.equal((await ask(server, '/here')).text, 'here', 'the loop goes on while a thread waits for a body');
    slow.request.end('ef');
    t.equal((await slow.answered).headers['x-first'], 'abcd');

    const cut = open(server, '/readsByLines', { method: 'POST', headers: { 'content-length': '100' } });
    cut.request.write('abc');
    await eventually('the call has begun', () => executor.metrics().running === 1);
    cut.request.destroy();
    await eventually(
      'an upload that breaks off lets go of its thread',
      () => executor.metrics().running === 0,
    );
    t.equal(await executor.run(MODULE, 'add', 1, 1), 2);

    const reader = open(server, '/endless').request;
    reader.end();
    const [response] = (await once(reader, 'response')) as [IncomingMessage];
    response.pause();
    let before = -1;
    let stillFor = 0;
    // Each look goes through the thread that the generator runs in.
    await eventually('a reader that pauses stops the generator', async () => {
      const now = await count('chunks');
      stillFor = now === before ? stillFor + 1 : 0;
      before = now;
      return stillFor === 20;
    });
    // In the kernel's buffers, the gateway's, the window of the executor: far from all that an hour would make.
    t.ok(before * 16_384 < 32 * 1_048_576, `${before * 16_384} bytes were made`);
    const endings = await count('endings');
    response.destroy();
    await eventually('the generator is ended', async () => (await count('endings')) === endings + 1);

    const writer = open(server, '/writesMuch?5000').request;
    writer.end();
    const [written] = (await once(writer, 'response')) as [IncomingMessage];
    written.pause();
    written.destroy();
    await eventually('a writer that waits for nothing is let go', () => executor.metrics().running === 0);
    t.ok((await count('writes')) <= 5000);
    await server.close();
  });
}

for (const gateway of GATEWAYS) {
  t.test(`a small body comes with its head, or later: ${gateway}`, async (t) => {
    const executor = threads(t, { concurrency: 4 });
    const follow: App = async ({ 'wsgi.input': input }, start) => {
      const rest = await input.read();
      start('200 OK', [['Content-Type', 'text/plain']]);
      return [`rest ${rest.toString()}`];
    };
    const first = middlewareInExecutor(MODULE, { name: 'readsFirst', executor });
    const passing = mount('/readsFirst', new WsgiHandler([first, follow]));
    const reading = site(executor, ['reads', 'readsSync']) as Middleware;
    const server = await listen(t, new WsgiHandler([passing, reading]), { gateway });
    const read = async (answered: Promise<IncomingMessage>) => {
      let text = '';
      for await (const part of await answered) text += String(part);
      return text;
    };
    const isAtRest = () => executor.metrics().running + executor.metrics().waiting === 0;
    const expected = {
      '/reads?read': 'abcdefgh',
      '/reads?iterate': 'abcdefgh',
      '/readsSync': 'abcdefgh',
      '/readsFirst': 'rest fgh',
    };
    for (const [path, text] of Object.entries(expected)) {
      const init = { method: 'POST', headers: { 'content-length': '8' } };
      const whole = open(server, path, init);
      whole.request.end('abcdefgh');
      t.equal(await read(whole.answered), text, `${path}, with its head`);
      await eventually('the call is over', isAtRest);
      const later = open(server, path, init);
      later.request.write('abc');
      await eventually('the call has begun', () => executor.metrics().running === 1);
      later.request.end('defgh');
      t.equal(await read(later.answered), text, `${path}, in pieces`);
      await eventually('the call is over', isAtRest);
    }
    const unread = open(server, '/reads', { method: 'POST', headers: { 'content-length': '8' } });
    unread.request.write('abc');
    t.equal(await read(unread.answered), '', 'who does not read it does not wait for it');
    unread.request.destroy();
  });
}

t.test('a request that is over within its turn begins no call', async (t) => {
  const executor = threads(t);
  const ends: Middleware = ({ 'vela.response': response }) => {
    queueMicrotask(() => response.fail(new HttpError(418)));
  };
  const server = await listen(t, new WsgiHandler([ends, site(executor, ['reads']) as Middleware]));
  t.equal((await ask(server, '/reads', { method: 'POST', body: 'abc' })).status, 418);
  // It would have come before this one.
  await executor.run(MODULE, 'add', 1, 1);
  t.equal(executor.metrics().completed, 1);
});

/** A request of another thread. */
async function pong(server: Server): Promise<string> {
  return (await ask(server, '/hello/ping')).text;
}

t.test('a thread that dies costs its own requests, and is replaced', async (t) => {
  const executor = threads(t, { maxThreads: 2, resourceLimits: { maxOldGenerationSizeMb: 64 } });
  const server = await listen(t, site(executor, ['hello', 'exits', 'eats', 'leaves']));
  for (const name of ['exits', 'eats', 'leaves'] as const) {
    let isDone = false;
    const bad = ask(server, `/${name}`).then((answer) => {
      isDone = true;
      return answer;
    });
    let answered = 0;
    do {
      t.equal(await pong(server), 'Hello /ping', `beside ${name}`);
      answered++;
    } while (!isDone && answered < 100);
    const { status, text } = await bad;
    t.same(name === 'leaves' ? text : status, name === 'leaves' ? 'cut' : 500, name);
    t.equal(await pong(server), 'Hello /ping', `after ${name}`);
  }
  t.equal(executor.metrics().lostThreads, 3);
});

/** The number of the thread; a call may time out while one comes up. */
async function findThread(executor: Executor): Promise<unknown> {
  let found: unknown;
  await eventually('a thread', async () => {
    found = await executor.run(MODULE, 'threadOf').catch(() => undefined);
    return found !== undefined;
  });
  return found;
}

t.test('a call that does not end is 504, and leaves its thread if it can', async (t) => {
  const executor = threads(t, { timeoutMs: 500, killAfterMs: LONG_MS });
  const server = await listen(t, site(executor, ['never']));
  const before = await findThread(executor);
  t.equal((await ask(server, '/never')).status, 504);
  t.match(await executor.run(MODULE, 'neverEnds').catch((error: unknown) => error), { status: 504 });
  // Until it has let go of the call, another one may come up beside it.
  await eventually('the same thread', async () => (await findThread(executor)) === before);
  t.equal(executor.metrics().lostThreads, 0);
});

t.test('a call that holds its thread ends it', async (t) => {
  const executor = threads(t, { timeoutMs: 1500, killAfterMs: 1 });
  const server = await listen(t, site(executor, ['forever', 'hangs']), { stallTimeoutMs: 500 });
  const first = await findThread(executor);
  // While a thread comes up, the time of a call may go by before it has begun.
  await eventually('the thread is ended', async () => {
    t.equal((await ask(server, '/forever')).status, 504);
    return executor.metrics().lostThreads > 0;
  });
  const second = await findThread(executor);
  t.not(second, first);
  await eventually('its answer is cut', async () => (await ask(server, '/hangs')).text === 'cut');
  t.not(await findThread(executor), second, 'which never came to its next call');
});

t.test('a client that leaves is told in the thread', async (t) => {
  const executor = threads(t, { concurrency: 3 });
  const count = counter(executor);
  const server = await listen(t, site(executor, ['watches', 'polls']));
  const begun = new Int32Array(new SharedArrayBuffer(4));
  await executor.run(MODULE, 'shareBegun', begun.buffer);
  for (const name of ['watches', 'polls']) {
    const before = await count('aborts');
    Atomics.store(begun, 0, 0);
    const { request } = open(server, `/${name}`);
    request.end();
    await eventually('the call has begun', () => Atomics.load(begun, 0) === 1);
    request.destroy();
    await eventually(`${name}: an abort`, async () => (await count('aborts')) === before + 1);
  }
  t.equal(executor.metrics().lostThreads, 0);
});

t.test('a deadline is told in the thread', async (t) => {
  const executor = threads(t, { concurrency: 3 });
  const count = counter(executor);
  await count('aborts');
  const app = site(executor, ['watches', 'polls'], [timeout({ timeoutMs: 500 }) as App]);
  const server = await listen(t, app);
  for (const name of ['watches', 'polls']) {
    await eventually(`${name}: a deadline`, async () => {
      // It may come before the call has begun.
      const before = await count('aborts');
      t.equal((await ask(server, `/${name}`)).status, 503, `${name}: a deadline`);
      await eventually('it is over', () => executor.metrics().running === 0);
      return (await count('aborts')) === before + 1;
    });
  }
  t.equal(executor.metrics().lostThreads, 0);
});

t.test('a thread that cannot come up is an error at once', async (t) => {
  const executor = threads(t, { resourceLimits: { maxOldGenerationSizeMb: 1 } });
  await t.rejects(executor.run(MODULE, 'add', 1, 1), {
    code: 'ERR_EXECUTOR_THREAD',
    message: /memory limit/,
  });
});

t.test('close drains, and ends what does not end', async (t) => {
  const own = createFromQuickStart({ maxThreads: 1 });
  t.equal(createFromQuickStart, createExecutor);
  t.same([fromQuickStart, offloadFromQuickStart], [middlewareInExecutor, offload]);
  let came = 0;
  const app = new WsgiHandler([
    () => {
      came++;
    },
    mount('/wait', fromQuickStart(MODULE, { name: 'wait' })),
    mount('/forever', fromQuickStart(MODULE, { name: 'forever' })),
    mount('/own', fromQuickStart(MODULE, { name: 'hello', executor: own })),
  ]);
  const start = () => serve(app, { bind: '127.0.0.1:0', logLevel: 'silent', threadWorkers: 2 });

  const drained = await start();
  const last = ask(drained, '/wait?200');
  t.equal((await ask(drained, '/own')).status, 200);
  await eventually('both have come', () => came === 2);
  await drained.close({ timeoutMs: LONG_MS });
  t.equal((await last).status, 200);

  const cut = await start();
  const endless = fetch(new URL('/forever', cut.url)).then(
    () => 'answered',
    () => 'cut',
  );
  await eventually('it has come', () => came === 3);
  await cut.close({ timeoutMs: 100 });
  t.equal(await endless, 'cut');
  t.equal(await own.run(MODULE, 'add', 1, 1), 2, 'a pool of its own is not closed');
  await own.close();
});
