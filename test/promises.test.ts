import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import {
  type App,
  createCookieSealer,
  type Environ,
  type HeaderPair,
  Http401,
  html,
  type Middleware,
  type ResponseControl,
  readBytes,
  requestOf,
  saveFile,
  serve,
  WsgiHandler,
  WsgiResponse,
} from '../src/index.js';
import { accessLog, csrfTokenOf, session, sessionOf } from '../src/middleware/index.js';
import { fileResponse } from '../src/static/index.js';
import { recorder, testClient } from './support/ask.js';

/** Nothing that Vela is given, or gives, ends the process: without a listener each of these would. */
const unhandled: unknown[] = [];
process.on('unhandledRejection', (error) => unhandled.push(error));
process.on('uncaughtException', (error) => unhandled.push(error));

const GATEWAYS = ['uws', 'node'] as const;
const TEXT: HeaderPair[] = [['Content-Type', 'text/plain']];

async function failLater(ms: number): Promise<string> {
  await sleep(ms);
  throw new Error(`failed after ${ms} ms`);
}

function nothingUnhandled(t: Test, about: string): void {
  t.same(unhandled.splice(0).map(String), [], `${about}: nothing is unhandled`);
}

/**
 * Sends bytes to an app over a socket and gives what came back, until it ends or the client leaves.
 * @param leaveAfterMs - after the app was called
 */
async function talk(
  app: App,
  gateway: 'uws' | 'node',
  bytes: string,
  leaveAfterMs?: number,
): Promise<string> {
  let isCalled = () => {};
  const called = new Promise<void>((resolve) => {
    isCalled = resolve;
  });
  const watched = new WsgiHandler([() => isCalled(), app as Middleware]);
  const server = await serve(watched, { bind: '127.0.0.1:0', gateway, logLevel: 'silent' });
  const { port } = server.address as { port: number };
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(bytes);
  if (leaveAfterMs !== undefined) {
    await Promise.race([called, closed, sleep(10_000)]);
    await sleep(leaveAfterMs);
    socket.destroy();
  }
  await Promise.race([closed, sleep(10_000)]);
  socket.destroy();
  await sleep(30);
  await server.close();
  return text;
}

const ask = (method = 'GET') => `${method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;

t.test('html: a promise that rejects while another one is pending fails the body alone', async (t) => {
  const page = (content: () => WsgiResponse['content']): App => {
    return () => new WsgiResponse({ content: content() });
  };
  const pages: Record<string, App> = {
    'later first': page(() => html`<p>${sleep(40, 'a')}</p><p>${failLater(5)}</p>`),
    'both fail': page(() => html`<p>${failLater(40)}</p><p>${failLater(5)}</p>`),
    nested: page(() => html`<p>${html`<b>${sleep(40, 'a')}</b>`}${[html`${failLater(5)}`]}</p>`),
    'of a promise': page(() => html`${sleep(30, 'a')}${sleep(1).then(() => html`${failLater(1)}`)}`),
    thenable: page(() => html`${sleep(30, 'a')}${Promise.reject(new Error('at once'))}`),
  };
  for (const gateway of GATEWAYS) {
    for (const [name, app] of Object.entries(pages)) {
      const text = await talk(app, gateway, ask());
      t.notMatch(text, /\r\n0\r\n\r\n$/, `${gateway} ${name}: cut`);
      nothingUnhandled(t, `${gateway} ${name}`);
      t.match(await talk(app, gateway, ask('HEAD')), /^HTTP\/1\.1 [25]00/, `${gateway} ${name}, HEAD`);
      await sleep(50);
      nothingUnhandled(t, `${gateway} ${name}, HEAD`);
    }
    const signalled: App = ({ 'vela.signal': signal }) =>
      new WsgiResponse({
        content: html`<p>${sleep(3000, 'one', { signal })}</p>${sleep(3000, 'late', { signal })}${html`${sleep(3000, 'x', { signal })}`}`,
      });
    await talk(signalled, gateway, ask(), 60);
    nothingUnhandled(t, `${gateway}, the client leaves`);
  }
  const unsent: App = () => {
    void html`<p>${failLater(1)}</p>`;
    throw new Http401();
  };
  const client = testClient(unsent);
  t.equal((await client.get('/')).status, 401);
  t.throws(() => html`${failLater(1)}${{} as never}${[failLater(1)]}`, TypeError);
  void html`${failLater(1)}`.render();
  await t.rejects(html`${failLater(1)}`.render(), /failed after/, 'whoever awaits it gets the error');
  await sleep(20);
  nothingUnhandled(t, 'what is never sent');
  await client.close();
});

interface Reader {
  readonly type: string;
  readonly read: (environ: Environ) => PromiseLike<unknown> | undefined;
}

/** Each begins to read, and gives the promise of it. */
const READERS: Record<
  string,
  { type: string; read: (environ: Environ) => PromiseLike<unknown> | undefined }
> = {
  json: { type: 'application/json', read: (environ) => requestOf(environ).json() },
  form: { type: 'application/x-www-form-urlencoded', read: (environ) => requestOf(environ).form() },
  'form, multipart': {
    type: 'multipart/form-data; boundary=b',
    read: (environ) => requestOf(environ).form(),
  },
  text: { type: 'text/plain', read: (environ) => requestOf(environ).text() },
  bytes: { type: 'text/plain', read: (environ) => requestOf(environ).bytes() },
  readBytes: { type: 'text/plain', read: (environ) => readBytes(environ) },
  dataAndFiles: {
    type: 'multipart/form-data; boundary=b',
    read: (environ) => requestOf(environ).dataAndFiles(),
  },
  'multipart().next()': {
    type: 'multipart/form-data; boundary=b',
    read: (environ) => requestOf(environ).multipart().next(),
  },
  'read()': { type: '', read: (environ) => environ['wsgi.input'].read() },
  'readline()': { type: '', read: (environ) => environ['wsgi.input'].readline() },
  'readlines()': { type: '', read: (environ) => environ['wsgi.input'].readlines() },
  'load()': { type: '', read: (environ) => environ['wsgi.input'].load() },
  'next()': {
    type: '',
    read: (environ) => {
      const chunks = environ['wsgi.input'][Symbol.asyncIterator]();
      // What has come is taken: the next step waits.
      void chunks.next();
      return chunks.next();
    },
  },
};

/** The beginning of a request, whose body of 500 bytes does not come to its end. */
function post(type: string, body: string): string {
  const typed = type === '' ? '' : `Content-Type: ${type}\r\n`;
  return `POST / HTTP/1.1\r\nHost: a\r\n${typed}Content-Length: 500\r\nConnection: close\r\n\r\n${body}`;
}

const BEGUN_PART = '--b\r\nContent-Disposition: form-data; name="t"; filename="f"\r\n\r\nhel';

t.test('a read that nobody awaits ends no process', async (t) => {
  for (const gateway of GATEWAYS) {
    const test = async ([name, { type, read }]: [string, Reader]) => {
      const refuses: App = async (environ) => {
        void read(environ);
        await sleep(10);
        throw new Http401();
      };
      const waits: App = async (environ) => {
        void read(environ);
        await sleep(150);
        return [];
      };
      let told: unknown;
      const awaits: App = async (environ) => {
        const reading = read(environ);
        await sleep(100);
        await Promise.resolve(reading).catch((error: unknown) => {
          told = error;
        });
        return [];
      };
      t.match(await talk(refuses, gateway, post(type, '{"a"'), 500), /^HTTP\/1\.1 401/);
      await talk(waits, gateway, post(type, '{"a"'), 40);
      await talk(awaits, gateway, post(type, '{"a"'), 40);
      for (let turns = 0; told === undefined && turns < 1000; turns++) await sleep(10);
      t.match(told, { code: 'ERR_CLIENT_ABORTED' }, `${gateway} ${name}: whoever awaits it gets the error`);
    };
    await Promise.all(Object.entries(READERS).map(test));
    nothingUnhandled(t, gateway);
  }
});

t.test('a part or file that nobody awaits ends no process', async (t) => {
  type Part = Parameters<typeof saveFile>[0] & {
    bytes(): Promise<unknown>;
    text(): Promise<unknown>;
    json(): Promise<unknown>;
    drain(): Promise<unknown>;
    saveTo(path: string): Promise<unknown>;
  };
  const uses: Record<string, (part: Part) => unknown> = {
    bytes: (part) => part.bytes(),
    text: (part) => part.text(),
    json: (part) => part.json(),
    drain: (part) => part.drain(),
    saveTo: (part) => part.saveTo('/nowhere/at/all'),
    saveFile: (part) => saveFile(part, tmpdir()),
    next: (part) => {
      const chunks = part[Symbol.asyncIterator]();
      void chunks.next();
      return chunks.next();
    },
  };
  const type = 'multipart/form-data; boundary=b';
  for (const gateway of GATEWAYS) {
    for (const [name, use] of Object.entries(uses)) {
      const app: App = async (environ) => {
        const { value: part } = await requestOf(environ).multipart().next();
        void use(part as Part);
        await sleep(10);
        throw new Http401();
      };
      t.match(await talk(app, gateway, post(type, BEGUN_PART), 60), /^HTTP\/1\.1 401/);
      nothingUnhandled(t, `${gateway} ${name}`);
    }
  }
  const kept: App = async (environ) => {
    const { files } = await requestOf(environ).dataAndFiles({ memoryBytes: 0 });
    const [file] = files;
    environ['vela.response'].onEnd(() => {
      // Its temporary file is gone by then.
      setTimeout(() => {
        void file?.bytes();
        void file?.text();
        void file?.saveTo('/nowhere/at/all');
        void file?.stream();
        void file?.stream()[Symbol.asyncIterator]().next();
      }, 20);
    });
    return new WsgiResponse({ content: String(file?.size) });
  };
  const client = testClient(kept);
  const body = `${BEGUN_PART}lo\r\n--b--\r\n`;
  t.equal(await (await client.post('/', { body, headers: { 'content-type': type } })).text(), '5');
  await sleep(60);
  nothingUnhandled(t, 'a file that is gone');
  await client.close();
});

t.test('sessions, tokens, seals and files that nobody awaits end no process', async (t) => {
  const fail = () => Promise.reject(new Error('the store is down'));
  const failing = { get: fail, set: fail, destroy: fail, touch: fail };
  const cookie = `session=${'a'.repeat(43)}`;
  const sealer = createCookieSealer({ passwords: ['x'.repeat(32)], ttlMs: 1000 });
  const uses: Record<string, Middleware> = {
    sessionOf: (environ) => void sessionOf(environ),
    csrfTokenOf: (environ) => void csrfTokenOf(environ),
    seal: () => void sealer.seal('a', 1n),
    fileResponse: (environ) => void fileResponse(environ, '/nowhere/at/all'),
    'save and destroy': async (environ) => {
      const loaded = await sessionOf(environ);
      loaded.set('a', 1);
      void loaded.save();
      void loaded.destroy();
    },
  };
  for (const gateway of GATEWAYS) {
    for (const [name, use] of Object.entries(uses)) {
      const app = new WsgiHandler([
        session({ store: name === 'save and destroy' ? { ...failing, get: () => undefined } : failing }),
        use,
        async () => {
          await sleep(10);
          throw new Http401();
        },
      ]);
      const asked = `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nCookie: ${cookie}\r\n\r\n`;
      t.match(await talk(app, gateway, asked), /^HTTP\/1\.1 401/);
      nothingUnhandled(t, `${gateway} ${name}`);
    }
  }
  const none = testClient((environ) => {
    void sessionOf(environ);
    void csrfTokenOf(environ);
    return new WsgiResponse();
  });
  t.equal((await none.get('/')).status, 200);
  await sleep(5);
  nothingUnhandled(t, 'without a session');
  await none.close();
});

t.test('listeners of a response may be async only at its end', async (t) => {
  const listen = (add: (response: ResponseControl) => void): App => {
    return (environ, start) => {
      add(environ['vela.response']);
      start('200 OK', TEXT);
      return ['x'];
    };
  };
  // As the types and the linter would have none.
  const failing = (async () => failLater(5)) as never;
  const asyncListener = (async () => undefined) as never;
  for (const gateway of GATEWAYS) {
    const atEnd = listen((response) => response.onEnd(failing));
    t.match(await talk(atEnd, gateway, ask()), /^HTTP\/1\.1 200/);
    nothingUnhandled(t, `${gateway}, onEnd`);
    const atStart = listen((response) => response.onStart(failing));
    t.match(await talk(atStart, gateway, ask()), /^HTTP\/1\.1 500/, 'the head cannot wait');
    nothingUnhandled(t, `${gateway}, onStart`);
  }
  const logger = recorder();
  const client = testClient(
    listen((response) => response.onEnd(failing)),
    { logger },
  );
  await (await client.get('/')).text();
  await sleep(20);
  t.match(logger.lines, [{ level: 'error', details: { err: { message: 'failed after 5 ms' } } }]);
  await client.close();
  const teaching = recorder();
  const other = testClient(
    listen((response) => response.onStart(asyncListener)),
    { logger: teaching },
  );
  t.equal((await other.get('/')).status, 500);
  t.match(teaching.lines, [{ details: { err: { code: 'ERR_RESPONSE_LISTENER' } } }]);
  await other.close();
});

t.test('accessLog owns the errors of its stream from the beginning', async (t) => {
  const hello: App = () => new WsgiResponse({ content: 'x' });
  const early = new Writable({ write: (_chunk, _encoding, done) => done() });
  const log = accessLog({ destination: early });
  early.destroy(new Error('before the start'));
  await sleep(5);
  nothingUnhandled(t, 'before the server starts');
  const logger = recorder();
  const client = testClient(new WsgiHandler([log, hello]), { logger });
  t.equal((await client.get('/')).status, 200);
  await client.close();
  t.equal(logger.lines.filter(({ message }) => message.includes('before the start')).length, 1, 'told once');

  const stream = new Writable({ write: (_chunk, _encoding, done) => done() });
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on('warning', note);
  const servers = await Promise.all(
    Array.from({ length: 15 }, () =>
      serve(new WsgiHandler([accessLog({ destination: stream, flushMs: 1 }), hello]), {
        bind: '127.0.0.1:0',
        gateway: 'node',
        logLevel: 'silent',
      }),
    ),
  );
  await fetch((servers[0] as { url: string }).url);
  await sleep(5);
  process.off('warning', note);
  t.same(warnings, [], 'many servers, one listener');
  t.equal(stream.listenerCount('error'), 1);
  for (const server of servers.slice(1)) await server.close();
  t.equal(stream.listenerCount('error'), 1, 'while one of them runs');
  stream.destroy(new Error('before a line'));
  await sleep(5);
  nothingUnhandled(t, 'while it runs');
  await servers[0]?.close();
  t.equal(stream.listenerCount('error'), 0, 'leaves no listener');

  const shared = new Writable({ write: (_chunk, _encoding, done) => done() });
  const one = new WsgiHandler([accessLog({ destination: shared }), hello]);
  const [first, second] = [testClient(one), testClient(one)];
  await first.get('/');
  await second.get('/');
  await first.close();
  t.equal(shared.listenerCount('error'), 1, 'the other one that has the same middleware still runs');
  await second.close();
  t.equal(shared.listenerCount('error'), 0);
});
