/** Applications in threads are as they are on the loop: in memory, inside lint. */

import { execFile } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t, { type Test } from 'tap';
import {
  createExecutor,
  type ExecutorCallMessage,
  type ExecutorOptions,
  middlewareInExecutor,
  move,
  type OffloadOptions,
  offload,
  openExecutors,
} from '../../src/executor/index.js';
import {
  type App,
  type Environ,
  HttpError,
  lint,
  type Middleware,
  Router,
  requestOf,
  type VelaError,
  WsgiHandler,
  type WsgiResponse,
  waitForBody,
} from '../../src/index.js';
import { etag, mount, session } from '../../src/middleware/index.js';
import { testClient as plainClient, type TestRequest } from '../../src/testing/index.js';
import { client, recorder, testClient } from '../support/ask.js';
import * as blocking from '../support/blocking.js';
import { LONG_MS, MODULE } from '../support/threads.js';
import { importWithout } from '../support/without-package.js';

t.setTimeout(280_000);
type Name = keyof typeof blocking;
/** The same exports on the loop. */
const HERE: Readonly<Record<Name, unknown>> = { ...blocking };

/** An executor that ends with its test. */
function threads(t: Test, options: ExecutorOptions = {}) {
  const executor = createExecutor({ maxThreads: 1, timeoutMs: LONG_MS, ...options });
  t.teardown(() => executor.close({ timeoutMs: 0 }));
  return executor;
}

// One for all tests that need nothing of their own.
const shared = createExecutor({ name: 'shared', maxThreads: 2, concurrency: 2, timeoutMs: LONG_MS });
t.teardown(() => shared.close({ timeoutMs: 0 }));

const inThread = (name: Name, options: OffloadOptions = {}) =>
  lint(middlewareInExecutor(MODULE, { name, executor: shared, ...options }));
const run = (name: Name, ...args: unknown[]) => shared.run(MODULE, name, ...args);

async function refusal(work: () => unknown): Promise<Error & { code?: string; status?: number }> {
  try {
    await work();
  } catch (error) {
    return error as Error & { code?: string };
  }
  throw new Error('nothing was thrown');
}

/** So many turns of the loop. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((go) => setImmediate(go));
}

/** Tries until it is true. */
async function eventually(condition: () => unknown): Promise<void> {
  const end = Date.now() + 120_000;
  while ((await condition()) !== true) {
    if (Date.now() > end) throw new Error('it never came to be');
    await new Promise((go) => setTimeout(go, 5));
  }
}

/** All that a client sees of an answer. */
async function see(app: App | Middleware, target: string, request: TestRequest) {
  const one = testClient(app as App);
  try {
    const response = await one.request(target, request);
    const body = await response.text().catch((error: VelaError) => error.code);
    const headers = response.headers.filter(([name]) => name !== 'X-Thread' && name !== 'X-Request-ID');
    return { status: response.statusLine, headers, body };
  } catch (error) {
    return { code: (error as VelaError).code };
  } finally {
    await one.close();
  }
}

t.test('answers are those that the application gives on the loop', async (t) => {
  const cases: [name: Name, target?: string, request?: TestRequest][] = [
    ['hello', '/a%20b'],
    ['later', '/', { method: 'PUT' }],
    ['response'],
    ['stack'],
    ['stack', '/404'],
    ['writes'],
    ['restarts'],
    ['noContent'],
    ['lines'],
    ['hello', '/', { method: 'HEAD' }],
    ['writes', '/', { method: 'HEAD' }],
    ['noContent', '/', { method: 'HEAD' }],
    ['emptyResponse'],
    ['emptyResponse', '/', { method: 'HEAD' }],
    ['response', '/', { method: 'HEAD' }],
    ...['generator', 'async', 'none'].map((kind): [Name, string, TestRequest] => [
      'bodies',
      `/?${kind}`,
      { method: 'HEAD' },
    ]),
    ...['generator', 'async', 'bytes', 'text', 'large', 'moved', 'breaks', 'none'].map(
      (kind) => ['bodies', `/?${kind}`] as [Name, string],
    ),
    ...['http', 'status', 'type', 'own', 'text', 'details', 'function'].map(
      (kind): [Name, string, TestRequest] => [
        'throws',
        `/?${kind}`,
        { headers: { accept: 'application/json' } },
      ],
    ),
    ['rejects'],
    ['nothing'],
    ['mixes'],
    ['tiny', '/?3000'],
    ['errorsTo'],
    ['follows', '/?abc'],
    ...['read', 'iterate', 'lines'].flatMap((how) =>
      ['', 'one\ntwo', 'x'.repeat(1_000_000)].map(
        (body) => ['reads', `/?${how}`, { method: 'POST', body }] as [Name, string, TestRequest],
      ),
    ),
  ];
  for (const [name, target = '/', request = {}] of cases) {
    const here = await see(lint(HERE[name] as App), target, request);
    const there = await see(inThread(name), target, request);
    t.same(there, here, `${name} ${target} ${request.method ?? ''}`);
  }
});

t.test('breaches of the contract are told as such, and are those of the thread', async (t) => {
  const ask = async (name: Name) => {
    const log = recorder();
    const one = plainClient(middlewareInExecutor(MODULE, { name, executor: shared }), { logger: log });
    const response = await one.get('/').then(
      async (found) => [found.status, await found.text().catch(() => 'cut')],
      () => 'cut',
    );
    await one.close();
    return [response, ...log.lines.map(({ details: { err } }) => (err as VelaError).code)];
  };
  t.match(await ask('twice'), [[500], 'ERR_CONTRACT_STARTED']);
  t.match(await ask('startsNothing'), [[500], /ERR_CONTRACT/]);
  t.match(await ask('splits'), [[500], 'ERR_CONTRACT_HEADER_VALUE']);
  t.match(await ask('short'), [[500], 'ERR_CONTRACT_LENGTH']);
});

t.test('the environ is that of the request', async (t) => {
  const assign: Middleware = lint((environ) => {
    environ['vela.user'] = { name: 'ada', since: new Date(0), tags: new Map([['a', 1]]) };
    environ.HTTP_X_TWICE = 'assigned';
  });
  const request = {
    headers: { 'user-agent': 'test', 'x-twice': 'a', cookie: 'a=1', 'content-type': 'text/x' },
    method: 'POST',
    body: 'abc',
  };
  const show = async (app: App | Middleware) =>
    JSON.parse(
      String((await see(new WsgiHandler([assign, app]), '/caf%C3%A9/x?q=1', request)).body),
    ) as object;
  const there = await show(inThread('show'));
  t.same(there, await show(lint(blocking.show)));
  t.match(there, {
    PATH_INFO: '/café/x',
    QUERY_STRING: 'q=1',
    RAW_URI: '/caf%C3%A9/x?q=1',
    SERVER_NAME: 'testserver',
    HTTP_X_TWICE: 'assigned',
    CONTENT_LENGTH: '3',
    'vela.user': { name: 'ada', since: '1970-01-01T00:00:00.000Z' },
    hasAgent: true,
    hasTunnel: false,
  });
  const few = inThread('show', { headers: ['User-Agent'], clientAddress: false });
  t.match(await show(few), { HTTP_USER_AGENT: 'test', HTTP_COOKIE: undefined, REMOTE_ADDR: '' });
});

t.test('a mounted application, and a route, know where they are', async (t) => {
  const there = client(t, mount('/shop', inThread('show')));
  t.match(await (await there.get('/shop/a%2Fb')).json(), {
    SCRIPT_NAME: '/shop',
    PATH_INFO: '/a/b',
    'vela.raw_path': '/a%2Fb',
    RAW_URI: '/shop/a%2Fb',
  });
  const validate = (value: unknown) => ({ value });
  const anything = { '~standard': { version: 1, vendor: 'test', validate } } as const;
  const router = new Router()
    .get('/reports/:id', offload(MODULE, { name: 'report', executor: shared }))
    .get('/checked/:id', { query: anything }, offload(MODULE, { name: 'report', executor: shared }))
    .get('/own/:id', { middleware: [inThread('nothing')] }, ({ params }) => params);
  const routed = client(t, router);
  t.same(await (await routed.get('/reports/7?q=x')).json(), { id: '7', query: 'x' });
  t.same(await (await routed.get('/checked/8?q=y')).json(), { id: '8', query: 'y' }, 'behind a schema');
  t.same(await (await routed.get('/own/3')).json(), { id: '3' }, 'a middleware that passes on');
});

t.test('what cannot cross is an error for who reads it', async (t) => {
  class Account {
    readonly #secret = 1;
    read = () => this.#secret;
  }
  const assign: Middleware = (environ) => {
    environ['x.function'] = () => 1;
    environ['x.class'] = new Account();
    environ['x.big'] = 10n;
    environ['x.bytes'] = new Uint8Array([1, 2]);
  };
  const stack = new WsgiHandler([session({ passwords: ['s'.repeat(32)] }), assign, inThread('readsKey')]);
  const there = client(t, stack);
  for (const key of ['x.function', 'x.class', 'vela.session']) {
    const log = recorder();
    const one = plainClient(stack, { logger: log });
    t.equal((await one.get(`/?${key}`)).status, 500, key);
    t.match(log.lines[0]?.details.err, {
      code: 'ERR_EXECUTOR_KEY',
      message: `environ['${key}'] cannot be read`,
    });
    await one.close();
  }
  t.same(await (await there.get('/?x.bytes')).json(), { value: { 0: 1, 1: 2 } });
  t.same(await (await there.get('/?x.absent')).json(), { value: null });
  const assigning = client(
    t,
    new WsgiHandler([session({ passwords: ['s'.repeat(32)] }), inThread('assignsKey')]),
  );
  t.same(await (await assigning.get('/')).json(), { value: 'another' }, 'it may be replaced');
  const broken: Middleware = (environ) => {
    environ['vela.raw_path'] = '/a\nb';
  };
  const split = testClient(new WsgiHandler([broken, inThread('hello')]));
  t.equal((await split.get('/')).status, 500, 'a path with a line break');
  await split.close();
});

t.test('a body is read without waiting, in memory or on its way', async (t) => {
  const slow = async function* () {
    for (let i = 0; i < 40; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      yield 'x'.repeat(10_000);
    }
  };
  for (const before of [[], [waitForBody()]]) {
    const there = (name: Name) => client(t, new WsgiHandler([...before, inThread(name)]));
    const title = before.length === 0 ? 'on its way' : 'in memory';
    const sync = await there('readsSync').post('/', { body: 'abcdefg' });
    t.same(
      [sync.header('x-first'), sync.header('x-rest'), await sync.text()],
      ['abcd', '3', 'abcdefg'],
      title,
    );
    t.equal(await (await there('readsByLines').post('/', { body: slow() })).text(), '400000', title);
    t.equal(await (await there('readsLater').post('/', { body: slow() })).text(), '400000', title);
    t.equal(await (await there('readsSync').post('/')).text(), '', title);
    t.equal((await (await there('reads').post('/?iterate', { body: slow() })).text()).length, 400_000, title);
  }
});

t.test('who follows has the body that a middleware in a thread leaves', async (t) => {
  const read: App = async ({ 'wsgi.input': input }, startResponse) => {
    const bytes = await input.read();
    startResponse('200 OK', [['Content-Type', 'text/plain']]);
    return [bytes];
  };
  const text = Array.from({ length: 60_000 }, (_, i) => `${i},`).join('');
  const pieces = (size: number) =>
    async function* () {
      for (let at = 0; at < text.length; at += size) {
        await new Promise((resolve) => setImmediate(resolve));
        yield text.slice(at, at + size);
      }
    };
  const bodies: [string, string, () => TestRequest['body']][] = [
    ['small', 'abcdefgh', () => 'abcdefgh'],
    ['large', text, () => text],
    ['in small pieces', text, () => pieces(3000)()],
    ['in large pieces', text, () => pieces(70_000)()],
    ['empty', '', () => ''],
  ];
  for (const before of [[], [waitForBody()]]) {
    for (const [name, skipped] of [
      ['nothing', 0],
      ['readsSome', 3],
      ['readsFirst', 5],
    ] as const) {
      const there = client(t, new WsgiHandler([...before, inThread(name), lint(read)]));
      for (const [title, whole, body] of bodies) {
        const sent = body();
        const got = await (await there.post('/', sent === undefined ? {} : { body: sent })).text();
        t.ok(
          got === whole.slice(skipped),
          `${name}, ${title}, ${before.length === 0 ? 'streamed' : 'loaded'}`,
        );
      }
    }
  }
});

t.test('a body that somebody keeps is still there when a thread has had it', async (t) => {
  const text = 'b'.repeat(200_000);
  for (const name of ['nothing', 'keepsBody'] as const) {
    for (const middleware of [lint(HERE[name] as Middleware), inThread(name)]) {
      const kept: Buffer[] = [];
      const keep: Middleware = async (environ) => {
        kept.push(await requestOf(environ).bytes());
      };
      const answer: App = async (environ, startResponse) => {
        const again = await requestOf(environ).bytes();
        startResponse('200 OK', [['Content-Type', 'text/plain']]);
        return [String(again.length)];
      };
      for (const before of [[keep], []]) {
        const there = client(t, new WsgiHandler([...before, middleware, answer]));
        t.equal(await (await there.post('/', { body: text })).text(), '200000', `${name} ${before.length}`);
      }
      t.equal(kept[0]?.toString(), text);
    }
  }
});

t.test('what is no input is refused, and costs no thread', async (t) => {
  const executor = threads(t);
  const replace: Middleware = (environ) => {
    environ['wsgi.input'] = { read: async () => Buffer.alloc(0) } as never;
  };
  const log = recorder();
  const one = plainClient(
    new WsgiHandler([replace, middlewareInExecutor(MODULE, { name: 'hello', executor })]),
    {
      logger: log,
    },
  );
  t.equal((await one.post('/', { body: 'x' })).status, 500);
  t.match(log.lines[0]?.details.err, { code: 'ERR_EXECUTOR_ENVIRON', message: /\['wsgi\.input'\] must be/ });
  await one.close();
  t.match(executor.metrics(), { running: 0, waiting: 0 });
});

t.test('the end of an answer that nobody waits for ends no other', async (t) => {
  const executor = threads(t, { ahead: 0 });
  const gate = new Int32Array(new SharedArrayBuffer(4));
  await executor.run(MODULE, 'shareGate', gate.buffer);
  const [late, other] = (['answersLate', 'follows'] as const).map((name) => {
    const one = testClient(middlewareInExecutor(MODULE, { name, executor }));
    t.teardown(() => one.close());
    return one;
  }) as [ReturnType<typeof testClient>, ReturnType<typeof testClient>];
  await other.get('/');
  const abort = new AbortController();
  const left = refusal(() => late.get('/', { signal: abort.signal }));
  await eventually(() => executor.metrics().running === 1);
  const answers = ['a', 'b', 'c'].map(async (text) => (await other.get(`/?${text}`)).json());
  await eventually(() => executor.metrics().waiting === 3);
  abort.abort();
  await left;
  // What the thread is told leaves in the next turn.
  await turns(2);
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
  t.same(await Promise.all(answers), [{ store: 'a' }, { store: 'b' }, { store: 'c' }]);
});

t.test('a body keeps its order while a handler of the same thread looks for its client', async (t) => {
  const executor = threads(t, { concurrency: 2 });
  const [polling, reading] = (['pollsLoaded', 'reads'] as const).map((name) => {
    const one = testClient(middlewareInExecutor(MODULE, { name, executor }));
    t.teardown(() => one.close());
    return one;
  }) as [ReturnType<typeof testClient>, ReturnType<typeof testClient>];
  await reading.post('/?iterate', { body: 'x' });
  let go = () => {};
  const gone = new Promise<void>((resolve) => {
    go = resolve;
  });
  const abort = new AbortController();
  const first = async function* () {
    yield 'a';
    await gone;
  };
  const second = async function* () {
    yield '0';
    await gone;
    // Within the turn in which the other body ends, and behind it: both go to the thread as one message.
    for (let i = 0; i < 50; i++) await null;
    for (const text of ['1', '2', '3']) {
      yield text;
      await turns(3);
    }
    abort.abort();
  };
  const left = refusal(() => polling.post('/', { body: first(), signal: abort.signal }));
  const answer = reading.post('/?iterate', { body: second() });
  await eventually(() => executor.metrics().running === 2);
  await turns(10);
  go();
  t.equal(await (await answer).text(), '0123');
  await left;
});

t.test('a generator that looks for its client in the middle of a step is ended all the same', async (t) => {
  const executor = threads(t);
  const one = testClient(middlewareInExecutor(MODULE, { name: 'pollsInBody', executor }));
  t.teardown(() => one.close());
  const before = await executor.run(MODULE, 'count', 'endings');
  const abort = new AbortController();
  const response = await one.get('/', { signal: abort.signal });
  const cut = refusal(() => response.text());
  abort.abort();
  await cut;
  t.equal(await executor.run(MODULE, 'count', 'endings'), Number(before) + 1);
});

t.test('errors that cannot be read are told all the same, and end no thread', async (t) => {
  const executor = threads(t);
  const one = testClient(middlewareInExecutor(MODULE, { name: 'throwsOdd', executor }));
  t.teardown(() => one.close());
  for (const kind of (await executor.run(MODULE, 'oddities')) as string[]) {
    const error = await refusal(() => executor.run(MODULE, 'throwOdd', kind));
    t.match(error.message, kind === 'proxy' ? /cannot be read/ : /^odd$/, kind);
    t.equal((await one.get(`/?${kind}`)).status, 500, kind);
  }
  t.equal(executor.metrics().lostThreads, 0);
});

t.test('errors keep their class, and what they carry', async (t) => {
  const seen: Error[] = [];
  const stack = new WsgiHandler([inThread('throws')], { responseMiddleware: [] });
  const log = recorder();
  const one = plainClient(stack, { logger: log });
  t.teardown(() => one.close());
  for (const kind of ['type', 'own', 'text', 'function']) {
    await one.get(`/?${kind}`);
    seen.push(log.lines.at(-1)?.details.err as Error);
  }
  const [type, own, text, withFunction] = seen;
  t.match(type, { name: 'TypeError', message: 'kaputt', code: 'E_K', extra: { n: 1 } });
  t.ok(type instanceof TypeError && type.cause instanceof RangeError);
  t.match(type?.stack, /blocking\.mjs/);
  t.match(own, { name: 'OwnError', message: 'own' });
  t.match(text, { message: /no Error was thrown: "just text"/ });
  t.match(withFunction, { message: 'with a function' });
  const http = await refusal(() => run('rejectsWith', 418));
  t.ok(http instanceof HttpError);
  t.match(http, { status: 418, headers: [['X-A', 'b']], details: [{ path: '/a', message: 'm' }] });
  const many = (await refusal(() => run('throwMany'))) as AggregateError;
  t.ok(many instanceof AggregateError);
  t.ok(many.errors[0] instanceof TypeError && many.errors[1] instanceof RangeError);
  t.same(many.cause, { n: 1 });
});

t.test('executor.run calls any function', async (t) => {
  t.equal(await shared.run<typeof blocking, 'add'>(MODULE, 'add', 1, 2), 3);
  t.equal(await shared.run<typeof blocking, 'addLater'>(MODULE.href, 'addLater', 1, 2), 3);
  const bytes = move(new Uint8Array(100_000).fill(7));
  const got = (await run('takeBytes', bytes)) as Uint8Array;
  t.same([got.length, got[99_999], bytes.length], [100_000, 7, 0], 'bytes that are moved leave');
  const kept = new Uint8Array(100_000).fill(7);
  await run('takeBytes', kept);
  t.equal(kept.length, 100_000, 'others are cloned');
  t.match(await refusal(() => run('add', () => 1)), { code: 'ERR_EXECUTOR_ARGUMENTS' });
  const others = [1, 2, 3].map((n) => run('add', n, n));
  const bad = refusal(() => run('add', () => 1));
  t.same(await Promise.all(others), [2, 4, 6], 'those beside it are not hurt');
  t.match(await bad, { code: 'ERR_EXECUTOR_ARGUMENTS' });
  t.match(await refusal(() => run('giveFunction')), { code: 'ERR_EXECUTOR_RESULT' });
  const twice = move(new Uint8Array(100_000).fill(7));
  t.equal(((await run('takeBytes', twice, twice)) as Uint8Array).length, 100_000, 'the same bytes twice');
  t.match(await refusal(() => run('throwOwn')), { name: 'OwnError', message: 'from a function' });
  t.match(await refusal(() => run('notCallable')), {
    code: 'ERR_EXECUTOR_EXPORT',
    message: /"notCallable".* is 5\. The executor needs a function/,
  });
  t.match(await refusal(() => run('addd' as Name)), {
    message: /no export "addd" \(did you mean "add"\?\); it/,
  });
  t.match(await refusal(() => run('absent' as Name)), {
    code: 'ERR_EXECUTOR_EXPORT',
    message: /exports .*"add"/,
  });
  t.throws(() => shared.run(MODULE, ''), /takes the name of an export; received ""/);
  t.throws(() => shared.run(new URL('./none.js', import.meta.url), 'x'), /there is no file .*none\.js/);
  // One that nobody awaits ends no process.
  void run('throwOwn');
  await run('add', 1, 1);
});

t.test('what is sent and cannot be read costs only its own call', async (t) => {
  const executor = threads(t);
  const circle = blocking.giveCircle();
  const calls = [
    executor.run(MODULE, 'add', 1, 2),
    refusal(() => executor.run(MODULE, 'add', circle)),
    executor.run(MODULE, 'add', 1, 3),
  ];
  const [first, refused, last] = await Promise.all(calls);
  t.same([first, last], [3, 4]);
  t.match(refused, { code: 'ERR_EXECUTOR_ARGUMENTS', cause: { message: /deserialize/ } });
  t.match(await refusal(() => executor.run(MODULE, 'giveCircle')), { code: 'ERR_EXECUTOR_RESULT' });
  t.equal(await executor.run(MODULE, 'add', 1, 4), 5);
  t.match(executor.metrics(), { running: 0, waiting: 0, lostThreads: 0 });
});

t.test('wrong calls are refused at once, with the right one', async (t) => {
  const refused = (module: unknown, options?: unknown) => () =>
    middlewareInExecutor(module as URL, options as OffloadOptions);
  t.throws(refused(blocking.hello), {
    name: 'TypeError',
    message:
      /middlewareInExecutor takes a module .* a function cannot be sent .*new URL\('\.\/blocking\.js', import\.meta\.url\)/,
  });
  t.throws(
    refused('./blocking.js'),
    /takes the URL of a module, .*, or .*pathToFileURL\(.*received "\.\/blocking\.js"/,
  );
  t.throws(refused('https://example.com/a.js'), /received "https:/);
  t.throws(refused(undefined), /received undefined/);
  t.throws(refused(new URL('./gone.js', import.meta.url)), /there is no file .*gone\.js/);
  t.throws(refused(MODULE, { nam: 'hello' }), /no option "nam" \(did you mean "name"\?\)/);
  t.throws(refused(MODULE, { name: 5 }), /must be the name of an export; received 5/);
  t.throws(refused(MODULE, { executor: {} }), /must come from createExecutor\(\)/);
  t.throws(refused(MODULE, { headers: ['HTTP_HOST'] }), /must be a list such as/);
  t.throws(refused(MODULE, { clientAddress: 1 }), /must be true or false/);
  t.throws(() => offload(blocking.report as never), /offload takes a module/);
  t.throws(() => move('text' as never), /move\(\) takes bytes of an ArrayBuffer; received "text"/);
  t.throws(
    () => createExecutor({ maxThread: 1 } as never),
    /no option "maxThread" \(did you mean "maxThreads"\?\)/,
  );
  t.throws(() => createExecutor({ maxThreads: 0 }), /must be an integer from 1 to 1024; received 0/);
  t.throws(() => createExecutor({ minThreads: 3, maxThreads: 2 }), /must not be greater than "maxThreads"/);
  t.throws(
    () => createExecutor({ resourceLimits: { maxOldGenerationSizeMB: 1 } as never }),
    /resourceLimits has no option .* \(did you mean "maxOldGenerationSizeMb"\?\)/,
  );
  t.throws(
    () => createExecutor({ resourceLimits: { stackSizeMb: '4' } as never }),
    /"stackSizeMb" of resourceLimits must be a number of MiB/,
  );
  t.throws(() => createExecutor({ env: { A: 1 } as never }), /"env" .* must hold text; received 1 for "A"/);
  t.throws(refused(new URL('.', import.meta.url)), /there is no file .*test\//, 'a folder');
  t.throws(() => createExecutor({ name: '' }), /"name" of createExecutor must be text/);
  t.throws(() => shared.close({ timeoutMs: -1 }), /must be a number of milliseconds; received -1/);
  t.throws(() => shared.close({ ms: 1 } as never), /close has no option "ms"/);
  const app = middlewareInExecutor(MODULE);
  const error = await refusal(() => app({} as Environ, () => () => undefined));
  t.match(error, { code: 'ERR_EXECUTOR_STOPPED', message: /serve\(\), WsgiServer or testClient\(\)/ });
  const copy = client(t, new WsgiHandler([inThread('hello')]));
  await copy.get('/');
  const copied = testClient((environ, startResponse) => {
    return middlewareInExecutor(MODULE, { executor: shared })(
      { ...environ } as Environ,
      startResponse,
    ) as never;
  });
  t.equal((await copied.get('/')).status, 500);
  await copied.close();
});

t.test('who walks a body of a thread by hand gets promises', async (t) => {
  const inner = middlewareInExecutor(MODULE, { name: 'bodies', executor: shared });
  const walk: App = async (environ, startResponse) => {
    const body = await inner(environ, startResponse);
    const steps = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    const chunks: Uint8Array[] = [];
    for (;;) {
      const step = steps.next();
      t.type(step, Promise);
      const { done, value } = await step;
      if (done === true) return chunks;
      chunks.push(Buffer.from(value));
    }
  };
  const app = Object.assign(walk, { start: inner.start, stop: inner.stop }) as App;
  t.equal(await (await client(t, app).get('/?generator')).text(), 'one two three');
});

t.test('what is wrong with a module is known when the server starts', async (t) => {
  const folder = t.testdir({
    'throws.mjs': 'throw new RangeError("at import")',
    'exits.mjs': 'process.exit(3)',
    'hangs.mjs': 'for (;;);',
    'waits.mjs': 'await new Promise(() => {})',
    'syntax.mjs': 'export const',
    'starts.mjs': 'export default Object.assign(() => [], { start() { throw new Error("in start") } })',
    'common.cjs':
      'exports.hello = (environ, start) => { start("200 OK", [["Content-Type", "text/plain"]]); return ["cjs"]; }',
    'object.mjs':
      'export const app = { handle(environ, start) { start("200 OK", [["Content-Type", "text/plain"]]); return ["object"]; } }',
  });
  const url = (file: string) => pathToFileURL(`${folder}/${file}`);
  const start = async (file: string, name = 'default', executor = shared) => {
    const one = testClient(middlewareInExecutor(url(file), { name, executor }));
    const error = await refusal(() => one.get('/'));
    await one.close();
    return error;
  };
  const alone = (file: string, loadTimeoutMs = 1000) =>
    start(file, 'default', threads(t, { name: file, loadTimeoutMs }));
  const late = /mjs: a module took too long to load/;
  const [throws, syntax, starts, exits, hangs, waits, absent] = await Promise.all([
    start('throws.mjs'),
    start('syntax.mjs'),
    start('starts.mjs'),
    alone('exits.mjs', 250_000),
    alone('hangs.mjs'),
    alone('waits.mjs'),
    start('common.cjs', 'nope'),
  ]);
  t.match(throws, { name: 'RangeError', message: 'at import' });
  t.match(syntax, { name: 'SyntaxError' });
  t.match(starts, { message: 'in start' });
  t.match(exits, { code: 'ERR_EXECUTOR_LOAD', message: /exits\.mjs.*exited with code: 3/ });
  t.match(hangs, { code: 'ERR_EXECUTOR_LOAD', message: late });
  t.match(waits, { code: 'ERR_EXECUTOR_LOAD', message: late });
  t.match(absent, { code: 'ERR_EXECUTOR_EXPORT', message: /has no export "nope"; it exports/ });
  for (const [file, name, text] of [
    ['common.cjs', 'hello', 'cjs'],
    ['object.mjs', 'app', 'object'],
  ] as const) {
    const app = middlewareInExecutor(url(file), { name, executor: shared });
    t.equal(await (await client(t, app).get('/')).text(), text, file);
  }
  const hung = threads(t, { loadTimeoutMs: 1000 });
  t.match(await refusal(() => hung.run(url('hangs.mjs'), 'default')), { code: 'ERR_EXECUTOR_LOAD' });
});

t.test('a module that ends its thread ends no other call for good', async (t) => {
  const folder = t.testdir({ 'exits.mjs': 'process.exit(3)' });
  const executor = threads(t, { maxThreads: 2 });
  await executor.run(MODULE, 'add', 1, 1);
  const exits = () => executor.run(pathToFileURL(`${folder}/exits.mjs`), 'default');
  t.match(await refusal(exits), { code: 'ERR_EXECUTOR_LOAD', message: /exits\.mjs.*exited with code: 3/ });
  t.equal(await executor.run(MODULE, 'add', 1, 2), 3);
  await executor.reload();
  t.equal(await executor.run(MODULE, 'add', 1, 3), 4, 'new threads do not load it before it is called');
  t.match(await refusal(exits), { code: 'ERR_EXECUTOR_LOAD', message: /exits\.mjs/ });
  t.equal(await executor.run(MODULE, 'add', 1, 4), 5);
});

t.test('a module that serves itself is told so, and makes no threads without end', async (t) => {
  const vela = JSON.stringify(new URL('../../dist/index.js', import.meta.url).href);
  const folder = t.testdir({
    'itself.mjs': `
      import { middlewareInExecutor, serve } from ${vela};
      export const app = () => [];
      const itself = middlewareInExecutor(new URL(import.meta.url), { name: 'app' });
      await serve(itself, { bind: '127.0.0.1:0', logLevel: 'silent' });`,
  });
  const executor = threads(t);
  t.match(await refusal(() => executor.run(pathToFileURL(`${folder}/itself.mjs`), 'app')), {
    code: 'ERR_EXECUTOR_NESTED',
    message: /must not start .* a file of their own/,
  });
});

t.test('a module is its source, or what it was compiled to, whichever is there', async (t) => {
  const folder = t.testdir({
    'source.mts': 'export const say = (): string => "source"',
    'compiled.mjs': 'export const say = () => "compiled"',
  });
  const at = (file: string) => pathToFileURL(`${folder}/${file}`);
  t.equal(await shared.run(at('source.mjs'), 'say'), 'source');
  t.equal(await shared.run(at('compiled.mts'), 'say'), 'compiled');
  t.match(await refusal(() => shared.run(at('none.mts'), 'say')), {
    message: /there is no file .*none\.mts/,
  });
});

const readsTypes = 'typescript' in process.features && Boolean(process.features.typescript);
t.test('without tsx a module in TypeScript is refused, with the remedy', { skip: readsTypes }, async (t) => {
  const main = `
    import { createExecutor } from 'vela/executor';
    const executor = createExecutor();
    await executor.run(new URL('./typed.ts', import.meta.url), 'f').finally(() => executor.close());`;
  t.match(
    await importWithout(t, {
      missing: 'tsx',
      entry: './main.mjs',
      others: ['vela'],
      files: { 'main.mjs': main, 'typed.ts': 'export const f = (n: number) => n;' },
    }),
    /typed\.ts is TypeScript, which needs tsx on Node .*npm install -D tsx.* \| ERR_MODULE_NOT_FOUND$/,
  );
});

t.test('what every object has is no export', async (t) => {
  const folder = t.testdir({ 'common.cjs': 'module.exports = { ["a" + "b"]: () => 1 }' });
  const common = pathToFileURL(`${folder}/common.cjs`);
  t.equal(await shared.run(common, 'ab'), 1);
  for (const name of ['constructor', '__proto__', 'toString'])
    t.match(await refusal(() => shared.run(common, name)), { code: 'ERR_EXECUTOR_EXPORT' }, name);
});

t.test('a module that loads longer than a thread may be idle is loaded', async (t) => {
  const folder = t.testdir({
    'slow.mjs':
      'await new Promise((go) => setTimeout(go, 500)); export default (e, start) => { start("204 No Content", []); return []; }',
  });
  const executor = threads(t, { minThreads: 0, idleTimeoutMs: 0 });
  const there = client(t, middlewareInExecutor(pathToFileURL(`${folder}/slow.mjs`), { executor }));
  t.equal((await there.get('/')).status, 204);
});

t.test('a module that is slow to load holds up no other', async (t) => {
  const folder = t.testdir({
    'slow.mjs': 'await new Promise((go) => { globalThis.go = go; }); export default () => 5;',
  });
  const executor = threads(t);
  await executor.run(MODULE, 'add', 1, 1);
  const slow = executor.run(pathToFileURL(`${folder}/slow.mjs`), 'default');
  t.equal(await executor.run(MODULE, 'add', 1, 2), 3);
  // Its import may not have begun.
  await eventually(() => executor.run(MODULE, 'callGlobal', 'go'));
  t.equal(await slow, 5);
});

t.test('parts start and stop in each thread', async (t) => {
  const file = `${t.testdir()}/stopped`;
  const executor = createExecutor({ maxThreads: 1, env: { STOP_FILE: file, VELA_TEST: 'set' } });
  const one = testClient(middlewareInExecutor(MODULE, { name: 'part', executor }), { maxBodyBytes: 77 });
  t.equal(await (await one.get('/')).text(), 'started for 77');
  t.equal(await executor.run(MODULE, 'environment', 'VELA_TEST'), 'set');
  await one.close();
  await executor.close();
  t.equal(readFileSync(file, 'utf8'), 'stopped');
  t.match(await refusal(() => executor.run(MODULE, 'add', 1, 1)), { code: 'ERR_EXECUTOR_CLOSED' });
  const late = testClient(middlewareInExecutor(MODULE, { executor }));
  t.match(await refusal(() => late.get('/')), { code: 'ERR_EXECUTOR_CLOSED' });
  await late.close();
});

t.test('two servers may share an executor, and several exports a thread', async (t) => {
  const executor = threads(t);
  const app = middlewareInExecutor(MODULE, { name: 'hello', executor });
  const names = new Set<string>();
  const clients = [testClient(app), testClient(app), testClient(middlewareInExecutor(MODULE, { executor }))];
  for (const one of clients) names.add((await one.get('/')).header('x-thread') ?? '');
  t.equal(names.size, 1, 'the same thread');
  await clients[0]?.close();
  t.equal((await clients[1]?.get('/'))?.status, 200, 'one goes on when the other stops');
  await clients[1]?.close();
  await clients[2]?.close();
  const both = [testClient(app), testClient(app)];
  const answers = await Promise.all(both.map((one) => one.get('/')));
  t.same(
    answers.map(({ status }) => status),
    [200, 200],
    'started at the same time',
  );
  for (const one of both) await one.close();
  t.equal(executor.metrics().threads, 1, 'it is not closed by them');
});

t.test('the shared pool of a server ends with it', async (t) => {
  const app = new WsgiHandler([
    mount('/a', middlewareInExecutor(MODULE, { name: 'hello' })),
    mount('/b', middlewareInExecutor(MODULE, { name: 'hello' })),
  ]);
  const one = testClient(app);
  t.equal((await one.get('/a')).header('x-thread'), (await one.get('/b')).header('x-thread'));
  await one.close();
  t.match(app.describe(), { parts: [{}, {}] });
});

t.test('log lines of a thread name their request', async (t) => {
  const log = recorder();
  const stack = new WsgiHandler([
    (environ) => {
      environ['vela.request_id'] = 'the-id';
    },
    mount('/path', middlewareInExecutor(MODULE, { name: 'logs', executor: shared })),
  ]);
  const named = (namespace: string) => ({
    ...log,
    warn: (details: object, message: string) => log.warn({ ...details, namespace }, message),
  });
  const one = plainClient(stack, { logger: { ...log, named } });
  t.teardown(() => one.close());
  await one.get('/path?q');
  await eventually(() => log.lines.length === 3);
  t.match(log.lines, [
    {
      level: 'info',
      message: 'from a thread',
      details: { n: 1, requestId: 'the-id', method: 'GET', uri: '/path' },
    },
    { level: 'error', message: 'an error', details: { err: { name: 'TypeError', message: 'logged' } } },
    { level: 'warn', message: 'of a namespace', details: { namespace: 'shop', requestId: 'the-id' } },
  ]);
  t.ok(log.lines[1]?.details.err instanceof TypeError);
});

t.test('a log line fails for nothing that it tells, and the last one of a thread is heard', async (t) => {
  const log = recorder();
  const executor = threads(t);
  const site = new WsgiHandler(
    (['logsOddly', 'lastWords'] as const).map((name) =>
      mount(`/${name}`, middlewareInExecutor(MODULE, { name, executor })),
    ),
  );
  const one = plainClient(site, { logger: log });
  t.teardown(() => one.close());
  t.equal((await one.get('/logsOddly')).status, 200);
  await eventually(() => log.lines.length === 4);
  t.match(log.lines, [
    { message: 'no text', details: { odd: '(cannot be shown)', method: 'GET' } },
    { message: 'a getter', details: { odd: '(cannot be shown)' } },
    { message: 'an error', details: { err: { name: 'TypeError', message: 'in place of details' } } },
    { message: 'only text' },
  ]);
  t.equal((await one.get('/lastWords')).status, 500);
  t.ok(log.lines.some(({ message }) => message === 'last words'));
});

t.test('metrics and a diagnostics channel tell what calls cost', async (t) => {
  const executor = threads(t, { name: 'measured' });
  const told: ExecutorCallMessage[] = [];
  const hear = (message: unknown) => told.push(message as ExecutorCallMessage);
  subscribe('vela:executor:call', hear);
  t.teardown(() => unsubscribe('vela:executor:call', hear));
  const before = executor.metrics();
  t.match(before, { name: 'measured', threads: 0, completed: 0, utilization: 0, waiting: 0, running: 0 });
  await executor.run(MODULE, 'sleepSync', 30);
  const second = executor.run(MODULE, 'sleepSync', 500);
  await eventually(() => executor.metrics().running === 1);
  t.match(executor.metrics(), { threads: 1, busyThreads: 1, running: 1, completed: 1 });
  await second;
  const { wait, run: ran, utilization, completed, lostThreads } = executor.metrics();
  t.same([completed, lostThreads, ran.count, wait.count], [2, 0, 2, 2]);
  t.ok(ran.sumMs >= 529 && utilization > 0 && utilization <= 1, `${ran.sumMs} ms, ${utilization}`);
  t.equal(
    ran.counts.reduce((a, b) => a + b),
    2,
  );
  const own = told.filter(({ executor: name }) => name === 'measured');
  t.match(own, [{ module: MODULE.href, export: 'sleepSync' }, {}]);
  t.ok(own.every(({ runMs, waitMs }) => runMs >= 29 && waitMs >= 0));
});

t.test('a full queue is 503, with Retry-After', async (t) => {
  const executor = threads(t, { ahead: 0, maxQueue: 1, retryAfterSeconds: 7 });
  const one = testClient(middlewareInExecutor(MODULE, { name: 'never', executor }));
  await executor.run(MODULE, 'add', 1, 1);
  const abort = new AbortController();
  const held = [1, 2].map(() => refusal(() => one.get('/', { signal: abort.signal })));
  // The client starts the application first.
  while (executor.metrics().waiting + executor.metrics().running < 2)
    await new Promise((go) => setImmediate(go));
  const refused = await one.get('/');
  t.same([refused.status, refused.header('retry-after')], [503, '7']);
  t.match(await refusal(() => executor.run(MODULE, 'add', 1, 1)), { status: 503 });
  t.equal(executor.metrics().refused, 2);
  abort.abort();
  await Promise.all(held);
  t.equal(await executor.run(MODULE, 'add', 1, 1), 2, 'there is room again');
  await one.close();
});

t.test('reload takes new threads, and close waits for what runs', async (t) => {
  const executor = createExecutor({ maxThreads: 1 });
  const before = await executor.run(MODULE, 'whenLoaded');
  const old = await executor.run(MODULE, 'threadOf');
  const running = executor.run(MODULE, 'sleepSync', 50);
  const waiting = executor.run(MODULE, 'threadOf');
  await executor.reload();
  t.type(await running, 'number');
  t.not(await waiting, old, 'what had not begun is done in the new one');
  t.not(await executor.run(MODULE, 'whenLoaded'), before);
  const last = [executor.run(MODULE, 'sleepSync', 50), executor.run(MODULE, 'add', 1, 1)];
  const closing = executor.close();
  t.equal(executor.close(), closing, 'once');
  t.equal((await Promise.all(last))[1], 2);
  await closing;
  t.equal(executor.metrics().threads, 0);
});

t.test('threads come up whatever the flags of the process', async (t) => {
  const folder = t.testdir({ 'typed.ts': 'export const add = (a: number, b: number): number => a + b;' });
  const module = JSON.stringify(pathToFileURL(`${folder}/typed.ts`).href);
  writeFileSync(
    `${folder}/main.mjs`,
    `import { createExecutor } from ${JSON.stringify(new URL('../../dist/executor/index.js', import.meta.url).href)};
      const executor = createExecutor({ maxThreads: 1 });
      process.stdout.write(String(await executor.run(${module}, 'add', 1, 2)));
      await executor.close();`,
  );
  const script = readFileSync(`${folder}/main.mjs`, 'utf8');
  const flags = ['--max-old-space-size=512', '--expose-gc', '--title=x', '--import', 'tsx'];
  for (const [what, args] of Object.entries({
    'as a file': [`${folder}/main.mjs`],
    'as text': ['--input-type=module', '-e', script],
  })) {
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, ...args]);
    t.equal(stdout, '3', what);
  }
});

t.test('a reload that a close overtakes comes to its end', async () => {
  const executor = createExecutor({ maxThreads: 1 });
  await executor.run(MODULE, 'add', 1, 1);
  const running = executor.run(MODULE, 'sleepSync', 200);
  await eventually(() => executor.metrics().running === 1);
  const reloading = executor.reload();
  await turns(1);
  await executor.close();
  await Promise.all([reloading, running]);
});

t.test('in development a module that is saved is loaded anew', async (t) => {
  const folder = t.testdir({ 'work.mjs': "export const say = () => 'one';", 'notes.txt': '' });
  const module = pathToFileURL(`${folder}/work.mjs`);
  const save = (text: string) => writeFileSync(module, text);
  const logger = recorder();
  const executor = threads(t, { name: 'watched', watch: true });
  const one = plainClient(new Router().get('/', offload(module, { name: 'say', executor })), { logger });
  t.teardown(() => one.close());
  const said = async () => (await one.get('/')).text();
  t.equal(await said(), 'one');
  const still = threads(t);
  t.equal(await still.run(module, 'say'), 'one');

  save("export const say = () => 'two';");
  await eventually(async () => (await said()) === 'two');
  t.match(logger.lines[0], { level: 'info', message: /"watched": work\.mjs has changed/ });
  save("export const say = () => 'three'; this is no JavaScript");
  await eventually(async () => (await one.get('/')).status === 500);
  save("export const say = () => 'four';");
  await eventually(async () => (await said()) === 'four');
  t.equal(await still.run(module, 'say'), 'one', 'only where it is asked for');
  writeFileSync(`${folder}/notes.txt`, 'nothing that is loaded');
  await new Promise((go) => setTimeout(go, 300));
  t.notOk(logger.lines.some(({ message }) => message.includes('notes.txt')));

  const debugging = plainClient(new Router().get('/', offload(module, { name: 'say' })), { debug: true });
  t.teardown(() => debugging.close());
  t.equal(await (await debugging.get('/')).text(), 'four');
  save("export const say = () => 'five';");
  await eventually(async () => (await (await debugging.get('/')).text()) === 'five');
  t.match(await refusal(() => createExecutor({ watch: 1 as never })), { message: /"watch".*true or false/ });
});

t.test('openExecutors gives those that are not closed', async (t) => {
  const opened = () => openExecutors().filter(({ name }) => name.startsWith('open-'));
  const [first, second, twin] = ['a', 'b', 'b'].map((name) => threads(t, { name: `open-${name}` }));
  t.same(opened(), [first, second, twin]);
  t.ok(opened().every((one, index) => one === [first, second, twin][index]));
  t.throws(() => createExecutor({ name: 'open-c', maxThreads: 0 }));
  t.equal(await first?.run(MODULE, 'add', 1, 2), 3);
  t.equal(opened()[0]?.metrics().completed, 1);
  await first?.close();
  await second?.close();
  await second?.close();
  t.same(
    opened().map(({ name }) => name),
    ['open-b'],
  );
  t.equal(opened()[0], twin);
});

t.test('openExecutors keeps no executor that was dropped unused', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const isThere = () => openExecutors().some(({ name }) => name === 'dropped');
  createExecutor({ name: 'dropped' });
  t.ok(isThere());
  await eventually(() => {
    collect();
    return !isThere();
  });
});

t.test('response middleware sees what a thread answers', async (t) => {
  const mark = (_environ: Environ, response: WsgiResponse) => {
    response.headers.push(['X-Marked', 'yes']);
  };
  const marked = client(t, new WsgiHandler([inThread('throws')], { responseMiddleware: [mark] }));
  const response = await marked.get('/?http');
  t.same([response.status, response.header('x-marked'), response.header('x-why')], [404, 'yes', 'because']);
  const routes = new Router().get('/reports/:id', offload(MODULE, { name: 'report', executor: shared }));
  for (const [app, target, text] of [
    [inThread('response'), '/', 'response'],
    [inThread('emptyResponse'), '/', ''],
    [routes, '/reports/7?q=x', '{"id":"7","query":"x"}'],
  ] as const) {
    const one = client(t, new WsgiHandler([app], { responseMiddleware: [mark, etag()] }));
    const got = await one.get(target);
    t.equal(got.header('x-marked'), 'yes', target);
    t.equal(got.header('etag') !== undefined, got.status === 200);
    t.equal(await got.text(), text);
  }
  const failing: Middleware = (environ) => {
    environ['vela.response'].onStart(() => {
      throw new HttpError(409, 'not so');
    });
  };
  const refused = testClient(new WsgiHandler([failing, inThread('bodies')]));
  for (const kind of ['text', 'large', 'generator'])
    t.equal((await refused.get(`/?${kind}`)).status, 409, kind);
  await refused.close();
});
