/** Clients that others wrote, as judges of both gateways: Python's requests, curl and httpie. */
import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { serve } from '../src/index.js';
import { createClientApp, LONG_TEXT, type Witness } from './support/client-app.js';
import { needsClient, run } from './support/run-client.js';
import { needsRequests, runFacts } from './support/run-facts.js';
import { Wire } from './support/wire.js';

const BIG = Buffer.alloc(3_000_000, 'abcdefghij');
const OLD = new Date('2020-05-06T07:08:09Z');
const LETTERS = ['a.txt', 'ünï & "c" #.txt', '100%.txt'];
const USER = 'ann:s3cret: with colon';

interface Site {
  readonly url: string;
  readonly witness: Witness;
  /** For what clients write. */
  readonly folder: string;
}

t.setTimeout(300_000);

t.jobs = 2;
for (const gateway of ['uws', 'node'] as const) {
  t.test(`requests, curl and httpie: ${gateway}`, async (t) => {
    const site = await open(t, gateway);
    await t.test('requests', (t) => judgeWithRequests(t, site, gateway));
    await t.test('curl', (t) => judgeWithCurl(t, site, gateway));
    await t.test('httpie', (t) => judgeWithHttpie(t, site));
  });
}

t.test('node: a head that is refused is answered, though its client still sends', async (t) => {
  const { url } = await open(t, 'node');
  const { hostname, port } = new URL(url);
  const head = `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(400_000)}`;
  for (const [sent, status] of [
    [head, 431],
    [`${head}\r\n\r\nGET /echo HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
    [`nonsense\r\n${head}`, 400],
  ] as const) {
    const wire = await Wire.open({ host: hostname, port: Number(port) });
    t.teardown(() => wire.destroy());
    const closed = new Promise((resolve) => wire.socket.once('close', resolve));
    wire.write(sent);
    t.equal((await wire.response()).status, status);
    wire.socket.end('x'.repeat(100_000));
    await closed;
    t.same([wire.received.length, wire.error], [0, undefined], 'one answer, and no reset');
  }
  const endless = await Wire.open({ host: hostname, port: Number(port) });
  const going = setInterval(() => endless.write('x'.repeat(20_000)), 20);
  const ended = new Promise((resolve) => endless.socket.once('close', resolve));
  await ended;
  clearInterval(going);
  t.match(endless.received.toString(), /^HTTP\/1\.1 4/, 'who never ends is cut in the end');
});

async function open(t: Test, gateway: 'uws' | 'node'): Promise<Site> {
  const folder = t.testdir({ out: {}, root: {} });
  const root = `${folder}/root`;
  writeFileSync(`${root}/big.bin`, BIG);
  utimesSync(`${root}/big.bin`, OLD, OLD);
  mkdirSync(`${root}/letters`);
  for (const name of LETTERS) writeFileSync(`${root}/letters/${name}`, 'letter\n');
  const { app, witness } = createClientApp(root);
  const server = await serve(app, { bind: '127.0.0.1:0', gateway, logLevel: 'silent' });
  t.teardown(() => server.close({ timeoutMs: 0 }));
  return { url: server.url, witness, folder: `${folder}/out` };
}

async function judgeWithRequests(t: Test, { url, witness }: Site, gateway: string): Promise<void> {
  if (!needsRequests(t)) return;
  t.ok((await runFacts(t, 'requests_client.py', url, gateway)) >= 30);
  await t.resolves(
    until(() => witness.closedBodies.filter((name) => name === 'endless').length === 3),
    'generators end with their clients',
  );
  await t.resolves(
    until(() =>
      ['timeout', 'endless', 'upload'].every(
        (name) => witness.aborted.filter((one) => one === name).length === 3,
      ),
    ),
    'those that left are known to have left',
  );
}

async function judgeWithCurl(t: Test, { url, witness, folder }: Site, gateway: string): Promise<void> {
  if (!needsClient(t, 'curl', 'curl', '--version')) return;
  const raw = (args: string[], input?: string | Uint8Array) =>
    run('curl', ['-sS', '-m', '20', ...args], input);
  const curl = async (...args: string[]) => (await raw(args)).text;
  const parsed = async (...args: string[]) => JSON.parse(await curl(...args)) as Record<string, unknown>;
  const code = async (...args: string[]) => curl('-o', '/dev/null', '-w', '%{http_code}', ...args);
  const file = (name: string, content: string | Uint8Array) => {
    writeFileSync(`${folder}/${name}`, content);
    return `${folder}/${name}`;
  };

  await t.test('methods, queries and connections', async (t) => {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
      t.match(await parsed('-X', method, `${url}/echo`), { method, bytes: 0 });
    const query = ['a=1', 'a=2', '%C3%BC=東京 😀', 'signs=&=+%/?#'].flatMap((one) => [
      '--data-urlencode',
      one,
    ]);
    t.same((await parsed('-G', ...query, `${url}/echo?first`)).query, [
      ['first', ''],
      ['a', '1'],
      ['a', '2'],
      ['ü', '東京 😀'],
      ['signs', '&=+%/?#'],
    ]);
    const many = Array.from({ length: 5 }, () => ['-o', '/dev/null', `${url}/echo`]).flat();
    t.equal(await curl('-w', '%{num_connects} ', ...many), '1 0 0 0 0 ', 'one connection serves them all');
    t.equal(await curl('-d', 'x', '-w', '%{num_connects} ', ...many), '1 0 0 0 0 ', 'with bodies too');
    t.equal(await curl('-I', '-w', '%{num_connects} ', ...many), '1 0 0 0 0 ', 'and HEAD');
    t.match(await curl('-I', `${url}/text`), /^HTTP\/1\.1 200 OK\r\n/);
    if (gateway === 'node') t.match(JSON.parse(await curl('-0', `${url}/echo`)), { method: 'GET' });
    t.same(JSON.parse(await curl('--json', '{"a":"ü"}', `${url}/json`)), { got: { a: 'ü' } });
  });

  await t.test('forms and files', async (t) => {
    const fields = ['--data-urlencode', 'name=Zoë & Ω', '-d', 'name=2'];
    t.same(await parsed(...fields, `${url}/form`), [
      ['name', 'Zoë & Ω'],
      ['name', '2'],
    ]);
    const bytes = randomBytes(300_000);
    const path = file('ünïcode 😀.bin', bytes);
    const parts = await parsed(
      ...['-F', `file=@"${path}"`, '-F', `file=@"${path}";filename="quo\\"te; 東京.txt";type=text/x-own`],
      ...['-F', 'fiéld=välue', '-F', `text=<"${file('text', 'from a file')}"`, `${url}/upload`],
    );
    const sha256 = sum(bytes);
    t.match(parts, [
      { name: 'file', filename: 'ünïcode 😀.bin', contentType: 'application/octet-stream', sha256 },
      { name: 'file', filename: 'quo"te; 東京.txt', contentType: 'text/x-own', sha256 },
      { name: 'fiéld', isFile: false, bytes: 6 },
      { name: 'text', isFile: false, bytes: 11 },
    ]);
  });

  await t.test('uploads: chunked, expecting, compressed, too large', async (t) => {
    const bytes = randomBytes(3_000_000);
    const path = file('body', bytes);
    const { text } = await raw(['-T', '-', `${url}/echo`], bytes);
    t.match(JSON.parse(text), { method: 'PUT', transfer: 'chunked', sha256: sum(bytes) });
    t.match(await parsed('-T', path, `${url}/echo`), {
      method: 'PUT',
      length: '3000000',
      sha256: sum(bytes),
    });
    const expecting = ['-H', 'Expect: 100-continue', '--expect100-timeout', '15', '-w', '\n%{time_total}'];
    const [answer = '', seconds] = (
      await curl(...expecting, '--data-binary', `@${path}`, `${url}/echo`)
    ).split('\n');
    t.match(JSON.parse(answer), { sha256: sum(bytes) });
    t.ok(Number(seconds) < 5, 'curl was told to continue');
    const zipped = file('body.gz', gzipSync('{"a":1}'));
    const coded = [
      '-H',
      'Content-Encoding: gzip',
      '-H',
      'Content-Type: application/json',
      '--data-binary',
      `@${zipped}`,
    ];
    t.same(await parsed(...coded, `${url}/decode/json`), { got: { a: 1 } });
    t.equal(await code(...coded, `${url}/json`), '415');
    t.equal(await code('--data-binary', `@${path}`, `${url}/small/echo`), '413');
    t.equal(await code('-H', 'Expect:', '--data-binary', `@${path}`, `${url}/small/echo`), '413');
    t.equal(
      (await raw(['-o', '/dev/null', '-w', '%{http_code}', '-T', '-', `${url}/small/echo`], bytes)).text,
      '413',
    );
    t.equal(await curl('-T', path, `${url}/ignored`), 'not read\n');
  });

  await t.test('cookies and sessions', async (t) => {
    const jar = `${folder}/jar`;
    const kept = async (path: string) => parsed('-b', jar, '-c', jar, `${url}${path}`);
    await kept('/cookies/set?name=a&value=%C3%BC%3B%20%22');
    await kept('/cookies/set?name=b&value=2&age=3600');
    t.same(await kept('/cookies'), { a: 'ü; "', b: '2' });
    await kept('/cookies/delete?name=a');
    await kept('/cookies/past?name=b');
    t.same(await kept('/cookies'), {});
    for (const path of ['/session', '/stored']) {
      t.same(await kept(path), { user: null, count: 1 });
      t.same(await kept(`${path}/login?user=ann`), { user: 'ann', count: 2 });
      t.same(await kept(path), { user: 'ann', count: 3 });
      await kept(`${path}/logout`);
      t.same(await kept(path), { user: null, count: 1 });
    }
    await kept('/sealed');
    t.match(await kept('/sealed'), { signed: 'grüße; "=,\\', sealed: { n: 1, text: 'ü' } });
  });

  await t.test('redirects of each status', async (t) => {
    for (const [status, method] of [
      [301, 'GET'],
      [302, 'GET'],
      [303, 'GET'],
      [307, 'POST'],
      [308, 'POST'],
    ] as const) {
      const bytes = method === 'POST' ? 4 : 0;
      t.match(await parsed('-L', '-d', 'body', `${url}/redirect/${status}`), {
        method,
        bytes,
        path: '/echo',
      });
      const told = await curl(
        '-o',
        '/dev/null',
        '-w',
        '%{http_code} %{redirect_url}',
        `${url}/redirect/${status}`,
      );
      t.equal(told, `${status} ${url}/echo`);
    }
    t.match(await parsed('-L', '--post301', '-d', 'body', `${url}/redirect/301`), {
      method: 'POST',
      bytes: 4,
    });
    t.match(await parsed('-L', '-G', '--data-urlencode', 'to=/echo/ü b', `${url}/redirect/302`), {
      path: '/echo/ü b',
    });
    t.equal((await raw(['-L', '--max-redirs', '3', `${url}/redirect/302?to=/redirect/302`])).code, 0);
  });

  await t.test('Basic, Digest and Bearer', async (t) => {
    for (const path of [
      '/digest',
      '/digest-both',
      '/digest-md5',
      '/digest-quoted',
      '/digest-stale',
      '/digest-stale',
    ]) {
      const digest = ['--digest', '-u', USER];
      t.match(await parsed(...digest, `${url}${path}?a=b,c%22`), { user: 'ann' }, path);
      t.match(await parsed(...digest, '-d', 'body', `${url}${path}`), { method: 'POST', bytes: 4 }, path);
      t.match(await parsed('--anyauth', '-u', USER, '-T', file('up', 'x'.repeat(50_000)), `${url}${path}`), {
        bytes: 50_000,
      });
      t.match(await parsed('--digest', '-u', 'Zoë:pässwörd', `${url}${path}`), { user: 'Zoë' }, path);
      t.equal(await code('--digest', '-u', 'ann:wrong', `${url}${path}`), '401');
    }
    const twice = await curl(
      '--digest',
      '-u',
      USER,
      '-w',
      '%{http_code} ',
      ...Array.from({ length: 4 }, () => ['-o', '/dev/null', `${url}/digest`]).flat(),
    );
    t.equal(twice, '200 200 200 200 ', 'one nonce serves several');
    t.match(await parsed('-u', USER, `${url}/basic`), { user: 'ann' });
    t.match(await parsed('-u', 'Zoë:pässwörd', `${url}/basic`), { user: 'Zoë' });
    t.match(await parsed('--anyauth', '-u', USER, `${url}/basic`), { user: 'ann' });
    t.equal(await code('-u', 'ann:', `${url}/basic`), '401');
    t.match(await parsed('--oauth2-bearer', 'to.k-en==', `${url}/bearer`), { user: 'robot' });
    t.equal(await code('--oauth2-bearer', 'other', `${url}/bearer`), '401');
  });

  await t.test('compression and streams', async (t) => {
    for (const coding of ['br', 'gzip']) {
      const { bytes, text } = await raw([
        '--compressed',
        '-H',
        `Accept-Encoding: ${coding}`,
        '-D',
        `${folder}/head`,
        `${url}/text`,
      ]);
      t.ok(text === LONG_TEXT, `${coding}: ${bytes.length} bytes`);
      t.match(readFileSync(`${folder}/head`, 'latin1'), new RegExp(`content-encoding: ${coding}`, 'i'));
      t.equal(
        (await curl('--compressed', '-H', `Accept-Encoding: ${coding}`, `${url}/compressed-lines`)).split(
          '\n',
        ).length,
        2001,
      );
    }
    t.ok((await curl('--compressed', `${url}/text`)) === LONG_TEXT, 'whatever curl likes best');
    t.ok((await curl('-H', 'Accept-Encoding: deflate, zstd', `${url}/text`)) === LONG_TEXT);
    t.match(
      await curl('-N', '-H', 'Last-Event-ID: 7', `${url}/events`),
      /event: tick\nid: 8\ndata: one 8\ndata: twö\n\n/,
    );
    t.match((await raw([`${url}/fails-midway`])).code, 18, 'a cut response is an error');
    t.equal(await code(`${url}/empty`), '204');
  });

  await t.test('ranges, conditions and downloads', async (t) => {
    const big = `${url}/files/big.bin`;
    t.ok((await raw(['-r', '1000000-2500000', big])).bytes.equals(BIG.subarray(1_000_000, 2_500_001)));
    t.match(await curl('-r', '0-1,4-5', big), /\r\n\r\nab\r\n--.*\r\n\r\nef\r\n--/s);
    const part = file('part.bin', BIG.subarray(0, 1_234_567));
    t.equal((await raw(['-C', '-', '-o', part, big])).code, 0);
    t.ok(readFileSync(part).equals(BIG), 'an interrupted download goes on');
    const again = ['-w', '%{http_code}', '--etag-save', `${folder}/etag`, '-o', `${folder}/copy`, big];
    t.equal(await curl(...again), '200');
    t.equal(await curl('--etag-compare', `${folder}/etag`, ...again), '304');
    t.ok(readFileSync(`${folder}/etag`, 'latin1').length > 5);
    t.equal(await code('-z', OLD.toUTCString(), big), '304');
    t.equal(await code('-z', 'Tue, 01 Jan 2019 00:00:00 GMT', big), '200');
    t.equal(await code('-z', '-Tue, 01 Jan 2019 00:00:00 GMT', big), '412', 'If-Unmodified-Since');
    await raw(['-R', '-o', `${folder}/dated`, big]);
    t.equal(statSync(`${folder}/dated`).mtimeMs, OLD.getTime());
    t.equal(await code('-z', `${folder}/dated`, big), '304');
    await run('sh', ['-c', `cd "${folder}" && curl -sS -OJ "${url}/download?as=Bericht%20M%C3%A4rz.pdf"`]);
    t.ok(existsSync(`${folder}/Bericht M_rz.pdf`), 'the plain form of the name');
    truncateSync(part, 0);
  });

  await t.test('preflights and rate limits', async (t) => {
    const preflight = [
      '-i',
      '-X',
      'OPTIONS',
      '-H',
      'Access-Control-Request-Method: PUT',
      '-H',
      'Access-Control-Request-Headers: x-token',
    ];
    const allowed = await curl(...preflight, '-H', 'Origin: https://app.example', `${url}/cors`);
    t.match(allowed, /^HTTP\/1\.1 204 /);
    t.match(allowed, /\r\naccess-control-allow-origin: https:\/\/app\.example\r\n/i);
    t.match(allowed, /\r\naccess-control-allow-credentials: true\r\n/i);
    t.match(allowed, /\r\naccess-control-allow-headers: .*x-token/i);
    const refused = await curl(...preflight, '-H', 'Origin: https://evil.example', `${url}/cors`);
    t.match(refused, /^HTTP\/1\.1 403 /);
    t.notMatch(refused, /access-control-allow/i);
    const five = Array.from({ length: 5 }, () => ['-o', '/dev/null', `${url}/limited`]).flat();
    t.match(await curl('-w', '%{http_code} ', ...five), /^(?:200 )+(?:429 )+/);
    // With -o /dev/null this curl fails, as it cannot cut that to length before it tries again.
    const retried = ['-o', `${folder}/retried`, '-w', '%{http_code}', '--retry', '3', `${url}/limited`];
    t.equal(await curl(...retried), '200', 'curl comes back when Retry-After says');
  });

  await t.test('what leaves, and what is too much', async (t) => {
    const before = witness.aborted.length;
    t.equal((await raw(['-m', '0.3', '-o', '/dev/null', `${url}/endless?watch=curl`])).code, 28);
    t.equal((await raw(['-m', '0.3', `${url}/slow?watch=curl`])).code, 28);
    const limited = ['-m', '0.5', '--limit-rate', '10k', '-T', '-', `${url}/echo?watch=curl`];
    t.equal((await raw(limited, randomBytes(1_000_000))).code, 28);
    await t.resolves(
      until(() => witness.aborted.length === before + 3),
      'all three are known to have left',
    );
    const cookies = file(
      'cookies',
      `Cookie: ${Array.from({ length: 10_000 }, (_, n) => `c${n}=1`).join('; ')}\n`,
    );
    t.match(await code('-H', `@${cookies}`, `${url}/cookies`), /^4\d\d$/);
    const huge = file('huge', `X-Huge: ${'x'.repeat(80_000)}\n`);
    t.match(await code('-H', `@${huge}`, `${url}/echo`), /^4\d\d$/);
    t.equal(await code(`${url}/echo?${'x'.repeat(10_000)}`), '414');
    t.match(await parsed(`${url}/echo`), { method: 'GET' });
  });
}

async function judgeWithHttpie(t: Test, { url, folder }: Site): Promise<void> {
  if (!needsClient(t, 'httpie', 'http', '--version')) return;
  const env = { ...process.env, HTTPIE_CONFIG_DIR: `${folder}/httpie` };
  const raw = (...args: string[]) =>
    run('http', ['--ignore-stdin', '--check-status', '--pretty=none', ...args], '', env);
  const parsed = async (...args: string[]) => {
    const { text, stderr, code } = await raw('--body', ...args);
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return { code, text, stderr };
    }
  };
  const path = `${folder}/grüße 東京.txt`;
  const bytes = randomBytes(200_000);
  writeFileSync(path, bytes);
  const sha256 = sum(bytes);

  t.match(await parsed('PUT', `${url}/echo`, 'q==1', 'q==ü &', 'text=ünï', 'list:=[1]'), {
    method: 'PUT',
    query: [
      ['q', '1'],
      ['q', 'ü &'],
    ],
    type: 'application/json',
  });
  t.same(await parsed(`${url}/json`, 'text=ünï', 'n:=null'), { got: { text: 'ünï', n: null } });
  t.same(await parsed('--form', `${url}/form`, 'a=1', 'a=ü +'), [
    ['a', '1'],
    ['a', 'ü +'],
  ]);
  t.match(
    await parsed('--form', `${url}/upload`, 'field=välue', `file@${path}`, `file@${path};type=text/x-own`),
    [
      { name: 'field', bytes: 6, isFile: false },
      { name: 'file', filename: 'grüße 東京.txt', contentType: 'text/plain', sha256 },
      { name: 'file', filename: 'grüße 東京.txt', contentType: 'text/x-own', sha256 },
    ],
  );
  t.match(await parsed('--multipart', '--chunked', `${url}/upload`, `file@${path}`, 'x=y'), [
    { sha256 },
    { name: 'x' },
  ]);
  t.match(await parsed('--chunked', 'POST', `${url}/echo`, `@${path}`), { transfer: 'chunked', sha256 });
  t.same(
    await parsed('--compress', '--compress', `${url}/decode/json`, 'a=b'),
    { got: { a: 'b' } },
    'a deflated body',
  );

  const session = `--session=${folder}/session.json`;
  await parsed(session, `${url}/stored/login`, 'user==Zoë');
  t.match(await parsed(session, `${url}/stored`), { user: 'Zoë', count: 2 });
  await parsed(session, `${url}/stored/logout`);
  t.match(await parsed(session, `${url}/stored`), { user: null, count: 1 });

  t.match(await parsed('-A', 'digest', '-a', USER, 'POST', `${url}/digest?a=b`, 'x=y'), {
    user: 'ann',
    bytes: 10,
  });
  t.match(await parsed('-a', USER, `${url}/basic`), { user: 'ann' });
  t.match(await parsed('-A', 'bearer', '-a', 'to.k-en==', `${url}/bearer`), { user: 'robot' });
  t.match(await parsed('--follow', `${url}/redirect/307`, 'a=b'), { method: 'POST', bytes: 10 });
  t.match(await parsed('--follow', `${url}/redirect/303`, 'a=b'), { method: 'GET', bytes: 0 });

  const exits = await Promise.all([
    raw(`${url}/redirect/302`),
    raw('-A', 'digest', '-a', 'ann:wrong', `${url}/digest`),
    raw('--timeout=0.3', `${url}/slow`),
    raw('HEAD', `${url}/text`),
  ]);
  t.same(
    exits.map(({ code }) => code),
    [3, 4, 2, 0],
    '3xx, 4xx, a time-out, and a HEAD',
  );
  t.match(
    (await raw('--body', '--stream', `${url}/events`)).text,
    /event: tick\nid: 1\ndata: one 1\ndata: twö/,
  );
  t.ok((await raw('--body', `${url}/text`)).text.startsWith(LONG_TEXT), 'what is compressed is shown');

  const target = `${folder}/download.bin`;
  t.equal((await raw('--download', '--output', target, `${url}/files/big.bin`)).code, 0);
  t.ok(readFileSync(target).equals(BIG));
  truncateSync(target, 1_000_000);
  t.equal((await raw('--download', '--continue', '--output', target, `${url}/files/big.bin`)).code, 0);
  t.ok(readFileSync(target).equals(BIG), 'a download goes on');
}

/** Waits until something is so. @throws after five seconds */
async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (isSo()) return;
    await sleep(10);
  }
  throw new Error('it did not come to be');
}

function sum(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
