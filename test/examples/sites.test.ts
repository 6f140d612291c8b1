/** Examples of one process, started as README says, driven from outside, and stopped. Those of several: processes.test.ts. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { on, once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { Validator } from '@seriousme/openapi-schema-validator';
import t from 'tap';
import { WebSocket } from 'ws';
import type { calculator } from '../../examples/calculator/calculator.js';
import { createJsonRpcClient } from '../../src/rpc/index.js';
import { eventually } from '../support/eventually.js';
import { example, until } from '../support/example.js';
import { startExample } from '../support/run-example.js';

const MIB = 1_048_576;

t.test('the list of examples has a sentence for each', async (t) => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/example.mjs'], { encoding: 'utf8' });
  t.equal(status, 1);
  const names = readdirSync('examples').sort();
  t.same(names, [
    'account',
    'api',
    'blocking',
    'calculator',
    'chat',
    'digest',
    'events',
    'express',
    'fastify',
    'files',
    'graph',
    'hello',
    'hono',
    'httpbin',
    'koa',
    'metrics',
    'multi',
    'openapi',
    'philosophers',
    'remote',
    'report',
    'toolkit',
    'tracing',
    'uploads',
  ]);
  for (const name of names) t.match(stderr, new RegExp(`^  ${name} +[A-Z].{20,}\\.$`, 'm'), name);
});

example('hello', async (t, { url }) => {
  const response = await fetch(url);
  t.same([response.status, await response.text()], [200, 'Hello World!\n']);
  t.equal((await fetch(url, { method: 'POST', body: 'x' })).status, 405);
});

example('httpbin', async (t, { url }) => {
  const answer = await fetch(`${url}/anything/a?b=c`, { method: 'POST', body: 'x' });
  t.match(await answer.json(), { args: { b: 'c' }, data: 'x', method: 'POST', url: `${url}/anything/a?b=c` });
  t.match(await (await fetch(url)).text(), '<h1>httpbin on Vela</h1>');
});

example('graph', async (t, { url }) => {
  t.match(await (await fetch(url)).text(), '<h1>Live graph</h1>');
  t.match(await (await fetch(`${url}/uplot/uPlot.esm.js`)).text(), /export \{ uPlot as default \}/);
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graph`);
  const points: number[][] = [];
  for await (const [data] of on(socket, 'message')) {
    const { buffer, byteOffset } = data as Buffer;
    points.push([...new Float64Array(buffer.slice(byteOffset, byteOffset + 24))]);
    if (points.length === 3) break;
  }
  socket.close();
  t.ok(points.every(([at = 0, value = 9, pages]) => at > 1e9 && Math.abs(value) < 2 && pages === 1));
  t.ok((points[0]?.[0] as number) < (points[2]?.[0] as number));
});

example('calculator', async (t, { url }) => {
  const client = createJsonRpcClient<typeof calculator>(`${url}/rpc`);
  const outcomes = await client.batch((b) => [
    b.calc.add(6, 7),
    b.calc.subtract(6, 7),
    b.calc.multiply(6, 7),
    b.call('calc.divide', { b: 8, a: 6 }),
    b.calc.divide(1, 0),
  ]);
  t.same(
    outcomes.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.code)),
    [13, -1, 42, 0.75, 1],
  );
  const walks = await client.random.walks(10, 2);
  t.same(
    walks.map((walk) => walk.length),
    [10, 10],
  );
  t.ok((await client.functions_list()).some(([name]) => name === 'calc.add'));
  t.match(await createJsonRpcClient(`${url}/rpc`).call('rpc.discover'), {
    openrpc: '1.3.2',
    info: { title: 'Calculator' },
  });
  t.equal(await client.memory.store(5), 5);
  t.equal(await client.memory.recall(), 0, 'another visitor has another memory');
  t.match(await (await fetch(url)).text(), '<h1>A calculator over JSON-RPC</h1>');
  await client.close();
});

example('toolkit', async (t, { url }) => {
  const home = await fetch(url);
  t.match(
    await home.text(),
    /<h1>Toolkit<\/h1>\n<p>Request <code>\S{20}<\/code> from <code>127\.0\.0\.1<\/code>/,
  );
  t.match(home.headers.get('server-timing'), /total;.*work;/);
  t.match(home.headers.get('content-security-policy'), /'nonce-/);
  const missing = await fetch(`${url}/missing`, { headers: { accept: 'text/html' } });
  t.equal(missing.status, 404);
  t.match(await missing.text(), new RegExp(`<code>${missing.headers.get('x-request-id')}</code>`));
  const unclean = await fetch(`${url}//a//b`, { redirect: 'manual' });
  t.same([unclean.status, unclean.headers.get('location')], [308, '/a/b']);
  t.equal((await fetch(`${url}/slow`)).status, 503);
  t.equal((await fetch(`${url}/readyz`)).status, 200);
  const echo = await fetch(`${url}/api/echo`, {
    method: 'POST',
    body: 'x',
    headers: { origin: 'https://app.example' },
  });
  t.same(
    [await echo.json(), echo.headers.get('access-control-allow-origin')],
    [{ bytes: 1, mountedAt: '/api' }, 'https://app.example'],
  );
  t.equal((await fetch(`${url}/api/echo`, { method: 'POST', body: 'x'.repeat(1001) })).status, 413);
});

example('chat', async (t, { url }) => {
  t.match(await (await fetch(url)).text(), '<h1>Chat</h1>');
  const listener = await fetch(`${url}/rooms/lobby/events`);
  const socket = new WebSocket(`${url.replace('http', 'ws')}/rooms/lobby?name=ann`);
  await once(socket, 'open');
  socket.send('<b>hello</b>');
  let events = '';
  for await (const bytes of listener.body ?? []) {
    events += Buffer.from(bytes).toString();
    if (events.includes('"said"')) break;
  }
  t.match(events, /^event: chat:lobby\ndata: \{"type":"here","worker":"[\w-]+","names":\["ann"\]\}$/m);
  t.match(events, /^data: \{"type":"said","name":"ann","text":"<b>hello<\/b>","at":\d+\}$/m);
  const call = async (...params: string[]) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'message', params });
    const headers = { 'content-type': 'application/json' };
    return (await fetch(`${url}/rpc`, { method: 'POST', headers, body })).json() as Promise<object>;
  };
  const heard: string[] = [];
  socket.on('message', (bytes) => heard.push(String(bytes)));
  t.match(await call('lobby', 'bot', 'By JSON-RPC'), { result: true });
  await eventually('people of the room hear the bot', () =>
    heard.some((message) => message.includes('"name":"bot","text":"By JSON-RPC"')),
  );
  t.match(await call('lobby', 'bot', ' '), { result: false });
  t.match(await call('a b', 'bot', 'x'), { error: { code: 400 } });
  const count = async () =>
    ((await (await fetch(`${url}/rooms/lobby/count`)).json()) as { here: number }).here;
  await eventually('the listener has left', async () => (await count()) === 1);
  socket.close();
  await eventually('all have left', async () => (await count()) === 0);
  t.equal((await fetch(`${url}/rooms/a%20b/count`)).status, 400);
});

example('digest', async (t, { url, lines }) => {
  const password = lines.map((line) => / is (\S+)$/.exec(line)?.[1]).find((one) => one !== undefined) ?? '';
  const curl = (...flags: string[]) =>
    spawnSync('curl', ['-s', '-w', '%{http_code}', ...flags], { encoding: 'utf8', timeout: 10_000 }).stdout;
  const ask = (secret: string) => curl('--digest', '-u', `ann:${secret}`, '-d', 'hello', `${url}/shout`);
  t.equal(ask(password), 'ann: HELLO\n200');
  t.match(ask('wrong'), /401$/);
  t.match(curl('-d', 'hello', `${url}/shout`), /401$/);
  t.equal(curl('-u', 'x:y', `${url}/claim`), '{"scheme":"basic"}200');
  t.equal(curl(`${url}/claim`), '{"scheme":"none"}200');
});

example('api', async (t, { url, lines }) => {
  let address = 0;
  const ask = async (path: string, method = 'GET', body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: 'Bearer secret',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: body instanceof Uint8Array ? body : JSON.stringify(body) }),
      redirect: 'manual',
    });
    const text = await response.text();
    return { status: response.status, header: (name: string) => response.headers.get(name), text };
  };
  /** Of another client, as a proxy would say: rate limits are theirs each. */
  const other = () => ({ 'x-forwarded-for': `10.0.${address >> 8}.${address++ & 255}` });

  t.match((await ask('/')).text, /<h1>Notes<\/h1>/);
  for (const [token, status] of [
    ['Bearer wrong', 401],
    ['', 401],
    ['Basic x', 401],
    ['Bearer a b', 400],
  ] as const) {
    const refused = await ask('/v1/notes', 'GET', undefined, { authorization: token });
    t.same([refused.status, refused.header('content-type')], [status, 'application/problem+json']);
    t.match(refused.header('www-authenticate'), /^Bearer realm="notes"/);
    t.match(JSON.parse(refused.text), {
      type: 'about:blank',
      status,
      requestId: refused.header('x-request-id'),
    });
  }

  const made = await ask('/v1/notes', 'POST', { title: 'Milk', tags: ['shop', 'ü'] });
  t.same([made.status, made.header('location'), made.header('etag')], [201, '/v1/notes/1', '"1.1"']);
  t.match(made.header('server-timing'), /^total;dur=/);
  t.match(made.header('ratelimit'), /^"default";r=\d+;t=\d+$/);
  const read = await ask('/v1/notes/1');
  t.same([read.status, read.text, read.header('etag')], [200, made.text, '"1.1"']);
  t.equal((await ask('/v1/notes/1', 'GET', undefined, { 'if-none-match': '"1.1"' })).status, 304);
  t.equal((await ask('/v1/notes/1', 'HEAD')).text, '');
  t.equal(JSON.parse((await ask('/v1/notes?tag=shop&tag=%C3%BC')).text).notes.length, 1);
  t.equal(JSON.parse((await ask('/v1/notes?tag=shop&tag=none')).text).notes.length, 0);

  const change = { title: 'Milk and bread' };
  t.equal((await ask('/v1/notes/1', 'PUT', change)).status, 428);
  t.equal((await ask('/v1/notes/1', 'PUT', change, { 'if-match': '"1.9"' })).status, 412);
  t.equal(
    (await ask('/v1/notes/1', 'PUT', change, { 'if-match': 'W/"1.1"' })).status,
    412,
    'a weak tag is none',
  );
  const both = await Promise.all(
    [1, 2].map(() => ask('/v1/notes/1', 'PUT', change, { 'if-match': '"1.1"' })),
  );
  t.same(both.map(({ status }) => status).sort(), [200, 412], 'of two at once one is told');
  t.equal((await ask('/v1/notes/1')).header('etag'), '"1.2"');

  const wrong = await ask('/v1/notes', 'POST', { title: '', tags: ['a', 1], more: 1 });
  t.equal(wrong.status, 422);
  t.same(
    JSON.parse(wrong.text).errors.map(({ path }: { path: string }) => path),
    ['/more', '/title', '/tags/1'],
  );
  for (const value of [null, [], 'x', 5]) t.equal((await ask('/v1/notes', 'POST', value)).status, 422);
  t.equal((await ask('/v1/notes', 'POST', Buffer.from('{'))).status, 400);
  t.equal((await ask('/v1/notes', 'POST', { title: 'x' }, { 'content-type': 'text/plain' })).status, 415);
  t.equal((await ask('/v1/notes', 'POST', { title: 'x', text: 'x'.repeat(70_000) })).status, 413);
  const gzip = { 'content-encoding': 'gzip' };
  t.equal((await ask('/v1/notes', 'POST', gzipSync('{"title":"zipped"}'), gzip)).status, 201);
  t.equal((await ask('/v1/notes', 'POST', gzipSync(Buffer.alloc(MIB, 32)), gzip)).status, 413, 'a bomb');

  const long = await ask('/v1/notes', 'POST', { title: 'long', text: 'x'.repeat(9000) });
  const tag = (
    await ask(long.header('location') as string, 'GET', undefined, { 'accept-encoding': 'gzip, br' })
  ).header('etag');
  t.equal(
    (await ask(long.header('location') as string, 'DELETE', undefined, { 'if-match': tag as string })).status,
    204,
    'the tag that was read is taken',
  );
  const list = await ask('/v1/notes', 'GET', undefined, { 'accept-encoding': 'br' });
  t.same([list.status, list.header('vary')], [200, 'Accept-Encoding, Origin']);
  t.equal(
    (await ask('/v1/notes', 'GET', undefined, { 'if-none-match': list.header('etag') as string })).status,
    304,
  );

  for (const [path, method, status] of [
    ['/v1/notes/77', 'GET', 404],
    ['/v1/notes/77', 'DELETE', 404],
    ['/v1/notes/x', 'GET', 404],
    ['/v1/nothing', 'GET', 404],
    ['/nothing', 'GET', 404],
    ['/v1/notes', 'DELETE', 405],
    ['/v1/notes/1', 'PATCH', 405],
    ['//v1//notes', 'GET', 308],
    ['/livez', 'GET', 200],
  ] as const)
    t.equal((await ask(path, method)).status, status, `${method} ${path}`);

  const preflight = {
    origin: 'https://app.example',
    'access-control-request-method': 'PUT',
    'access-control-request-headers': 'authorization,if-match',
  };
  const allowed = await ask('/v1/notes/1', 'OPTIONS', undefined, { ...preflight, authorization: '' });
  t.same([allowed.status, allowed.header('access-control-allow-origin')], [204, 'https://app.example']);

  const many = await Promise.all(
    Array.from({ length: 250 }, () =>
      ask('/v1/notes/1', 'GET', undefined, { 'x-forwarded-for': '10.9.9.9' }),
    ),
  );
  const passed = many.filter(({ status }) => status === 200).length;
  t.ok(passed >= 120 && passed < 250, `${passed} pass; two more each second`);
  t.ok(many.filter(({ status }) => status === 429).every((one) => Number(one.header('retry-after')) > 0));

  for (let n = 0; n < 1100; n += 50) {
    const posts = Array.from({ length: 50 }, () => ask('/v1/notes', 'POST', { title: 'more' }, other()));
    const codes = new Set((await Promise.all(posts)).map(({ status }) => status));
    if (n >= 1000) t.same([...codes], [409], 'there is an end');
  }
  t.equal((await ask('/readyz')).status, 503);
  await until(() => lines.some((line) => line.includes('10.9.9.9')));
  const logged = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as object);
  t.match(
    logged.find((line) => 'user' in line),
    { user: 'owner', method: 'POST', uri: '/v1/notes', status: 201, requestId: made.header('x-request-id') },
  );
});

t.test('api: the log in another format, and another token', async (t) => {
  const { url, lines, stop } = await startExample(t, 'api', ['--access-log', '%(m)s %(U)s %(s)s %(u)s'], {
    API_TOKEN: 'other',
  });
  t.equal((await fetch(`${url}/v1/notes`, { headers: { authorization: 'Bearer secret' } })).status, 401);
  t.equal((await fetch(`${url}/v1/notes`, { headers: { authorization: 'Bearer other' } })).status, 200);
  t.equal(await stop(), 0);
  t.same(
    lines.filter((line) => line.includes('/v1')),
    ['GET /v1/notes 401 -', 'GET /v1/notes 200 owner'],
  );
});

example('openapi', async (t, { url }) => {
  const ask = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'manual',
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text.startsWith('<') || text === '' ? text : JSON.parse(text),
    };
  };
  t.equal((await ask('GET', '/')).headers.get('location'), '/docs');
  t.match((await ask('GET', '/docs')).body, '<title>Users</title>');
  const { body: document } = await ask('GET', '/openapi.json');
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  t.ok(valid, JSON.stringify(errors));
  t.same(
    Object.entries(document.paths).map(([path, item]) => [path, Object.keys(item as object)]),
    [
      ['/users', ['get', 'post']],
      ['/users/{id}', ['get', 'put', 'delete']],
    ],
  );
  t.same(Object.keys(document.components.schemas).sort(), ['Conflict', 'HttpError', 'NewUser', 'User']);

  const ada = { name: ' Ada ', mail: 'ada@example.org' };
  const made = await ask('POST', '/users', ada);
  t.same([made.status, made.headers.get('location')], [201, '/users/1']);
  t.match(made.body, { id: 1, name: 'Ada', mail: 'ada@example.org', role: 'reader' });
  t.equal(made.body.secret, undefined, 'what the schema does not have does not go out');
  t.same((await ask('POST', '/users', ada)).body, { why: 'Somebody has the address ada@example.org' });
  const wrong = await ask('POST', '/users', { name: '', mail: 5, role: 'king' });
  t.same(
    [wrong.status, wrong.body.details.map(({ path }: { path: string }) => path)],
    [422, ['/body/name', '/body/mail', '/body/role']],
  );
  t.equal((await ask('POST', '/users', { name: 'Eve', mail: 'eve@example.org', role: 'owner' })).status, 201);
  t.same((await ask('GET', '/users/1')).body, made.body);
  t.equal((await ask('GET', '/users?role=owner')).body.length, 1);
  t.equal((await ask('GET', '/users?role=owner&role=reader')).body.length, 2);
  t.equal((await ask('GET', '/users?limit=1')).body.length, 1);
  t.equal((await ask('GET', '/users?limit=x')).status, 422);
  t.equal((await ask('PUT', '/users/1', { name: 'Ada', mail: 'eve@example.org' })).status, 409);
  t.equal((await ask('PUT', '/users/1', { ...ada, role: 'editor' })).body.role, 'editor');
  t.equal((await ask('DELETE', '/users/1')).status, 204);
  for (const path of ['/users/1', '/users/x', '/users/0', '/none'])
    t.equal((await ask('GET', path)).status, 404, path);
  t.equal((await ask('PATCH', '/users/2')).status, 405);
});

example('uploads', async (t, { url }, folder) => {
  const stored = () =>
    readdirSync(folder)
      .filter((name) => name.startsWith('vela-uploads-'))
      .flatMap((name) => readdirSync(`${folder}/${name}`));
  const send = (files: [name: string, content: Uint8Array][], init: RequestInit = {}) => {
    const form = new FormData();
    for (const [name, content] of files) form.append('file', new Blob([content]), name);
    return fetch(`${url}/files`, { method: 'POST', body: form, redirect: 'manual', ...init });
  };
  const page = await fetch(url, { headers: { accept: 'text/html' } });
  const nonce = /'nonce-([^']+)'/.exec(page.headers.get('content-security-policy') ?? '')?.[1];
  t.ok((await page.text()).includes(`<script nonce="${nonce}">`));

  const bytes = randomBytes(3 * MIB);
  const sent = await send([
    ['Grüße "東京".txt', bytes],
    ['../../evil<script>.html', Buffer.from('<script>')],
  ]);
  t.equal(sent.status, 201);
  const { uploads } = (await sent.json()) as { uploads: { id: string; name: string; bytes: number }[] };
  t.match(uploads, [
    { name: 'Grüße "東京".txt', bytes: bytes.length },
    { name: 'evil<script>.html', bytes: 8 },
  ]);
  t.same(stored().sort(), uploads.map(({ id }) => id).sort(), 'on disk the names are random');
  t.same(await (await fetch(`${url}/files`)).json(), { uploads });
  t.match(await (await fetch(url)).text(), /evil&lt;script&gt;\.html<\/a> 8 bytes/);

  const [first, second] = uploads.map(({ id }) => `${url}/files/${id}`) as [string, string];
  const download = await fetch(first);
  t.ok(Buffer.from(await download.arrayBuffer()).equals(bytes));
  t.match(
    download.headers.get('content-disposition'),
    /^attachment; filename="Gr__e ____\.txt"; filename\*=UTF-8''Gr%C3%BC%C3%9Fe%20%22%E6%9D%B1%E4%BA%AC%22\.txt$/,
  );
  t.equal((await fetch(first, { headers: { range: 'bytes=5-9' } })).status, 206);
  const evil = await fetch(second);
  t.same(
    [evil.headers.get('content-type'), evil.headers.get('x-content-type-options')],
    ['application/octet-stream', 'nosniff'],
  );

  const form = await send([['page.txt', Buffer.from('x')]], { headers: { accept: 'text/html' } });
  t.same([form.status, form.headers.get('location')], [303, '/'], 'a form goes back to the page');
  const headers = { 'content-type': 'multipart/form-data; boundary=b' };
  const empty =
    '--b\r\nContent-Disposition: form-data; name="file"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n\r\n--b--\r\n';
  const nothing = await fetch(`${url}/files`, { method: 'POST', headers, body: empty });
  t.same(await nothing.json(), { uploads: [] }, 'what browsers send for an empty field');
  t.equal((await fetch(first, { method: 'DELETE' })).status, 204);
  t.equal((await fetch(first, { method: 'DELETE' })).status, 404);
  t.equal((await fetch(`${second}/delete`, { method: 'POST', redirect: 'manual' })).status, 303);
  t.equal((await fetch(second)).status, 404);
  t.equal(stored().length, 1);

  const cross = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
  t.equal((await send([['a', bytes]], { headers: cross })).status, 403);
  const eleven = Array.from({ length: 11 }, (_, n): [string, Uint8Array] => [`${n}.txt`, Buffer.from('x')]);
  t.equal((await send(eleven)).status, 413);
  t.equal(
    (
      await send([
        ['small', Buffer.from('x')],
        ['large', Buffer.alloc(65 * MIB)],
      ])
    ).status,
    413,
  );
  t.equal((await fetch(`${url}/files`, { method: 'POST', body: 'x' })).status, 415);
  for (const path of ['/files/..%2f..%2fetc%2fpasswd', '/files/', '/files/x/delete', '/files/%00', '/none'])
    t.match((await fetch(`${url}${path}`)).status, /^40[04]$/, path);
  t.equal((await fetch(`${url}/`, { method: 'PUT' })).status, 405);

  const aborter = new AbortController();
  async function* endless() {
    yield Buffer.from('--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n');
    for (;;) {
      yield Buffer.alloc(100_000);
      if (stored().length > 1) aborter.abort();
      await sleep(1);
    }
  }
  const body = ReadableStream.from(endless());
  const broken = fetch(`${url}/files`, {
    method: 'POST',
    headers,
    body,
    duplex: 'half',
    signal: aborter.signal,
  });
  await t.rejects(broken, { name: 'AbortError' });
  await t.resolves(
    until(() => stored().length === 1),
    'what broke off, and what was refused, is gone',
  );
});

example('files', async (t, { url }) => {
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${url}${path}`, { headers, redirect: 'manual' });
  t.match(await (await get('/')).text(), /<h1>.*Files<\/h1>/);
  t.match(await (await get('/about')).text(), /its address has none/);
  const style = await get('/assets/style.0a1b2c3d.css', { 'accept-encoding': 'br' });
  t.same(
    ['content-type', 'content-encoding', 'cache-control', 'vary'].map((name) => style.headers.get(name)),
    ['text/css; charset=utf-8', 'br', 'public, max-age=31536000, immutable', 'Accept-Encoding'],
  );
  t.match(await style.text(), /^body \{/);
  t.equal((await get('/star.svg')).headers.get('cache-control'), 'public, max-age=3600');
  t.equal((await get('/about')).headers.get('cache-control'), 'no-cache');
  const letters = await (await get('/letters/')).text();
  t.match(letters, /href="\.\/%C3%BCn%C3%AFcode%20%26%20more\.txt">ünïcode &amp; more\.txt</);
  t.notMatch(letters, /hidden/);
  t.same(
    [(await get('/letters')).status, (await get('/letters')).headers.get('location')],
    [308, '/letters/'],
  );
  for (const path of ['/letters/.hidden', '/nowhere', '/assets/about.html']) {
    const missing = await get(path);
    t.equal(missing.status, 404, path);
    t.match(await missing.text(), /Nothing here/, path);
  }
  t.equal((await get('/assets/none.css')).status, 404);
  t.equal((await get('/letters/..%2f..%2fetc%2fpasswd')).status, 400);
  const part = await get('/numbers.txt', { range: 'bytes=0-3', 'accept-encoding': 'identity' });
  t.same([part.status, await part.text()], [206, '0\n1\n']);
  const tag = (await get('/numbers.txt')).headers.get('etag') as string;
  t.equal((await get('/numbers.txt', { 'if-none-match': tag })).status, 304);
  t.equal(await (await get('/license')).text(), readFileSync('LICENSE', 'utf8'));
});

t.test('files: a folder of yours', async (t) => {
  const root = t.testdir({ 'a.txt': 'mine' });
  mkdirSync(`${root}/b`);
  writeFileSync(`${root}/b/c.md`, '# c');
  const runs = await Promise.all([
    startExample(t, 'files', ['--root', root]),
    startExample(t, 'files', [], { FILES_ROOT: root }),
  ]);
  for (const { url, stop } of runs) {
    t.equal(await (await fetch(`${url}/a.txt`)).text(), 'mine');
    t.match(await (await fetch(url)).text(), /b\//);
    t.equal(await stop(), 0);
  }
  t.same(readdirSync(root).sort(), ['a.txt', 'b'], 'it is left as it was');
});
