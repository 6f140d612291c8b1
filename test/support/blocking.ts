/** Applications and functions that the executor's tests run in threads. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { writeFileSync } from 'node:fs';
import { threadId } from 'node:worker_threads';
import { move } from '../../src/executor/index.js';
import {
  type App,
  Http404,
  HttpError,
  json,
  type Middleware,
  type RouteRequest,
  requestOf,
  type StartContext,
  toObject,
  WsgiHandler,
  WsgiResponse,
  waitForBody,
} from '../../src/index.js';
import { requestId } from '../../src/middleware/index.js';

const plain = [['Content-Type', 'text/plain']] as [string, string][];

const greet: App = (environ, startResponse) => {
  startResponse('200 OK', [...plain, ['X-Thread', String(threadId)]]);
  return [`Hello ${environ.PATH_INFO}`];
};

export default greet;
export const hello = greet;

const SHOWN =
  `REQUEST_METHOD SCRIPT_NAME PATH_INFO QUERY_STRING RAW_URI CONTENT_TYPE CONTENT_LENGTH SERVER_NAME
SERVER_PORT SERVER_PROTOCOL SERVER_SOFTWARE REMOTE_ADDR HTTP_USER_AGENT HTTP_X_TWICE HTTP_COOKIE HTTP_ABSENT
wsgi.url_scheme wsgi.multiprocess wsgi.async vela.raw_path vela.user vela.route vela.params`.split(/\s+/);

/** What an application reads of its environ. */
export const show: App = (environ) =>
  json({
    ...Object.fromEntries(SHOWN.map((key) => [key, environ[key]])),
    hasAgent: 'HTTP_USER_AGENT' in environ,
    hasTunnel: 'vela.tunnel' in environ,
    timestamp: typeof environ['wsgi.timestamp'],
    maxBodyBytes: environ['vela.cfg'].maxBodyBytes,
    isStopping: environ['vela.stopping'].aborted,
    keys: Object.keys(toObject(environ))
      .filter((key) => key.startsWith('HTTP_'))
      .sort(),
  });
export const readsKey: App = (environ) => json({ value: environ[environ.QUERY_STRING] ?? null });
export const assignsKey: App = (environ) => {
  environ['vela.session'] = 'another';
  return json({ value: environ['vela.session'] });
};

export const nothing: Middleware = () => undefined;
export const later: App = async (environ, startResponse) => {
  await null;
  startResponse('201 Created', plain);
  return [`later ${environ.REQUEST_METHOD}`];
};
export const response: App = () =>
  new WsgiResponse({ status: 202, content: 'response', headers: [['X-Own', 'a']] });
export const emptyResponse: App = () => new WsgiResponse({ status: 204, headers: [['X-Own', 'a']] });
export const stack = new WsgiHandler([
  requestId({ generate: () => 'made-in-a-thread' }),
  (environ) => (environ.PATH_INFO === '/404' ? undefined : json({ id: environ['vela.request_id'] })),
]);

export const writes: App = (_environ, startResponse) => {
  const write = startResponse('200 OK', plain);
  void write('a');
  void write(Buffer.from('b'));
  return ['c'];
};

export const restarts: App = (_environ, startResponse) => {
  startResponse('200 OK', [...plain, ['X-First', 'yes']]);
  startResponse('500 Kaputt', plain, new Error('first was wrong'));
  return ['second'];
};
export const twice: App = (_environ, startResponse) => {
  startResponse('200 OK', plain);
  startResponse('200 OK', plain);
  return ['never'];
};
export const startsNothing: Middleware = (_environ, startResponse) => {
  startResponse('200 OK', plain);
};
export const noContent: App = (_environ, startResponse) => {
  startResponse('204 No Content', [['X-Own', 'a']]);
  return [];
};
export const lines: App = (_environ, startResponse) => {
  startResponse('200 OK', [...plain, ['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2'], ['X-Latin', 'caf\u00e9']]);
  return ['x'];
};
export const splits: App = (_environ, startResponse) => {
  startResponse('200 OK', [['X-Bad', 'a\r\nX-Worse: b']]);
  return ['never'];
};
export const short: App = (_environ, startResponse) => {
  startResponse('200 OK', [...plain, ['Content-Length', '100']]);
  return ['short'];
};

/** Every kind of body. */
export const bodies: App = ({ QUERY_STRING }, startResponse) => {
  startResponse('200 OK', plain);
  if (QUERY_STRING === 'generator')
    return (function* () {
      yield 'one ';
      yield Buffer.from('two ');
      yield Promise.resolve('three');
    })();
  if (QUERY_STRING === 'async')
    return (async function* () {
      yield 'one ';
      await new Promise((resolve) => setImmediate(resolve));
      yield 'two';
    })();
  if (QUERY_STRING === 'bytes') return [new Uint8Array([0, 255, 10, 128])];
  if (QUERY_STRING === 'text') return ['\u00e4\u20ac\u{1f600}'];
  if (QUERY_STRING === 'large') return [Buffer.alloc(3_000_000, 'x')];
  if (QUERY_STRING === 'moved') return [move(Buffer.alloc(3_000_000, 'y'))];
  if (QUERY_STRING === 'breaks')
    return (function* () {
      yield 'x'.repeat(200_000);
      throw new TypeError('broken in the middle');
    })();
  return [];
};

export class OwnError extends Error {
  override readonly name = 'OwnError';
}

export const throws: App = ({ QUERY_STRING }) => {
  if (QUERY_STRING === 'http') throw new Http404('not in this thread', { headers: [['X-Why', 'because']] });
  if (QUERY_STRING === 'status') throw Object.assign(new Error('tea'), { status: 418 });
  if (QUERY_STRING === 'type')
    throw Object.assign(new TypeError('kaputt', { cause: new RangeError('inner') }), {
      code: 'E_K',
      extra: { n: 1 },
    });
  if (QUERY_STRING === 'own') throw new OwnError('own');
  if (QUERY_STRING === 'text') throw 'just text';
  if (QUERY_STRING === 'details')
    throw new HttpError(422, 'wrong', { details: [{ path: '/a', message: 'is missing' }] });
  throw Object.assign(new Error('with a function'), { call: () => 1 });
};
export const rejects: App = async () => {
  await null;
  throw new Http404('rejected in a thread');
};

/** The body, read in every way. */
export const reads: App = async ({ QUERY_STRING, 'wsgi.input': input }, startResponse) => {
  let text = '';
  if (QUERY_STRING === 'read') text = (await input.read()).toString();
  else if (QUERY_STRING === 'iterate') for await (const chunk of input) text += chunk.toString();
  else if (QUERY_STRING === 'lines') text = (await input.readlines()).map(String).join('|');
  startResponse('200 OK', [...plain, ['X-Length', String(text.length)]]);
  return [text];
};
export const readsSync: App = ({ 'wsgi.input': input }, startResponse) => {
  const first = input.readSync(4).toString();
  const rest = input.readSync();
  startResponse('200 OK', [...plain, ['X-First', first], ['X-Rest', String(rest.length)]]);
  return [first, rest];
};
export const readsSome: Middleware = ({ 'wsgi.input': input }) => {
  input.readSync(3);
};

/** Blocks as a computation does. */
export const spin: App = ({ QUERY_STRING }, startResponse) => {
  const end = performance.now() + Number(QUERY_STRING);
  while (performance.now() < end);
  startResponse('200 OK', plain);
  return [String(threadId)];
};
/** Blocks as a system call does. */
export const wait: App = ({ QUERY_STRING }, startResponse) => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(QUERY_STRING));
  startResponse('200 OK', plain);
  return [String(threadId)];
};
export const forever: App = () => {
  for (;;);
};
/** Computes in the middle of its body, and never ends. */
export const hangs: App = (_environ, startResponse) => {
  startResponse('200 OK', plain);
  return (function* () {
    yield 'x'.repeat(100_000);
    for (;;);
  })();
};
export const never: App = () => new Promise(() => {});
export const neverEnds = () => new Promise(() => {});
export const exits: App = () => process.exit(7);
export const eats: App = () => {
  const all: unknown[] = [];
  for (;;) all.push(new Array(10_000).fill(Math.random()));
};
export const leaves: App = (_environ, startResponse) => {
  setImmediate(() => {
    throw new Error('nobody catches this');
  });
  startResponse('200 OK', plain);
  return (async function* () {
    yield 'a';
    await new Promise(() => {});
  })();
};

/** What has happened in this thread, for `executor.run` to ask. */
const counts = { endings: 0, aborts: 0, chunks: 0, writes: 0 };
export const count = (name: keyof typeof counts) => counts[name];

export const endless: App = (_environ, startResponse) => {
  startResponse('200 OK', plain);
  return (function* () {
    try {
      for (;;) {
        counts.chunks++;
        yield Buffer.alloc(16_384, 'x');
      }
    } finally {
      counts.endings++;
    }
  })();
};
/** A generator that also writes. */
export const mixes: App = (_environ, startResponse) => {
  const write = startResponse('200 OK', plain);
  return (function* () {
    for (let i = 0; i < 40; i++) {
      void write(Buffer.alloc(65_536, 'w'));
      yield Buffer.alloc(65_536, 'y');
    }
  })();
};
/** As many tiny chunks, each waited for. */
export const tiny: App = ({ QUERY_STRING }, startResponse) => {
  startResponse('200 OK', plain);
  return (async function* () {
    for (let left = Number(QUERY_STRING); left > 0; left--) {
      await null;
      yield 'x';
    }
  })();
};
/** Writes without waiting, as PEP 3333's write() blocks. */
export const writesMuch: App = ({ QUERY_STRING }, startResponse) => {
  const write = startResponse('200 OK', plain);
  for (let left = Number(QUERY_STRING); left > 0; left--) {
    void write(Buffer.alloc(65_536, 'w'));
    counts.writes++;
  }
  return [];
};
/** Counts how often the two that follow have begun. */
let begun = new Int32Array(new SharedArrayBuffer(4));
export const shareBegun = (shared: SharedArrayBuffer) => {
  begun = new Int32Array(shared);
};
export const watches: App = async (environ, startResponse) => {
  environ['vela.signal'].addEventListener('abort', () => {
    counts.aborts++;
  });
  Atomics.add(begun, 0, 1);
  await new Promise((resolve) => setTimeout(resolve, 60_000).unref());
  startResponse('200 OK', plain);
  return ['too late'];
};
/** Computes until its client is gone, which it asks for itself. */
export const polls: App = (environ, startResponse) => {
  const end = performance.now() + 20_000;
  Atomics.add(begun, 0, 1);
  while (performance.now() < end && !environ['vela.signal'].aborted);
  if (environ['vela.signal'].aborted) counts.aborts++;
  startResponse('200 OK', plain);
  return ['done'];
};

export const pollsLoaded = new WsgiHandler([waitForBody(), polls]);
/** Looks for its client's end in a step of its body, and goes on all the same. */
export const pollsInBody: App = (environ, startResponse) => {
  startResponse('200 OK', plain);
  return (function* () {
    try {
      yield 'x'.repeat(100_000);
      const end = performance.now() + 20_000;
      while (performance.now() < end && !environ['vela.signal'].aborted);
      yield 'y';
      yield 'z';
    } finally {
      counts.endings++;
    }
  })();
};

let gate = new Int32Array(new SharedArrayBuffer(4));
/** Who shares its memory opens it. */
export const shareGate = (shared: SharedArrayBuffer) => {
  gate = new Int32Array(shared);
};
/** Holds its thread at the gate, then writes a large body of stated length. */
export const answersLate: App = async (_environ, startResponse) => {
  await null;
  Atomics.wait(gate, 0, 0);
  const write = startResponse('200 OK', [...plain, ['Content-Length', '3000000']]);
  void write(Buffer.alloc(3_000_000, 'x'));
  return [];
};

/** Holds its thread until another one opens the gate. */
export const holdAt = (shared: SharedArrayBuffer) => {
  Atomics.wait(new Int32Array(shared), 0, 0);
  return threadId;
};

/** Async, and blocks in its continuation. */
export const readsLater: App = async ({ 'wsgi.input': input }, startResponse) => {
  await null;
  const bytes = input.readSync();
  startResponse('200 OK', plain);
  return [String(bytes.length)];
};
export const readsByLines: App = ({ 'wsgi.input': input }, startResponse) => {
  let sum = 0;
  for (let bytes = input.readSync(1000); bytes.length > 0; bytes = input.readSync(1000)) sum += bytes.length;
  startResponse('200 OK', plain);
  return [String(sum)];
};
/** Reads some of the body as it comes, and passes on the rest. */
export const readsFirst: Middleware = async ({ 'wsgi.input': input }) => {
  await input.read(5);
};

const context = new AsyncLocalStorage<string>();
export const follows: App = async (environ) =>
  context.run(environ.QUERY_STRING, async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return json({ store: context.getStore() });
  });

export const logs: App = (environ, startResponse) => {
  environ['vela.logger'].info({ n: 1, call: () => 1 }, 'from a thread');
  environ['vela.logger'].error({ err: new TypeError('logged') }, 'an error');
  environ['vela.logger'].named?.('shop').warn({}, 'of a namespace');
  startResponse('200 OK', plain);
  return ['logged'];
};

/** In ways that no type allows, and JavaScript does. */
export const logsOddly: App = (environ, startResponse) => {
  const logger = environ['vela.logger'];
  logger.info({ odd: Object.assign(Object.create(null) as object, { call: () => 1 }) }, 'no text');
  const failing = {
    get odd() {
      throw new Error('nobody reads this');
    },
  };
  logger.info(failing, 'a getter');
  logger.error(new TypeError('in place of details'), 'an error');
  Reflect.apply(logger.info, logger, ['only text']);
  startResponse('200 OK', plain);
  return ['logged'];
};
export const lastWords: App = (environ) => {
  environ['vela.logger'].error({}, 'last words');
  return process.exit(7);
};
export const keepsBody: Middleware = async (environ) => {
  await requestOf(environ).bytes();
};

export const errorsTo: App = (environ, startResponse) => {
  environ['wsgi.errors'].write('');
  environ['wsgi.errors'].flush();
  startResponse('200 OK', plain);
  return ['written'];
};

let life = 'new';
export const part = Object.assign(
  ((_environ, startResponse) => {
    startResponse('200 OK', plain);
    return [life];
  }) as App & (() => never),
  {
    start({ config }: StartContext) {
      life = `started for ${config.maxBodyBytes}`;
    },
    stop() {
      const { STOP_FILE } = process.env;
      if (STOP_FILE !== undefined) writeFileSync(STOP_FILE, 'stopped');
    },
  },
);

export const add = (a: number, b: number) => a + b;
export const addLater = async (a: number, b: number) => a + b;
export const environment = (name: string) => process.env[name];
const loadedAt = performance.timeOrigin + performance.now();
export const whenLoaded = () => loadedAt;
export const threadOf = () => threadId;
export const sleepSync = (ms: number) => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  return threadId;
};
export const exit = (code: number) => process.exit(code);
export const takeBytes = (bytes: Uint8Array) => move(Buffer.alloc(bytes.length, bytes[0] ?? 0));
export const giveFunction = () => () => 1;
/** Structured clone writes such an error, and cannot read it. */
export const giveCircle = () => {
  const error = new Error('in a circle');
  error.cause = error;
  return error;
};
export const rejectsWith = async (status: number) => {
  throw new HttpError(status, 'm', { headers: [['X-A', 'b']], details: [{ path: '/a', message: 'm' }] });
};
export const callGlobal = (name: string) => {
  const call: unknown = Reflect.get(globalThis, name);
  if (typeof call === 'function') call();
  return typeof call === 'function';
};
export const throwMany = () => {
  throw new AggregateError([new TypeError('one'), new RangeError('two')], 'many', { cause: { n: 1 } });
};
/** Errors that cannot be read as errors are. */
const ODD: Record<string, () => unknown> = {
  getter: () =>
    Object.defineProperty(new Error('odd'), 'extra', {
      enumerable: true,
      get() {
        throw new Error('nobody reads this');
      },
    }),
  name: () => Object.assign(new Error('odd'), { name: Object.create(null) as unknown }),
  stack: () =>
    Object.defineProperty(new Error('odd'), 'stack', {
      get() {
        throw new Error('nobody reads this');
      },
    }),
  circle: () => {
    const error = new Error('odd') as Error & { extra?: unknown };
    return Object.assign(error, { cause: error, extra: { error } });
  },
  many: () => {
    const error = new AggregateError([], 'odd');
    return Object.assign(error, { errors: new Array(16).fill(error) });
  },
  none: () => Object.assign(new AggregateError([], 'odd'), { errors: 5 }),
  once: () => {
    let reads = 0;
    const extra = {
      get n() {
        if (reads++ > 0) throw new Error('once only');
        return 1;
      },
    };
    return Object.assign(new Error('odd'), { extra });
  },
  detached: () => {
    const extra = new Uint8Array(8);
    structuredClone(extra, { transfer: [extra.buffer] });
    return Object.assign(new Error('odd'), { extra });
  },
  shared: () => Object.assign(new Error('odd'), { extra: new SharedArrayBuffer(4) }),
  proxy: () =>
    new Proxy(
      {},
      {
        getPrototypeOf() {
          throw new Error('nobody reads this');
        },
        get() {
          throw new Error('nobody reads this');
        },
      },
    ),
};
export const oddities = () => Object.keys(ODD);
export const throwOdd = (kind: string) => {
  throw ODD[kind]?.();
};
export const throwsOdd: App = ({ QUERY_STRING }) => throwOdd(QUERY_STRING);

export const throwOwn = () => {
  throw new OwnError('from a function');
};
export const notCallable = 5;
export const report = ({ params, query }: RouteRequest<{ id: string }>) => ({
  id: params.id,
  query: query.get('q'),
});
