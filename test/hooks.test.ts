import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import {
  type App,
  type AppFunction,
  type Environ,
  HttpError,
  lint,
  type RequestEnd,
  type RequestEndMessage,
  type ResponseControl,
  serve,
  WsgiHandler,
  WsgiResponse,
} from '../src/index.js';
import { testClient } from './support/ask.js';

/** Collects how requests end. */
function watch(app: App): { app: App; ends: RequestEnd[] } {
  const ends: RequestEnd[] = [];
  const watcher = lint((environ) => {
    environ['vela.response'].onEnd((end) => ends.push(end));
  });
  return { app: new WsgiHandler([watcher, app]), ends };
}

t.test('onStart changes the head of any response', async (t) => {
  const mark = (name: string) =>
    lint((environ) => {
      environ['vela.response'].onStart((response) => {
        response.headers.push(['X-Mark', name]);
      });
    });
  const shared: [string, string][] = [['Content-Type', 'text/plain']];
  const apps: Record<string, App> = {
    started: (_environ, start) => {
      start('200 OK', shared);
      return ['x'];
    },
    response: () => new WsgiResponse({ content: 'x' }),
    thrown: () => {
      throw new HttpError(409);
    },
    later: async () => {
      await null;
      return new WsgiResponse({ content: 'x' });
    },
    stream: (_environ, start) => {
      start('200 OK', shared);
      return (async function* () {
        yield 'x';
      })();
    },
  };
  for (const [name, app] of Object.entries(apps)) {
    const client = testClient(new WsgiHandler([mark('outer'), mark('inner'), app]));
    const response = await client.get('/');
    t.same(
      response.headers.filter(([key]) => key === 'X-Mark').map(([, value]) => value),
      ['inner', 'outer'],
      name,
    );
    await response.text();
    await client.close();
  }
  t.same(shared, [['Content-Type', 'text/plain']], "the application's own array stays as it is");
});

t.test('a listener may change the status, and what it makes is checked', async (t) => {
  const change = (status: string, header: [string, string]): App =>
    new WsgiHandler([
      (environ) => {
        environ['vela.response'].onStart((response) => {
          response.status = status;
          response.headers.push(header);
        });
      },
      () => new WsgiResponse({ content: 'x' }),
    ]);
  const good = testClient(change('201 Created', ['X-A', 'b']));
  t.equal((await good.get('/')).status, 201);
  await good.close();
  const bad = testClient(change('200 OK', ['X-A', 'b\r\nX-C: d']));
  t.equal((await bad.get('/')).status, 500);
  await bad.close();
});

t.test('a listener that throws makes an error response', async (t) => {
  const app = new WsgiHandler([
    (environ) => {
      environ['vela.response'].onStart(() => {
        throw new HttpError(418, 'no tea');
      });
    },
    () => new WsgiResponse({ content: 'x' }),
  ]);
  const client = testClient(app);
  const response = await client.get('/');
  t.equal(response.status, 418);
  t.equal(await response.text(), 'no tea\n');
  await client.close();
});

t.test('onEnd tells how a request ended', async (t) => {
  const { app, ends } = watch((environ, start) => {
    start('200 OK', [['Content-Type', 'text/plain']]);
    return body(environ);
  });
  async function* body(environ: Environ) {
    yield 'abc';
    if (environ.PATH_INFO === '/throw') throw new Error('broken');
    if (environ.PATH_INFO === '/wait') await sleep(5000, undefined, { signal: environ['vela.signal'] });
    yield 'é';
  }
  const client = testClient(app);
  t.equal(await (await client.get('/')).text(), 'abcé');
  t.match(ends.pop(), { status: 200, bodyBytes: 5, outcome: 'sent', error: undefined });
  await t.rejects((await client.get('/throw')).text());
  t.match(ends.pop(), { status: 200, bodyBytes: 3, outcome: 'cut', error: { message: 'broken' } });
  const abort = new AbortController();
  const reader = (await client.get('/wait', { signal: abort.signal })).body[Symbol.asyncIterator]();
  await reader.next();
  abort.abort();
  await t.rejects(reader.next());
  t.match(ends.pop(), { status: 200, outcome: 'aborted', error: { code: 'ERR_CLIENT_ABORTED' } });
  await client.request('/', { method: 'HEAD' });
  t.match(ends.pop(), { status: 200, bodyBytes: 0, outcome: 'sent' });
  t.same(ends, [], 'once each');
  await client.close();
});

t.test('onEnd and onStart after their time', async (t) => {
  let late: RequestEnd | undefined;
  let control: ResponseControl | undefined;
  const client = testClient((environ, start) => {
    control = environ['vela.response'];
    start('204 No Content', []);
    return [];
  });
  await client.get('/');
  control?.onEnd((end) => {
    late = end;
  });
  t.match(late, { status: 204, outcome: 'sent' });
  t.throws(() => control?.onStart(() => {}), { code: 'ERR_RESPONSE_STARTED' });
  await client.close();
});

t.test('fail() answers for an application that does not, and stops its work', async (t) => {
  let reason: unknown;
  const { app, ends } = watch(async (environ) => {
    environ['vela.signal'].addEventListener('abort', () => {
      reason = environ['vela.signal'].reason;
    });
    setTimeout(() => environ['vela.response'].fail(new HttpError(503, 'too slow')), 5);
    await new Promise(() => {});
    return [];
  });
  const client = testClient(app);
  const response = await client.get('/');
  t.equal(response.status, 503);
  t.equal(await response.text(), 'too slow\n');
  t.match(reason, { status: 503 });
  t.match(ends, [{ status: 503, outcome: 'sent' }]);
  await client.close();
});

for (const gateway of ['uws', 'node'] as const) {
  t.test(`what response middleware and onStart see of error responses: ${gateway}`, async (t) => {
    const mark = lint((environ) => {
      environ['vela.response'].onStart(({ headers }) => {
        headers.push(['X-On-Start', '1']);
      });
    });
    const apps: Record<string, AppFunction> = {
      '/throws': () => {
        throw new HttpError(409);
      },
      '/slow': async () => sleep(3000).then(() => new WsgiResponse()),
      '/bad-header': () => new WsgiResponse({ headers: [['X', 'a\nb']] }),
      '/bad-body': () => ({}) as never,
      '/bad-chunk': (_environ, start) => (start('200 OK', []), [5 as never]),
      '/response-middleware-throws': () => new WsgiResponse({ status: 299 }),
      '/fails': async (environ) => {
        environ['vela.response'].fail(new HttpError(503));
        return [];
      },
      '/reads': async (environ) => {
        await environ['wsgi.input'].read();
        return [];
      },
    };
    const stack = new WsgiHandler([mark, (environ, start) => apps[environ.PATH_INFO]?.(environ, start)], {
      responseMiddleware: [
        (_environ, response) => {
          if (response.status === 299) throw new Error('no');
          response.setHeader('X-Walk', '1');
        },
      ],
    });
    const limits = { requestTimeoutMs: 200, maxBodyBytes: 10, maxRequestLineBytes: 100, maxHeaderFields: 20 };
    const server = await serve(stack, { bind: '127.0.0.1:0', gateway, logLevel: 'silent', ...limits });
    const chunked = { method: 'POST', duplex: 'half', body: new Blob(['x'.repeat(20)]).stream() };
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`x-${i}`, '1']));
    for (const [path, init, expected] of [
      ['/throws', {}, '409 walk onStart json'],
      ['/nothing', {}, '404 walk onStart json'],
      ['/reads', chunked, '413 walk onStart json'],
      ['/slow', {}, '504 onStart json'],
      ['/bad-header', {}, '500 onStart json'],
      ['/bad-body', {}, '500 onStart json'],
      ['/bad-chunk', {}, '500 onStart json'],
      ['/response-middleware-throws', {}, '500 onStart json'],
      ['/fails', {}, '503 onStart json'],
      ['/reads', { method: 'POST', body: 'x'.repeat(20) }, '413 plain'],
      [`/${'x'.repeat(200)}`, {}, '414 plain'],
      ['/throws', { headers: many }, '431 plain'],
    ] as const) {
      const headers = { accept: 'application/json', ...(init as RequestInit).headers };
      const response = await fetch(`${server.url}${path}`, { ...(init as RequestInit), headers });
      await response.text();
      const seen = [
        response.status,
        response.headers.has('x-walk') && 'walk',
        response.headers.has('x-on-start') && 'onStart',
        /json|plain/.exec(response.headers.get('content-type') ?? '')?.[0],
      ];
      t.equal(seen.filter(Boolean).join(' '), expected, path.slice(0, 40));
    }
    await server.close({ timeoutMs: 0 });
  });

  t.test(`a client that leaves is told over a socket: ${gateway}`, async (t) => {
    const { app, ends } = watch(async (environ) => {
      await sleep(5000, undefined, { signal: environ['vela.signal'] }).catch(() => {});
      return new WsgiResponse({ content: 'late' });
    });
    const server = await serve(app, { bind: '127.0.0.1:0', gateway, logLevel: 'silent' });
    const socket = connect((server.address as { port: number }).port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(socket, 'connect');
    await sleep(50);
    socket.destroy();
    for (let i = 0; i < 100 && ends.length === 0; i++) await sleep(10);
    t.match(ends, [{ status: 0, bodyBytes: 0, outcome: 'aborted', error: { code: 'ERR_CLIENT_ABORTED' } }]);
    t.ok((ends[0]?.durationMs ?? 0) > 20);
    await server.close();
  });
}

t.test('channels tell of each request', async (t) => {
  const told: string[] = [];
  const listen = (name: string) => {
    const listener = (message: unknown) => {
      const { environ, status, error } = message as RequestEndMessage;
      told.push(`${name} ${environ['vela.raw_path']} ${status ?? ''} ${error?.message ?? ''}`.trim());
    };
    subscribe(`vela:request:${name}`, listener);
    t.teardown(() => unsubscribe(`vela:request:${name}`, listener));
  };
  for (const name of ['start', 'finish', 'abort', 'error']) listen(name);
  const client = testClient((environ, start) => {
    if (environ.PATH_INFO === '/error') throw new HttpError(409, 'again');
    start('200 OK', [['Content-Type', 'text/plain']]);
    return (async function* () {
      yield 'a';
      if (environ.PATH_INFO === '/cut') throw new Error('broken');
    })();
  });
  await (await client.get('/good')).text();
  await (await client.get('/error')).text();
  await t.rejects((await client.get('/cut')).text());
  await client.close();
  t.same(told, [
    'start /good',
    'finish /good 200',
    'start /error',
    'error /error 409 again',
    'finish /error 409',
    'start /cut',
    'abort /cut 200 broken',
  ]);
});
