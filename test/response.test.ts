import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import t from 'tap';
import {
  type App,
  eventStream,
  html,
  json,
  lint,
  redirect,
  requestOf,
  type ServerSentEvent,
  serve,
  unsafeHtml,
  WsgiResponse,
} from '../src/index.js';
import { recorder, testClient } from './support/ask.js';

t.test('html escapes every value', async (t) => {
  t.equal(await html`<a title="${`"'<>&`}">`.render(), '<a title="&quot;&#39;&lt;&gt;&amp;">');
  t.equal(await html`${1}${2n}${null}${undefined}${false}${true}${['a', ['<b>']]}`.render(), '12a&lt;b&gt;');
  t.equal(await html`${html`<i>${'<'}</i>`}${unsafeHtml('<hr>')}`.render(), '<i>&lt;</i><hr>');
  t.equal(await html`${Promise.resolve('<')}${Promise.resolve([html`<b>`, '>'])}`.render(), '&lt;<b>&gt;');
  t.throws(() => html`${{} as never}`, TypeError);
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
      const markup = await html`<p title='${text}'>${text}</p>`.render();
      const inner = markup.slice("<p title='".length, -'</p>'.length);
      return !/[<"]/.test(inner.replace("'>", '')) && inner.split("'").length === 2;
    }),
  );
});

t.test('html streams: what stands before a promise is sent before it settles', async (t) => {
  let settle = (_text: string) => {};
  const late = new Promise<string>((resolve) => {
    settle = resolve;
  });
  const app: App = () => new WsgiResponse({ content: html`<h1>now</h1>${late}` });
  const client = testClient(lint(app));
  const response = await client.get('/');
  t.equal(response.header('content-type'), 'text/html; charset=utf-8');
  const reader = response.body[Symbol.asyncIterator]();
  t.equal(Buffer.from((await reader.next()).value ?? []).toString(), '<h1>now</h1>');
  settle('<later>');
  t.equal(Buffer.from((await reader.next()).value ?? []).toString(), '&lt;later&gt;');
  await client.close();
});

t.test('json', async (t) => {
  const client = testClient(lint((() => json({ a: [1] }, { status: 201 })) as App));
  const response = await client.get('/');
  t.equal(response.status, 201);
  t.equal(response.header('content-type'), 'application/json');
  t.same(JSON.parse(await response.text()), { a: [1] });
  for (const value of [undefined, () => 1, Symbol('x')]) t.throws(() => json(value), TypeError);
  t.throws(() => json(1n), TypeError);
  t.throws(() => json(Promise.resolve(1)), /await it/);
  t.throws(() => json(Promise.reject(new Error('x')).catch(() => 1)), /await it/);
  t.throws(() => json(new Map()), /Object\.fromEntries/);
  t.throws(() => json(new Response('x')), /of fetch is no response here/);
  t.throws(() => json(new Set()), /\[\.\.\.set\]/);
  for (const options of [201, null, 'x', [], new Map()])
    t.throws(() => json({}, options as never), /json takes its options as an object/);
  t.throws(() => json({}, { statusCode: 201 } as never), /no option "statusCode"/);
  t.equal(json({ toJSON: () => 5 }).content, '5');
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', note);
  const fail = () => sleep(1).then(() => Promise.reject(new Error('later')));
  t.throws(() => json(fail()), /await it/);
  t.throws(() => new WsgiResponse({ content: fail() as never }), /await it/);
  await sleep(10);
  process.off('unhandledRejection', note);
  t.same(unhandled, [], 'a promise that is refused is owned');
  await client.close();
});

t.test('redirect stays on this site unless told otherwise', async (t) => {
  const location = (target: string) => redirect(target).getHeader('Location');
  t.equal(location('/a?b=c#d'), '/a?b=c#d');
  t.equal(location('/a b/é'), '/a%20b/%C3%A9');
  t.equal(location('/a\r\nX: y'), '/aX:%20y');
  t.equal(redirect('/x').status, 302);
  t.equal(redirect('/x', { status: 308 }).status, 308);
  for (const target of [
    '//evil.com',
    '///evil.com',
    '/\\evil.com',
    '\\\\evil.com',
    '/\t/evil.com',
    '/..//evil.com',
    '/.//evil.com',
    'https://evil.com',
    'http:///evil.com',
    'javascript:alert(1)',
    'next',
    '',
    'http://user:pass@redirect.invalid/',
    'http://[',
  ]) {
    t.throws(() => redirect(target), { name: 'BadRequest' }, JSON.stringify(target));
  }
  t.equal(
    redirect('https://example.com/a', { allowExternal: true }).getHeader('Location'),
    'https://example.com/a',
  );
  t.throws(() => redirect('javascript:alert(1)', { allowExternal: true }), { name: 'BadRequest' });
  t.throws(() => redirect('/x', { status: 304 as never }), TypeError);
  t.throws(() => redirect(5 as never), TypeError);
  t.throws(() => redirect('/x', { permanent: true } as never), TypeError);
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('/', '\\', '.', '\t', '\n', '@', ':', '%', 'a', '?', '#', ' ') }),
      (target) => {
        let found: string;
        try {
          found = location(target) as string;
        } catch {
          return true;
        }
        return new URL(found, 'https://here.example/a/b').origin === 'https://here.example';
      },
    ),
    { numRuns: 5000 },
  );
});

t.test('a cookie is text', (t) => {
  for (const value of [undefined, null, 5, {}, Promise.resolve('x')])
    t.throws(() => json(1).setCookie('a', value as never), /A cookie has a name and a value as text/);
  t.throws(() => json(1).setCookie(undefined as never, 'x'), /A cookie has a name/);
  t.end();
});

t.test('cookies', async (t) => {
  const app: App = (environ) => {
    const seen = requestOf(environ).cookies;
    const response = json(seen);
    response
      .setCookie('name', 'a b;ü', { maxAgeSeconds: 60 })
      .setCookie('name', 'second')
      .setCookie('gone', 'x');
    return response.deleteCookie('gone');
  };
  const client = testClient(lint(app));
  const first = await client.get('/', {
    headers: { cookie: '__proto__=p; a=1; a=2; broken; b=%ZZ; c=%C3%BC' },
  });
  t.same(
    first.headers.filter(([name]) => name === 'Set-Cookie').map(([, value]) => value),
    [
      'name=second; Path=/; HttpOnly; SameSite=Lax',
      'gone=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax',
    ],
  );
  const seen = JSON.parse(await first.text()) as Record<string, string>;
  t.same(Object.entries(seen), [
    ['__proto__', 'p'],
    ['a', '1'],
    ['b', '%ZZ'],
    ['c', 'ü'],
  ]);
  t.same(JSON.parse(await (await client.get('/')).text()), { name: 'second' }, 'testClient keeps them');
  const many = Array.from({ length: 10_000 }, (_, i) => `c${i}=v`).join('; ');
  t.equal((await client.get('/', { headers: { cookie: many } })).status, 400);
  await client.close();
  const response = new WsgiResponse();
  for (const [name, value, options] of [
    ['a b', 'x', {}],
    ['', 'x', {}],
    ['a', 'x', { domain: 'a b' }],
    ['a', 'x', { path: '/;' }],
    ['a', 'x', { maxAgeSeconds: 1.5 }],
    ['a', 'x', { expires: new Date('x') }],
    ['a', 'x', { sameSite: 'none' }],
    ['a', 'x', { partitioned: true }],
    ['__Host-a', 'x', { domain: 'example.com' }],
    ['__Host-a', 'x', { path: '/a' }],
    ['__Secure-a', 'x', { secure: false }],
    ['a', 'x', { maxAge: 5 }],
  ] as const) {
    t.throws(
      () => response.setCookie(name, value, options as never),
      TypeError,
      JSON.stringify([name, options]),
    );
  }
});

t.test('event streams', async (t) => {
  async function* events(): AsyncGenerator<ServerSentEvent | string> {
    yield 'one\ntwo';
    yield { event: 'tick', id: '7', data: 'x\r\ny\rz', retryMs: 5 };
    yield { comment: 'note' };
  }
  const client = testClient(lint((() => eventStream(events(), { retryMs: 1000 })) as App));
  const response = await client.get('/');
  t.equal(response.header('content-type'), 'text/event-stream');
  t.equal(
    await response.text(),
    'retry: 1000\n\ndata: one\ndata: two\n\nretry: 5\nevent: tick\nid: 7\ndata: x\ndata: y\ndata: z\n\n:note\n\n',
  );
  await client.close();
  for (const options of [
    { heartbeatMs: 0 },
    { heartbeatMs: Number.NaN },
    { heartBeatMs: 5 },
    { retryMs: -1 },
  ])
    t.throws(() => eventStream(events(), options as never), TypeError, JSON.stringify(options));
  t.throws(() => eventStream([] as never), TypeError);
  const mistakes: [unknown, RegExp][] = [
    [
      { dat: 'x' },
      /An event has no "dat" \(did you mean "data"\?\); it has "data", "event", "id", "retryMs", "comm/,
    ],
    [{ data: { a: 1 } }, /"data" must be text; received an object \(Object\): JSON\.stringify it/],
    [{ data: 5 }, /"data" must be text; received 5/],
    [{ comment: 5 }, /"comment" must be text; received 5/],
    [5, /received 5/],
    [null, /received null/],
    [['x'], /received an array of 1/],
    [{ data: 'x', id: 5 }, /"id" must be one line of text/],
  ];
  for (const [event, message] of mistakes) {
    const logger = recorder();
    const source = async function* () {
      yield event as ServerSentEvent;
    };
    const wrong = testClient(() => eventStream(source()), { logger });
    t.equal((await wrong.get('/')).status, 500);
    t.match(logger.lines, [{ details: { err: { name: 'TypeError', message } } }], JSON.stringify(event));
    await wrong.close();
  }
});

for (const gateway of ['uws', 'node'] as const) {
  t.test(
    `an event stream beats while its source is silent, and ends with its client: ${gateway}`,
    async (t) => {
      let isReturned = false;
      const source: AsyncIterable<string> = {
        [Symbol.asyncIterator]: () => ({
          next: () => new Promise(() => {}),
          async return() {
            isReturned = true;
            return { done: true, value: undefined };
          },
        }),
      };
      const heartbeats: Readonly<Record<string, number>> = { '/': 20, '/silent': 60_000 };
      const beating: App = ({ PATH_INFO }) =>
        eventStream(source, { heartbeatMs: heartbeats[PATH_INFO] as number });
      const server = await serve(beating, {
        bind: '127.0.0.1:0',
        gateway,
        logLevel: 'silent',
      });
      const socket = connect((server.address as { port: number }).port, '127.0.0.1');
      let text = '';
      socket.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      while (text.split('\n:\n\n').length < 4) await once(socket, 'data');
      socket.destroy();
      for (let i = 0; i < 200 && !isReturned; i++) await sleep(10);
      t.ok(isReturned);
      const silent = await fetch(`${server.url}/silent`, { signal: AbortSignal.timeout(5000) });
      t.equal(silent.status, 200, 'its head comes before the first event');
      const { value } = (await silent.body?.getReader().read()) ?? {};
      t.equal(Buffer.from(value ?? []).toString(), ':\n\n');
      await server.close({ timeoutMs: 0 });
    },
  );
}

t.test('wsgi.file_wrapper sends a file and closes it', async (t) => {
  const closed: string[] = [];
  const app: App = async (environ, start) => {
    const file = await open(new URL(import.meta.url));
    const close = file.close.bind(file);
    file.close = async () => {
      closed.push(environ.PATH_INFO);
      await close();
    };
    start('200 OK', [['Content-Type', 'text/plain']]);
    return environ['wsgi.file_wrapper'](file, 100);
  };
  const client = testClient(lint(app));
  t.match(await (await client.get('/read')).text(), /wsgi\.file_wrapper sends a file and closes it/);
  await client.request('/head', { method: 'HEAD' });
  const abort = new AbortController();
  const response = await client.get('/abort', { signal: abort.signal });
  await response.body[Symbol.asyncIterator]().next();
  abort.abort();
  await sleep(10);
  t.same(closed, ['/read', '/head', '/abort']);
  await client.close();
});
