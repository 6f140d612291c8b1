/** The applications of the gateway suite. The first segment of the path chooses one; they run in a child process. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import {
  type App,
  type AppFunction,
  type Body,
  type Chunk,
  type Environ,
  environKeys,
  type HeaderPair,
  HttpError,
  HttpRedirect,
  type StartResponse,
  TAKEN,
  toObject,
  WsgiHandler,
  WsgiResponse,
  waitForBody,
} from '../../src/index.js';
import { websocketApps } from './websocket-apps.js';

/** Tells the test that something happened to the request with this id. */
export type Note = (id: string, what: string) => void;

let note: Note = () => {};
const gates = new Map<string, { promise: Promise<void>; open: () => void }>();
const counters = new Map<string, number>();

/** Where notes go. */
export function setNote(given: Note): void {
  note = given;
}

/** Lets go whoever waits at the gate of this id, now or later. */
export function openGate(id: string): void {
  gate(id).open();
}

/** What `count` added up to. */
export function counter(id: string): number {
  return counters.get(id) ?? 0;
}

function gate(id: string): { promise: Promise<void>; open: () => void } {
  let found = gates.get(id);
  if (found === undefined) {
    let open = () => {};
    const promise = new Promise<void>((resolve) => {
      open = resolve;
    });
    found = { promise, open };
    gates.set(id, found);
  }
  return found;
}

function count(id: string, bytes: number): void {
  counters.set(id, counter(id) + bytes);
}

const parameter = (environ: Environ, name: string) =>
  new URLSearchParams(environ.QUERY_STRING).get(name) ?? '';
const idOf = (environ: Environ) => parameter(environ, 'id');
const say = (environ: Environ, what: string) => note(idOf(environ), what);
/** Keeps the id, which cannot be read any more once the request was answered in one go. */
const sayer = (environ: Environ) => {
  const id = idOf(environ);
  return (what: string) => note(id, what);
};
const TEXT: HeaderPair[] = [['Content-Type', 'text/plain']];
const codeOf = (error: unknown) => String((error as { code?: unknown }).code ?? (error as Error).name);

/** A value that no type allows. */
const wrong = <T>(value: unknown) => value as T;

function ok(start: StartResponse, headers: HeaderPair[] = TEXT) {
  return start('200 OK', headers);
}

function json(start: StartResponse, value: unknown): Body {
  ok(start, [['Content-Type', 'application/json']]);
  return [JSON.stringify(value)];
}

/** A body that says when it is closed, and counts how often. */
function closable(
  environ: Environ,
  chunks: Iterable<Chunk> | AsyncIterable<Chunk>,
): Body & { close(): void } {
  return Object.assign(
    Symbol.asyncIterator in chunks
      ? { [Symbol.asyncIterator]: () => chunks[Symbol.asyncIterator]() }
      : { [Symbol.iterator]: () => chunks[Symbol.iterator]() },
    { close: () => say(environ, 'close') },
  ) as Body & { close(): void };
}

function readSignal(environ: Environ): AbortSignal {
  const signal = environ['vela.signal'];
  signal.addEventListener('abort', () => say(environ, `signal ${codeOf(signal.reason)}`), { once: true });
  return signal;
}

/** All forms of a body that says `one two three`. */
const FORMS: Record<string, (environ: Environ, start: StartResponse) => unknown> = {
  array: () => ['one ', 'two ', 'three'],
  'array-of-one': () => ['one two three'],
  'array-of-bytes': () => [Buffer.from('one '), new Uint8Array(Buffer.from('two three'))],
  'array-of-promises': () => [Promise.resolve('one '), turn('two '), 'three'],
  'subarray-views': () => {
    const bytes = new Uint8Array(Buffer.from('xxone two threexx'));
    return [bytes.subarray(2, 6), bytes.subarray(6, 15)];
  },
  generator: function* () {
    yield 'one ';
    yield Buffer.from('two ');
    yield 'three';
  },
  'generator-with-promises': function* () {
    yield turn('one ');
    yield 'two ';
    yield Promise.resolve(Buffer.from('three'));
  },
  'async-generator': async function* () {
    yield 'one ';
    await turn();
    yield Buffer.from('two ');
    await turn();
    yield 'three';
  },
  'async-generator-at-once': async function* () {
    yield 'one two three';
  },
  'async-iterator-without-return': () => {
    const chunks = ['one ', 'two ', 'three'];
    return {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: chunks.length === 0, value: chunks.shift() }),
      }),
    };
  },
  'iterator-without-return': () => {
    const chunks = ['one ', 'two ', 'three'];
    return {
      [Symbol.iterator]: () => ({ next: () => ({ done: chunks.length === 0, value: chunks.shift() }) }),
    };
  },
  set: () => new Set(['one ', 'two ', 'three']),
  'map-values': () =>
    new Map([
      [1, 'one '],
      [2, 'two three'],
    ]).values(),
  readable: () => Readable.from([Buffer.from('one '), Buffer.from('two '), Buffer.from('three')]),
  'web-stream': () =>
    new ReadableStream({
      start(controller) {
        for (const text of ['one ', 'two ', 'three']) controller.enqueue(Buffer.from(text));
        controller.close();
      },
    }),
  'object-with-close': (environ) => closable(environ, ['one ', 'two ', 'three']),
  'empty-chunks': () => ['', 'one ', Buffer.alloc(0), '', 'two ', 'three', ''],
  'empty-chunks-between-waits': async function* () {
    yield '';
    await turn();
    yield Buffer.alloc(0);
    yield 'one ';
    await turn();
    yield '';
    await turn();
    yield 'two three';
    await turn();
    yield '';
  },
  promise: () => turn(['one ', 'two three']),
  'promise-of-generator': () => turn(FORMS['async-generator']?.(wrong({}), wrong({}))),
  // biome-ignore lint/suspicious/noThenProperty: a thenable that is no Promise is the subject
  thenable: () => ({ then: (resolve: (body: string[]) => void) => resolve(['one two three']) }),
  write: (_environ, start) => {
    const write = ok(start);
    void write('one ');
    void write(Buffer.from('two '));
    return ['three'];
  },
  'write-only': (_environ, start) => {
    const write = ok(start);
    void write('one ');
    void write('two three');
    return [];
  },
  'write-with-waits': async (_environ, start) => {
    const write = ok(start);
    await write('one ');
    await turn();
    await write('');
    await write('two ');
    await turn();
    await write('three');
    return [];
  },
  'write-then-generator': async (_environ, start) => {
    const write = ok(start);
    await turn();
    await write('one ');
    return (async function* () {
      yield 'two ';
      await turn();
      yield 'three';
    })();
  },
  'started-by-the-body': (_environ, start) =>
    (function* () {
      ok(start);
      yield 'one two three';
    })(),
  'started-late-by-the-body': (_environ, start) =>
    (async function* () {
      await turn();
      ok(start);
      yield 'one ';
      await turn();
      yield 'two three';
    })(),
  'wsgi-response': () => new WsgiResponse({ content: 'one two three' }),
  'wsgi-response-of-bytes': () => new WsgiResponse({ content: Buffer.from('one two three') }),
  'wsgi-response-of-a-generator': () =>
    new WsgiResponse({
      content: (async function* () {
        yield 'one ';
        await turn();
        yield 'two three';
      })(),
    }),
  'promise-of-wsgi-response': () => turn(new WsgiResponse({ content: 'one two three' })),
};

/** The forms that begin the response themselves. */
const SELF_STARTING = /^(write|started|wsgi|promise-of-wsgi)/;

/** What must never leave as a good response. */
const BAD: Record<string, (environ: Environ, start: StartResponse) => unknown> = {
  throws: () => {
    throw new Error('secret text');
  },
  'throws-no-error': () => {
    throw wrong<Error>('just text');
  },
  'throws-null': () => {
    throw wrong<Error>(null);
  },
  'throws-after-start': (_environ, start) => {
    ok(start);
    throw new Error('secret text');
  },
  'throws-with-status': () => {
    throw Object.assign(new Error('secret text'), { status: 422 });
  },
  rejects: () => Promise.reject(new Error('secret text')),
  'rejects-later': async () => {
    await turn();
    throw new Error('secret text');
  },
  'rejects-with-nothing': () => Promise.reject(wrong<Error>(undefined)),
  'throws-after-a-held-chunk': (_environ, start) => {
    ok(start);
    return (function* () {
      yield 'first';
      throw new Error('secret text');
    })();
  },
  'throws-after-a-sent-chunk': (_environ, start) => {
    ok(start);
    return (async function* () {
      yield 'first';
      await turn();
      throw new Error('secret text');
    })();
  },
  'throws-after-a-sent-chunk-of-known-length': (_environ, start) => {
    ok(start, [['Content-Length', '100']]);
    return (async function* () {
      yield 'first';
      await turn();
      throw new Error('secret text');
    })();
  },
  'rejects-after-a-sent-chunk': (_environ, start) => {
    ok(start);
    return ['first', turn().then(() => Promise.reject(new Error('secret text')))];
  },
  'rejects-after-write': async (_environ, start) => {
    const write = ok(start);
    await write('first');
    await turn();
    throw new Error('secret text');
  },
  'throws-after-write': (_environ, start) => {
    void ok(start)('first');
    throw new Error('secret text');
  },
  'readable-fails-later': (_environ, start) => {
    ok(start);
    const stream = new Readable({ read() {} });
    stream.push('first');
    void turn()
      .then(() => turn())
      .then(() => stream.destroy(new Error('secret text')));
    return stream;
  },
  'never-starts-then-yields-later': async function* () {
    await turn();
    yield 'first';
  },
  'starts-twice': (_environ, start) => {
    ok(start);
    ok(start);
    return ['twice'];
  },
  'starts-twice-later': async (_environ, start) => {
    ok(start);
    await turn();
    ok(start);
    return ['twice'];
  },
  'starts-after-the-body': (environ, start) => {
    const tell = sayer(environ);
    setImmediate(() => {
      try {
        start('500 Late', []);
        tell('no error');
      } catch (error) {
        tell(codeOf(error));
      }
    });
    ok(start);
    return ['in time'];
  },
  'starts-again-with-an-error': (_environ, start) => {
    start('200 OK', [['X-First', 'yes']]);
    start('503 Service Unavailable', [['X-Second', 'yes']], new Error('replaced'));
    return ['replaced'];
  },
  'starts-again-with-an-error-after-write': (_environ, start) => {
    const write = ok(start);
    void write('first');
    start('503 Service Unavailable', TEXT, new Error('too late'));
    return ['replaced'];
  },
  'starts-again-with-an-error-after-sending': async (environ, start) => {
    const write = ok(start);
    await write('first');
    await turn();
    try {
      start('503 Service Unavailable', TEXT, new Error('too late'));
      say(environ, 'no error');
    } catch (error) {
      say(environ, (error as Error).message);
      throw error;
    }
    return ['replaced'];
  },
  'starts-again-badly-with-an-error': (_environ, start) => {
    start('200 OK', [['X-First', 'yes']]);
    try {
      start('bad', [], new Error('cause'));
    } catch {
      // What stands is unclear, so it must not be a good response with half of each.
    }
    return ['which'];
  },
  'starts-badly-and-goes-on': (_environ, start) => {
    try {
      start('200 OK', [['Bad Name', 'x']]);
    } catch {
      // An application that swallows the error has not started.
    }
    return ['body'];
  },
  'changes-a-header-after-start': (_environ, start) => {
    const headers: HeaderPair[] = [['X-Changed', 'before']];
    start('200 OK', headers);
    (headers[0] as HeaderPair)[1] = 'after\r\nX-Evil: 1';
    return ['body'];
  },
  'adds-a-header-after-start': (_environ, start) => {
    const headers: HeaderPair[] = [['X-First', 'yes']];
    start('200 OK', headers);
    headers.push(['X-Evil\r\nX-Worse', '1'], ['Transfer-Encoding', 'chunked']);
    return ['body'];
  },
  'pairs-with-changing-values': (_environ, start) => {
    let reads = 0;
    const pair = ['X-Odd', ''] as HeaderPair;
    Object.defineProperty(pair, 1, {
      get: () => (reads++ === 0 ? 'fine' : 'after\r\nX-Evil: 1'),
      enumerable: true,
    });
    start('200 OK', [pair]);
    return ['body'];
  },
  'taken-without-taking': () => TAKEN,
  'taken-later-without-taking': () => turn(TAKEN),
  'write-of-a-number': (_environ, start) => {
    void ok(start)(wrong<Chunk>(5));
    return [];
  },
  'write-of-null': (_environ, start) => {
    void ok(start)(wrong<Chunk>(null));
    return [];
  },
  'iterator-gives-no-object': (_environ, start) => {
    ok(start);
    return { [Symbol.iterator]: () => ({ next: () => 5 }) };
  },
  'iterator-throws': (_environ, start) => {
    ok(start);
    return {
      [Symbol.iterator]: () => ({
        next: () => {
          throw new Error('secret text');
        },
      }),
    };
  },
  'iterable-throws': (_environ, start) => {
    ok(start);
    return {
      [Symbol.iterator]: () => {
        throw new Error('secret text');
      },
    };
  },
  'iterable-gives-nothing': (_environ, start) => {
    ok(start);
    return { [Symbol.iterator]: () => undefined };
  },
  'then-throws': () => ({
    // biome-ignore lint/suspicious/noThenProperty: a hostile thenable is the subject
    get then() {
      throw new Error('secret text');
    },
  }),
  'wsgi-response-with-bad-header': () => new WsgiResponse({ content: 'x', headers: [['Bad Name', 'x']] }),
  'error-with-bad-header': () => {
    throw new HttpError(403, 'no', { headers: [['X-A', 'b\r\nX-Evil: 1']] });
  },
};

for (const [name, value] of Object.entries({
  null: null,
  undefined: undefined,
  number: 5,
  string: 'text',
  bytes: Buffer.from('bytes'),
  object: {},
  true: true,
  function: () => ['x'],
})) {
  BAD[`returns-${name}`] = () => value;
  BAD[`returns-${name}-after-start`] = (_environ, start) => {
    ok(start);
    return value;
  };
  BAD[`resolves-to-${name}`] = () => turn(value);
  BAD[`resolves-to-${name}-after-start`] = (_environ, start) => {
    ok(start);
    return turn(value);
  };
}
BAD['never-starts'] = () => ['x'];
BAD['never-starts-empty'] = () => [];
BAD['never-starts-later'] = () => turn(['x']);
BAD['never-starts-two-chunks'] = () => ['x', 'y'];

const ODD_CHUNKS: Record<string, unknown> = {
  number: 5,
  null: null,
  undefined,
  object: {},
  array: ['x'],
  boolean: false,
  'array-buffer': new ArrayBuffer(3),
  'promise-of-number': Promise.resolve(5),
  'promise-of-promise-like-null': Promise.resolve(null),
};
for (const [name, chunk] of Object.entries(ODD_CHUNKS)) {
  BAD[`yields-${name}-first`] = (_environ, start) => {
    ok(start);
    return [chunk, 'x'];
  };
  BAD[`yields-${name}-alone`] = (_environ, start) => {
    ok(start);
    return [chunk];
  };
  BAD[`yields-${name}-later`] = (_environ, start) => {
    ok(start);
    return (async function* () {
      yield 'first';
      await turn();
      yield chunk;
    })();
  };
}

/** Bodies whose closing is the subject; each notes what is done to it. */
const CLOSING: Record<string, (environ: Environ, start: StartResponse) => unknown> = {
  generator: (environ, start) => {
    ok(start);
    return (function* () {
      try {
        yield 'a';
        yield 'b';
      } finally {
        say(environ, 'finally');
      }
    })();
  },
  'generator-throws': (environ, start) => {
    ok(start);
    return (function* () {
      try {
        yield 'a';
        throw new Error('in the body');
      } finally {
        say(environ, 'finally');
      }
    })();
  },
  'async-generator': (environ, start) => {
    ok(start);
    return (async function* () {
      try {
        yield 'a';
        await turn();
        yield 'b';
      } finally {
        say(environ, 'finally');
      }
    })();
  },
  'async-generator-throws': (environ, start) => {
    ok(start);
    return (async function* () {
      try {
        yield 'a';
        await turn();
        throw new Error('in the body');
      } finally {
        say(environ, 'finally');
      }
    })();
  },
  'async-generator-of-known-length': (environ, start) => {
    ok(start, [['Content-Length', '2']]);
    return (async function* () {
      try {
        yield 'a';
        await turn();
        yield 'b';
      } finally {
        say(environ, 'finally');
      }
    })();
  },
  object: (environ, start) => {
    ok(start);
    return closable(environ, ['a', 'b']);
  },
  'object-of-one': (environ, start) => {
    ok(start);
    return Object.assign(['ab'], { close: () => say(environ, 'close') });
  },
  'object-of-one-without-a-body': (environ, start) => {
    start('204 No Content', []);
    return Object.assign(['ab'], { close: () => say(environ, 'close') });
  },
  'object-without-a-body': (environ, start) => {
    start('204 No Content', []);
    return closable(environ, ['a', 'b']);
  },
  'object-never-started': (environ) => closable(environ, ['a', 'b']),
  'object-with-odd-chunk': (environ, start) => {
    ok(start);
    return closable(environ, wrong<Chunk[]>([5]));
  },
  'object-too-long': (environ, start) => {
    ok(start, [['Content-Length', '1']]);
    return closable(environ, ['a', 'b']);
  },
  'object-too-short': (environ, start) => {
    ok(start, [['Content-Length', '3']]);
    return closable(environ, ['a', 'b']);
  },
  'wsgi-response': (environ) => new WsgiResponse({ content: closable(environ, ['a', 'b']) }),
  'response-refused': (environ) =>
    new WsgiResponse({ content: closable(environ, ['a']), headers: [['Bad Name', 'x']] }),
  'async-object': (environ, start) => {
    ok(start);
    return closable(
      environ,
      (async function* () {
        yield 'a';
        await turn();
        yield 'b';
      })(),
    );
  },
  'close-throws': (environ, start) => {
    ok(start);
    return {
      *[Symbol.iterator]() {
        yield 'ab';
      },
      close() {
        say(environ, 'close');
        throw new Error('from close');
      },
    };
  },
  'close-rejects': (environ, start) => {
    ok(start);
    return {
      *[Symbol.iterator]() {
        yield 'ab';
      },
      async close() {
        say(environ, 'close');
        await turn();
        throw new Error('from close');
      },
    };
  },
  'return-throws': (environ, start) => {
    ok(start, [['Content-Length', '2']]);
    return {
      [Symbol.iterator]: () => ({
        next: () => ({ done: false, value: 'ab' }),
        return: () => {
          say(environ, 'return');
          throw new Error('from return');
        },
      }),
    };
  },
  'return-throws-after-odd-chunk': (environ, start) => {
    ok(start);
    return {
      [Symbol.iterator]: () => ({
        next: () => ({ done: false, value: 5 }),
        return: () => {
          say(environ, 'return');
          throw new Error('from return');
        },
      }),
    };
  },
  'return-rejects': (environ, start) => {
    ok(start, [['Content-Length', '2']]);
    return {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false, value: 'ab' }),
        return: async () => {
          say(environ, 'return');
          throw new Error('from return');
        },
      }),
    };
  },
};

/** Bodies without an end: what ends them is the subject. */
const ENDLESS: Record<string, (environ: Environ, start: StartResponse) => unknown> = {
  'async-generator': (environ, start) => {
    ok(start);
    const signal = readSignal(environ);
    return (async function* () {
      try {
        for (;;) {
          yield 'tick';
          await sleep(1, undefined, { signal });
        }
      } catch (error) {
        say(environ, `caught ${(error as Error).name}`);
      } finally {
        say(environ, 'finally');
      }
    })();
  },
  'async-generator-at-full-speed': (environ, start) => {
    ok(start);
    readSignal(environ);
    return (async function* () {
      try {
        for (;;) yield Buffer.alloc(16_384, 'x');
      } finally {
        say(environ, 'finally');
      }
    })();
  },
  'generator-at-full-speed': (environ, start) => {
    ok(start);
    readSignal(environ);
    return (function* () {
      try {
        for (;;) yield 'tick '.repeat(100);
      } finally {
        say(environ, 'finally');
      }
    })();
  },
  'generator-of-empty-chunks': (environ, start) => {
    ok(start);
    readSignal(environ);
    return (function* () {
      try {
        yield Buffer.alloc(70_000, 'x');
        for (;;) yield '';
      } finally {
        say(environ, 'finally');
      }
    })();
  },
  readable: (environ, start) => {
    ok(start);
    readSignal(environ);
    return new Readable({
      read() {
        this.push(Buffer.alloc(16_384, 'x'));
      },
      destroy(error, done) {
        say(environ, 'finally');
        done(error);
      },
    });
  },
  'iterable-with-close': (environ, start) => {
    ok(start);
    readSignal(environ);
    return {
      *[Symbol.iterator]() {
        for (;;) yield Buffer.alloc(16_384, 'x');
      },
      close: () => say(environ, 'finally'),
    };
  },
  'known-length': (environ, start) => {
    ok(start, [['Content-Length', String(2 ** 40)]]);
    readSignal(environ);
    return (async function* () {
      try {
        for (;;) yield Buffer.alloc(16_384, 'x');
      } finally {
        say(environ, 'finally');
      }
    })();
  },
  write: async (environ, start) => {
    const write = ok(start);
    const signal = readSignal(environ);
    try {
      while (!signal.aborted) await write(Buffer.alloc(16_384, 'x'));
    } finally {
      say(environ, 'finally');
    }
    return [];
  },
};

/** Chunks of a whole body of `bytes` bytes: fresh memory each, so that what is kept shows. */
function* chunksOf(environ: Environ, bytes: number, chunkBytes = 65_536): Generator<Buffer> {
  const id = idOf(environ);
  for (let at = 0, serial = 0; at < bytes; at += chunkBytes, serial++) {
    const chunk = Buffer.alloc(Math.min(chunkBytes, bytes - at), serial % 251);
    count(id, chunk.length);
    yield chunk;
  }
}

const STREAMS: Record<string, (environ: Environ, start: StartResponse, bytes: number) => unknown> = {
  generator: (environ, start, bytes) => {
    ok(start);
    return chunksOf(environ, bytes);
  },
  'small-chunks': (environ, start, bytes) => {
    ok(start);
    return chunksOf(environ, bytes, 1000);
  },
  'async-generator': (environ, start, bytes) => {
    ok(start);
    return (async function* () {
      for (const chunk of chunksOf(environ, bytes)) yield chunk;
    })();
  },
  'known-length': (environ, start, bytes) => {
    ok(start, [['Content-Length', String(bytes)]]);
    return (async function* () {
      for (const chunk of chunksOf(environ, bytes)) yield chunk;
    })();
  },
  'known-length-generator': (environ, start, bytes) => {
    ok(start, [['Content-Length', String(bytes)]]);
    return chunksOf(environ, bytes, 100_000);
  },
  readable: (environ, start, bytes) => {
    ok(start);
    return Readable.from(chunksOf(environ, bytes), { objectMode: false });
  },
  write: async (environ, start, bytes) => {
    const write = ok(start);
    for (const chunk of chunksOf(environ, bytes)) await write(chunk);
    return [];
  },
  whole: (environ, start, bytes) => {
    ok(start);
    return [Buffer.concat([...chunksOf(environ, bytes)])];
  },
};

/** Reads a whole body in some way, and says what it was. */
const READERS: Record<string, (environ: Environ) => Promise<unknown>> = {
  read: async (environ) => (await environ['wsgi.input'].read()).toString('latin1'),
  'read-by-4': async ({ 'wsgi.input': input }) => {
    const parts: string[] = [];
    for (let part = await input.read(4); part.length > 0; part = await input.read(4))
      parts.push(part.toString('latin1'));
    return parts;
  },
  'read-0': async ({ 'wsgi.input': input }) => [
    (await input.read(0)).length,
    (await input.read()).toString('latin1'),
  ],
  'read-late': async (environ) => {
    await turn();
    await turn();
    return (await environ['wsgi.input'].read()).toString('latin1');
  },
  readline: async ({ 'wsgi.input': input }) => {
    const lines: string[] = [];
    for (let line = await input.readline(); line.length > 0; line = await input.readline())
      lines.push(line.toString('latin1'));
    return lines;
  },
  'readline-3': async ({ 'wsgi.input': input }) => {
    const lines: string[] = [];
    for (let line = await input.readline(3); line.length > 0; line = await input.readline(3))
      lines.push(line.toString('latin1'));
    return lines;
  },
  readlines: async ({ 'wsgi.input': input }) =>
    (await input.readlines()).map((line) => line.toString('latin1')),
  'readlines-4': async ({ 'wsgi.input': input }) => {
    const some = (await input.readlines(4)).map((line) => line.toString('latin1'));
    return [some, (await input.read()).toString('latin1')];
  },
  iterate: async ({ 'wsgi.input': input }) => {
    let text = '';
    for await (const chunk of input) text += chunk.toString('latin1');
    return text;
  },
  'read-then-iterate': async ({ 'wsgi.input': input }) => {
    const first = (await input.read(2)).toString('latin1');
    let rest = '';
    for await (const chunk of input) rest += chunk.toString('latin1');
    return [first, rest, (await input.read()).length];
  },
  'two-reads-at-once': async ({ 'wsgi.input': input }) => {
    const results = await Promise.allSettled([input.read(), input.read()]);
    return results.map((result) =>
      result.status === 'fulfilled' ? result.value.toString('latin1') : codeOf(result.reason),
    );
  },
  'read-sync': async ({ 'wsgi.input': input }) => {
    try {
      return input.readSync().toString('latin1');
    } catch (error) {
      return codeOf(error);
    }
  },
};

const hash = () => createHash('sha256');

/** Applications by the first segment of the path; the second is their own. */
const APPS: Record<string, (environ: Environ, start: StartResponse, detail: string) => unknown> = {
  hello: (_environ, start) => {
    ok(start);
    return ['ok'];
  },
  record: (environ, start) => {
    say(environ, 'called');
    ok(start);
    return [`recorded ${idOf(environ)}`];
  },
  'record-later': async (environ, start) => {
    say(environ, 'called');
    await turn();
    ok(start);
    return [`recorded ${idOf(environ)}`];
  },
  echo: async (environ, start) => {
    say(environ, 'called');
    const body = await environ['wsgi.input'].read();
    return json(start, {
      method: environ.REQUEST_METHOD,
      uri: environ.RAW_URI,
      type: environ.CONTENT_TYPE,
      length: environ.CONTENT_LENGTH,
      header: environ.HTTP_X_TEST ?? null,
      body: body.toString('latin1'),
    });
  },
  env: (environ, start, detail) => {
    const keys = parameter(environ, 'keys').split(',');
    return json(
      start,
      detail === 'all'
        ? toObjectText(environ)
        : Object.fromEntries(keys.map((key) => [key, environ[key] ?? null])),
    );
  },
  'env-later': async (environ, start) => {
    const keys = parameter(environ, 'keys').split(',');
    await turn();
    return json(start, Object.fromEntries(keys.map((key) => [key, attempt(() => environ[key] ?? null)])));
  },
  'env-in': (environ, start) =>
    json(
      start,
      parameter(environ, 'keys')
        .split(',')
        .map((key) => key in environ),
    ),
  'env-in-later': async (environ, start) => {
    await turn();
    return json(
      start,
      parameter(environ, 'keys')
        .split(',')
        .map((key) => attempt(() => key in environ)),
    );
  },
  'env-assign': (environ, start) => {
    environ.HTTP_X_NEW = 'new';
    environ['app.thing'] = { a: 1 };
    environ.PATH_INFO = '/changed';
    environ.REMOTE_ADDR = '1.2.3.4';
    (environ as Record<string, unknown>).HTTP_X_GONE = undefined;
    return json(start, {
      keys: ['HTTP_X_NEW', 'app.thing', 'PATH_INFO', 'REMOTE_ADDR'].map((key) => [
        environ[key],
        key in environ,
      ]),
      gone: environ.HTTP_X_GONE ?? null,
      raw: environ['vela.raw_path'],
      own: Object.keys(environ),
      listed: environKeys(environ).filter((key) => key.includes('X_')),
    });
  },
  'env-expired': (environ, start, detail) => {
    const tell = sayer(environ);
    const list = detail === 'list' ? environ.HTTP_X_EARLY : environ.HTTP_USER_AGENT;
    setImmediate(() => {
      tell(`late: ${attempt(() => environ.HTTP_X_LATE)}`);
      tell(`query: ${attempt(() => environ.QUERY_STRING.includes('id='))}`);
      tell(`method: ${attempt(() => environ.REQUEST_METHOD)} ${attempt(() => environ.PATH_INFO)}`);
    });
    ok(start);
    return [String(list)];
  },
  start: (environ, start) => {
    const { status, headers, body, isAsync } = JSON.parse(parameter(environ, 'spec'));
    const go = () => {
      start(status, headers);
      return body ?? ['body'];
    };
    return isAsync ? turn().then(go) : go();
  },
  form: (environ, start, detail) => {
    if (!SELF_STARTING.test(detail)) ok(start);
    return FORMS[detail]?.(environ, start);
  },
  bad: (environ, start, detail) => BAD[detail]?.(environ, start),
  closing: (environ, start, detail) => {
    // Read now, for it cannot be read any more once the request was answered in one go.
    idOf(environ);
    return CLOSING[detail]?.(environ, start);
  },
  endless: (environ, start, detail) => {
    say(environ, 'called');
    return ENDLESS[detail]?.(environ, start);
  },
  stream: (environ, start, detail) => STREAMS[detail]?.(environ, start, Number(parameter(environ, 'bytes'))),
  status: (environ, start, detail) => {
    const chunks = {
      one: ['body'],
      two: ['bo', 'dy'],
      none: [],
      generator: (function* () {
        yield 'body';
      })(),
    }[parameter(environ, 'form') || 'one'];
    start(
      `${detail} Status`,
      parameter(environ, 'length') ? [['Content-Length', parameter(environ, 'length')]] : [],
    );
    return chunks;
  },
  'status-later': async (_environ, start, detail) => {
    await turn();
    const write = start(`${detail} Status`, []);
    await write('written');
    return (async function* () {
      yield 'bo';
      await turn();
      yield 'dy';
    })();
  },
  'whole-of': (environ, start) => {
    const text = {
      multibyte: 'é€😀'.repeat(20_000),
      surrogate: 'a\ud800b',
      'long-surrogates': '\udc00'.repeat(50_000),
    }[parameter(environ, 'text')];
    ok(start);
    return [text ?? ''];
  },
  'late-answer': async (environ, start) => {
    say(environ, 'called');
    await gate(idOf(environ)).promise;
    try {
      ok(start);
      say(environ, 'no error');
    } catch (error) {
      say(environ, codeOf(error));
    }
    return closable(environ, ['late']);
  },
  'late-response': async (environ) => {
    say(environ, 'called');
    readSignal(environ);
    await gate(idOf(environ)).promise;
    return new WsgiResponse({ content: closable(environ, ['late']) });
  },
  never: (environ) => {
    say(environ, 'called');
    readSignal(environ);
    return new Promise(() => {});
  },
  'never-yields': (environ, start) => {
    ok(start);
    readSignal(environ);
    return closable(environ, { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) });
  },
  'stalls-after-a-chunk': (environ, start) => {
    ok(start);
    readSignal(environ);
    return (async function* () {
      try {
        yield 'first';
        await gate(idOf(environ)).promise;
        yield 'second';
      } finally {
        say(environ, 'finally');
      }
    })();
  },
  'wait-for-abort': async (environ, start) => {
    const signal = readSignal(environ);
    say(environ, 'called');
    await once(signal, 'abort');
    say(environ, `start ${attempt(() => typeof ok(start))}`);
    return closable(environ, ['x']);
  },
  'wait-at-gate': async (environ, start) => {
    readSignal(environ);
    say(environ, 'called');
    await gate(idOf(environ)).promise;
    ok(start);
    return ['through the gate'];
  },
  'chunk-then-gate': (environ, start) => {
    ok(start);
    readSignal(environ);
    return (async function* () {
      try {
        yield 'before ';
        say(environ, 'called');
        await gate(idOf(environ)).promise;
        yield 'after';
      } finally {
        say(environ, 'finally');
      }
    })();
  },
  'whole-with-signal': (environ, start) => {
    readSignal(environ);
    ok(start);
    return (async function* () {
      try {
        yield 'all';
        await turn();
      } finally {
        say(environ, 'finally');
      }
    })();
  },
  reader: async (environ, start, detail) => {
    const result = await READERS[detail]?.(environ);
    return json(start, result);
  },
  digest: async (environ, start) => {
    const digest = hash();
    let bytes = 0;
    say(environ, 'called');
    try {
      for await (const chunk of environ['wsgi.input']) {
        digest.update(chunk);
        bytes += chunk.length;
        counters.set(idOf(environ), bytes);
      }
    } catch (error) {
      say(environ, `error ${codeOf(error)}`);
      throw error;
    }
    return json(start, { bytes, digest: digest.digest('hex') });
  },
  'count-upload': async (environ, start) => {
    let bytes = 0;
    for await (const chunk of environ['wsgi.input']) bytes += chunk.length;
    return json(start, { bytes });
  },
  'upload-at-gate': async (environ, start) => {
    say(environ, 'called');
    await gate(idOf(environ)).promise;
    let bytes = 0;
    for await (const chunk of environ['wsgi.input']) bytes += chunk.length;
    return json(start, { bytes });
  },
  'ignore-upload': (environ, start) => {
    say(environ, 'called');
    ok(start);
    return ['ignored'];
  },
  'ignore-upload-later': async (environ, start) => {
    say(environ, 'called');
    await turn();
    ok(start);
    return ['ignored'];
  },
  'read-part-of-upload': async (environ, start) => {
    const part = await environ['wsgi.input'].read(5);
    ok(start);
    return [part];
  },
  'stream-while-uploading': (environ, start) => {
    ok(start);
    return environ['wsgi.input'];
  },
  'upload-then-throw': async (environ) => {
    await environ['wsgi.input'].read(3);
    throw new HttpError(422, 'three bytes are enough');
  },
  'read-after-answer': (environ, start) => {
    const input = environ['wsgi.input'];
    const tell = sayer(environ);
    setImmediate(() => {
      input.read().then(
        (body) => tell(`read ${body.length}`),
        (error) => tell(codeOf(error)),
      );
    });
    ok(start);
    return ['answered'];
  },
  slow: (environ, start) => {
    ok(start);
    return (async function* () {
      for (let i = 0; i < Number(parameter(environ, 'ticks')); i++) {
        await sleep(10);
        yield parameter(environ, 'text') || 'tick';
      }
    })();
  },
  sized: (environ, start, detail) => {
    const chunks = parameter(environ, 'chunks').split(',');
    const write = ok(start, [['Content-Length', parameter(environ, 'length')]]);
    if (detail === 'generator') {
      return (async function* () {
        for (const chunk of chunks) {
          yield chunk;
          await turn();
        }
      })();
    }
    return (async () => {
      for (const chunk of chunks) {
        await write(chunk);
        await turn();
      }
      return [];
    })();
  },
  error: (environ, _start, detail) => {
    if (detail === 'forbidden') throw new HttpError(403, 'this <may> be shown');
    if (detail === 'redirect') throw new HttpRedirect('/hello');
    throw new Error(`secret text of ${environ.REQUEST_METHOD}`);
  },
  headers: (_environ, start) => {
    ok(start, [
      ['Content-Type', 'text/plain'],
      ['Set-Cookie', 'a=1; Path=/'],
      ['Set-Cookie', 'b=2'],
      ['X-MiXed-CaSe', 'Kept'],
      ['X-Empty', ''],
      ['Date', 'Thu, 01 Jan 1970 00:00:00 GMT'],
      ['content-length', '4'],
    ]);
    return ['four'];
  },
  'eight-bit': (_environ, start) => {
    ok(start, [
      ['X-Eight-Bit', 'caf\xe9 \xa3\xff'],
      ['X-Plain', 'plain'],
      ['Content-Type', 'text/plain'],
      ['X-More', '1'],
      ['X-Last', '2'],
    ]);
    return ['é'];
  },
  tunnel: (environ) => {
    const take = environ['vela.tunnel'];
    if (take === undefined) return new WsgiResponse({ status: 400, content: 'no tunnel here' });
    const { socket, head } = take();
    say(environ, `head ${Buffer.from(head).toString('latin1')}`);
    const status =
      environ.REQUEST_METHOD === 'CONNECT'
        ? '200 Connection Established'
        : '101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo';
    socket.write(`HTTP/1.1 ${status}\r\n\r\n`);
    socket.write(head);
    socket.pipe(socket);
    socket.on('error', () => socket.destroy());
    return TAKEN;
  },
  'tunnel-later': async (environ) => {
    await turn();
    return APPS.tunnel?.(environ, wrong({}), '');
  },
  'tunnel-twice': (environ) => {
    const take = environ['vela.tunnel'];
    if (take === undefined) return new WsgiResponse({ status: 400, content: 'no tunnel here' });
    const { socket } = take();
    say(environ, attempt(() => typeof take()) as string);
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nbye');
    return TAKEN;
  },
};

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return codeOf(error);
  }
}

/** Everything in an environ that can be said in JSON. */
function toObjectText(environ: Environ): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(toObject(environ)).map(([key, value]) => [
      key,
      ['string', 'boolean', 'number'].includes(typeof value) ? value : typeof value,
    ]),
  );
}

/** The application that chooses one of all. It reads the undecoded path, so that decoding stays a subject. */
const every: AppFunction = (environ, start) => {
  const [, name = '', detail = ''] = environ['vela.raw_path'].split('/');
  const app = APPS[name];
  if (app !== undefined) return app(environ, start, detail) as Body;
  if (name === 'path')
    return json(start, {
      path: environ.PATH_INFO,
      uri: environ.RAW_URI,
      query: environ.QUERY_STRING,
      raw: environ['vela.raw_path'],
    });
  return json(start, {
    path: environ.PATH_INFO,
    uri: environ.RAW_URI,
    query: environ.QUERY_STRING,
    raw: environ['vela.raw_path'],
  });
};

const declared: AppFunction = Object.assign(((environ, start) => every(environ, start)) as AppFunction, {
  headers: ['X-Declared', 'User-Agent', 'accept'],
});

const declaredSingletons: AppFunction = Object.assign(
  ((environ, start) => every(environ, start)) as AppFunction,
  {
    headers: ['User-Agent'],
  },
);

/** Reads the loaded body without waiting. */
const sync: AppFunction = (environ, start) => {
  const body = environ['wsgi.input'].readSync();
  return json(start, {
    body: body.toString('latin1'),
    again: environ['wsgi.input'].readSync().length,
    header: environ.HTTP_X_TEST ?? null,
  });
};

/** Chooses by a header, as CONNECT has no path. */
const tunnels: AppFunction = (environ, start) =>
  APPS[environ.HTTP_X_APP ?? 'tunnel']?.(environ, start, '') as Body;

/** Applications that a server of the child can have. */
export const SERVED: Readonly<Record<string, App>> = {
  every,
  tunnels,
  declared,
  'declared-singletons': declaredSingletons,
  'loads-body': new WsgiHandler([waitForBody({ limitBytes: 1000 }), sync]),
  'loads-large-body': new WsgiHandler([waitForBody({ limitBytes: 2 ** 30 }), sync]),
  handler: new WsgiHandler([() => undefined, every], {
    responseMiddleware: [(_environ, response) => response.setHeader('X-Response-Middleware', 'ran')],
  }),
  'nothing-handles': new WsgiHandler([() => null, async () => undefined]),
  ...websocketApps(
    (id, what) => note(id, what),
    (id) => gate(id).promise,
  ),
};
