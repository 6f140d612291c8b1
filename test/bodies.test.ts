import { Buffer } from 'node:buffer';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import {
  type App,
  type FormPart,
  json,
  lint,
  type MultipartLimits,
  requestOf,
  type StandardSchemaV1,
  saveFile,
  serve,
  WsgiHandler,
  type WsgiRequest,
  WsgiResponse,
  waitForBody,
} from '../src/index.js';
import { decodeBody } from '../src/middleware/index.js';
import { type TestRequest, testClient } from '../src/testing/index.js';
import { ask, client } from './support/ask.js';
import { hasCommand } from './support/certificates.js';

/** An application that answers with what it makes of a request, as JSON. */
const answer = (read: (request: WsgiRequest) => unknown): App => {
  return async (environ) => json((await read(requestOf(environ))) ?? null);
};
const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };
const post = (body: TestRequest['body'], headers: Record<string, string> = JSON_TYPE): TestRequest => ({
  method: 'POST',
  headers,
  ...(body === undefined ? {} : { body }),
});
/** Asserts with which status a promise rejects. */
async function refused(t: Test, promise: Promise<unknown>, status: number): Promise<void> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  t.match(error, { status });
}
const latin1 = (text: string) => Buffer.from(text, 'latin1');

/** A body that is no text, or a text that is no JSON. */
const BAD_JSON: [string, string | Buffer, RegExp][] = [
  ['nothing', '', /is empty/],
  ['spaces', ' \n', /is empty/],
  ['an open object', '{"a":', /too early, after 5 characters/],
  ['a word', '{"a": secret}', /character 7, line 1, column 7/],
  ['a second line', '{\n "a": 01}', /character 10, line 2, column 8/],
  ['two values', '1 2', /character 3/],
  ['a trailing comma', '[1,]', /character 4/],
  ['a control character', '"a\u0001"', /character 3/],
  ['a bad escape', '"\\x"', /character 3/],
  ['a bad unicode escape', '"\\u12g4"', /character 6/],
  ['a cut unicode escape', '"\\u1', /too early/],
  ['a bare minus', '-', /too early/],
  ['a number that ends in a dot', '1.', /too early/],
  ['NaN', 'NaN', /character 1/],
  ['a comment', '/* */ 1', /character 1/],
  ['bytes that are no UTF-8', latin1('"\xe4"'), /not valid UTF-8/],
  ['a surrogate in UTF-8', latin1('"\xed\xa0\x80"'), /not valid UTF-8/],
  ['UTF-16', Buffer.from('\ufeff{}', 'utf16le'), /not valid UTF-8/],
  ['__proto__', '{"a":[{"__proto__":{"b":1}}]}', /"__proto__"/],
  ['__proto__ in escapes', '{"\\u005f_proto__":1}', /"__proto__"/],
  ['constructor.prototype', '{"constructor":{"prototype":{"b":1}}}', /"prototype" in "constructor"/],
  ['65 arrays', `${'['.repeat(65)}${']'.repeat(65)}`, /too deep/],
  ['500,000 arrays', `${'['.repeat(500_000)}${']'.repeat(500_000)}`, /too deep/],
  ['500,000 objects', '{"a":'.repeat(200_000), /too early/],
];

t.test('json() refuses with 400, says where, and never quotes the body', async (t) => {
  const app = client(
    t,
    answer((request) => request.json()),
  );
  for (const [name, body, message] of BAD_JSON) {
    const response = await app.request('/', post(body));
    const text = await response.text();
    t.equal(response.status, 400, name);
    t.match(text, message, name);
    t.notMatch(text, /secret/, name);
  }
  t.equal(({} as { b?: unknown }).b, undefined);
});

t.test('json() gives what JSON.parse gives, without prototypes', async (t) => {
  let seen: unknown;
  const app = client(
    t,
    answer(async (request) => {
      seen = await request.json();
    }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.json({ maxDepth: 6 }).filter((text) => !/__proto__|prototype/.test(text)),
      fc.boolean(),
      async (text, hasMark) => {
        const response = await app.request('/', post(hasMark ? `\ufeff${text}` : text));
        await response.text();
        t.equal(JSON.stringify(seen), JSON.stringify(JSON.parse(text)));
        t.ok(everyObject(seen, (object) => Object.getPrototypeOf(object) === null));
      },
    ),
    { numRuns: 200 },
  );
});

function everyObject(value: unknown, holds: (object: object) => boolean): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return (
    (Array.isArray(value) || holds(value)) && Object.values(value).every((one) => everyObject(one, holds))
  );
}

t.test('the place of an error is where JSON.parse has it, when it says so', async (t) => {
  const app = client(
    t,
    answer((request) => request.json()),
  );
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.json({ maxDepth: 3 }),
      fc.nat(),
      fc.constantFrom('', '"', ',', ':', '}', ']', '{', '[', '0', '-', '.', 'e', '\\', 't', '\u0000', '\n'),
      async (good, place, insert) => {
        const at = place % (good.length + 1);
        const text = good.slice(0, at) + insert + good.slice(insert === '' ? at + 1 : at);
        let expected: number | undefined | null = null;
        try {
          JSON.parse(text);
        } catch (error) {
          const found = / at position (\d+)/.exec((error as Error).message)?.[1];
          expected = found === undefined ? undefined : Number(found);
          if (/end of JSON input/.test((error as Error).message)) expected = text.length;
        }
        const response = await app.request('/', post(text));
        const answered = await response.text();
        if (expected === null) return;
        t.equal(response.status, 400);
        if (expected === undefined || /__proto__|is empty/.test(answered)) return;
        compared++;
        if (expected >= text.length) t.match(answered, /too early/);
        else t.match(answered, `character ${expected + 1},`);
      },
    ),
    { numRuns: 500 },
  );
  t.ok(compared > 50);
});

t.test('json() takes JSON only, in UTF-8, uncompressed, up to a limit', async (t) => {
  const cases: [string, Record<string, string>, number][] = [
    ['json', JSON_TYPE, 200],
    ['+json', { 'content-type': 'application/problem+json; charset=UTF-8' }, 200],
    ['upper case', { 'content-type': 'Application/JSON' }, 200],
    ['no type', {}, 415],
    ['text', { 'content-type': 'text/plain' }, 415],
    ['a form', FORM_TYPE, 415],
    ['what begins so', { 'content-type': 'application/jsonx' }, 415],
    ['latin1', { 'content-type': 'application/json; charset=iso-8859-1' }, 415],
    ['gzip', { ...JSON_TYPE, 'content-encoding': 'gzip' }, 415],
    ['identity', { ...JSON_TYPE, 'content-encoding': 'identity' }, 200],
    ['garbage', { 'content-type': ';;;=,"' }, 415],
  ];
  const app = answer((request) => request.json());
  for (const [name, headers, status] of cases) {
    const { response } = await ask(t, app, '/', post('{"a":1}', headers));
    t.equal(response.status, status, name);
  }
  const any = answer((request) => request.json({ anyContentType: true }));
  t.equal((await ask(t, any, '/', post('{}', { 'content-type': 'text/plain' }))).response.status, 200);
  const small = answer((request) => request.json({ limitBytes: 4 }));
  t.equal((await ask(t, small, '/', post('1234'))).response.status, 200);
  t.equal((await ask(t, small, '/', post('12345'))).response.status, 413);
  t.equal((await ask(t, small, '/', post(['123', '45']))).response.status, 413, 'chunked');
  t.equal((await ask(t, app, '/', post(`"${'a'.repeat(1_048_576)}"`))).response.status, 413, 'by default');
  const deep = answer((request) => request.json({ maxDepth: 2 }));
  t.equal((await ask(t, deep, '/', post('[[1]]'))).response.status, 200);
  t.equal((await ask(t, deep, '/', post('[[[]]]'))).response.status, 400);
});

t.test('what is parsed is kept for all who ask, and wsgi.input can be read again', async (t) => {
  const seen: unknown[] = [];
  const app = new WsgiHandler([
    lint(async (environ) => {
      const request = requestOf(environ);
      const [one, two] = await Promise.all([request.json(), request.json()]);
      seen.push(one === two, await request.text());
    }),
    lint(async (environ) => {
      const request = requestOf(environ);
      seen.push(String(await environ['wsgi.input'].read()), String(environ['wsgi.input'].readSync()));
      seen.push(await request.json(), String(await request.bytes()));
      await refused(t, request.bytes({ limitBytes: 3 }), 413);
      await refused(t, request.form(), 415);
      return json(null);
    }),
  ]);
  for (const waits of [false, true]) {
    seen.length = 0;
    const body = new WsgiHandler(waits ? [waitForBody(), app] : [app]);
    await ask(t, body, '/', post(['{"a"', ':[]}']));
    t.same(seen, [true, '{"a":[]}', '{"a":[]}', '', { a: [] }, '{"a":[]}']);
  }
});

t.test('a body that could not be parsed can be read again', async (t) => {
  const app = answer(async (request) => {
    await refused(t, request.json(), 400);
    await refused(t, request.json(), 400);
    return String(await request.environ['wsgi.input'].read());
  });
  t.equal((await ask(t, app, '/', post('{oops'))).text, '"{oops"');
});

t.test('a limit that was too small for one is none for the next', async (t) => {
  const app = answer(async (request) => {
    await refused(t, request.json({ limitBytes: 3 }), 413);
    return request.json();
  });
  t.equal((await ask(t, app, '/', post('"long"'))).text, '"long"');
});

t.test('after waitForBody() a body is there in the same turn', async (t) => {
  const app = new WsgiHandler([
    waitForBody(),
    (environ) => {
      let isThere = false;
      void requestOf(environ)
        .json()
        .then(() => {
          isThere = true;
        });
      return turn().then(() => json(isThere));
    },
  ]);
  t.equal((await ask(t, app, '/', post('1'))).text, 'true');
});

type User = { name: string };
const schemaOf = (isAsync: boolean): StandardSchemaV1<unknown, User> => ({
  '~standard': {
    version: 1,
    vendor: 'test',
    validate(value) {
      const { name } = value as User;
      const result =
        typeof name === 'string'
          ? { value: { name: name.trim() } }
          : {
              issues: [
                { message: 'must be <text>', path: ['name'] },
                { message: 'no', path: [{ key: 'a/b' }, 0, 'c~d'] },
                { message: 'whole' },
              ],
            };
      return isAsync ? Promise.resolve(result) : result;
    },
  },
});

t.test('a schema changes the value, or refuses it with 422 and a list', async (t) => {
  for (const isAsync of [false, true]) {
    const app = answer(async (request) => {
      const plain = await request.json();
      const user: User = await request.json({ schema: schemaOf(isAsync) });
      return [plain, user];
    });
    t.equal((await ask(t, app, '/', post('{"name":" x "}'))).text, '[{"name":" x "},{"name":"x"}]');
    const bad = (accept: string) => ask(t, app, '/', post('{"name":1}', { ...JSON_TYPE, accept }));
    const { response, text } = await bad('application/json');
    t.equal(response.status, 422);
    t.same(JSON.parse(text), {
      status: 422,
      message: 'The body does not fit what is expected',
      details: [
        { path: '/name', message: 'must be <text>' },
        { path: '/a~1b/0/c~0d', message: 'no' },
        { path: '', message: 'whole' },
      ],
    });
    t.match((await bad('text/html')).text, '<li><code>/name</code> must be &lt;text&gt;');
    t.equal(
      (await bad('text/plain')).text,
      'The body does not fit what is expected\n/name: must be <text>\n/a~1b/0/c~0d: no\nwhole\n',
    );
  }
  const many: StandardSchemaV1 = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => ({ issues: (value as unknown[]).map((_, i) => ({ message: 'no', path: [i] })) }),
    },
  };
  const app = answer((request) => request.json({ schema: many }));
  const { text } = await ask(t, app, '/', post(`[${'0,'.repeat(100_000)}0]`));
  t.equal(text.split('\n').length, 102, 'only the first hundred are told');
});

t.test('text() and bytes()', async (t) => {
  const text = answer((request) => request.text());
  const typed = (type: string) => ({ 'content-type': type });
  const cases: [string, Buffer, Record<string, string>, number, string?][] = [
    ['UTF-8', Buffer.from('\ufeffä'), {}, 200, '"ä"'],
    ['latin1', latin1('\xe4'), typed('text/plain; charset=ISO-8859-1'), 200, '"ä"'],
    ['utf-16', Buffer.from('ä', 'utf16le'), typed('text/plain; charset="utf-16le"'), 200, '"ä"'],
    ['no UTF-8', latin1('\xe4'), {}, 400],
    ['odd utf-16', latin1('\xe4'), typed('text/plain; charset=utf-16le'), 400],
    ['unknown', latin1('a'), typed('text/plain; charset=nonsense'), 415],
    ['a charset of a prototype', latin1('a'), typed('text/plain; charset=__proto__'), 415],
    ['gzip', gzipSync('a'), { 'content-encoding': 'gzip' }, 415],
  ];
  for (const [name, body, headers, status, expected] of cases) {
    const { response, text: answered } = await ask(t, text, '/', post(body, headers));
    t.equal(response.status, status, name);
    if (expected !== undefined) t.equal(answered, expected, name);
  }
  const bytes = answer(async (request) => (await request.bytes()).toString('hex'));
  t.equal((await ask(t, bytes, '/', post(latin1('\x00\xff'), {}))).text, '"00ff"');
  t.equal((await ask(t, bytes, '/', post(undefined))).text, '""');
  t.equal((await ask(t, bytes, '/', post('x'.repeat(1_048_577)))).response.status, 413);
});

t.test('a form is what URLSearchParams makes of it', async (t) => {
  let fields: [string, string][] = [];
  const app = client(
    t,
    answer(async (request) => {
      fields = [...(await request.form())];
    }),
  );
  const piece = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('&', '=', '+', '%', '%2', '%zz', ''),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
      const text = pieces.join('');
      const response = await app.request('/', post(text, FORM_TYPE));
      await response.text();
      t.equal(response.status, 200);
      // Node's URLSearchParams garbles what is not ASCII beside a stray percent sign: so it is given escapes.
      const escaped = text.replace(/[^\0-\x7f]+/gu, encodeURIComponent);
      t.same(fields, [...new URLSearchParams(escaped.startsWith('?') ? `?${escaped}` : escaped)]);
    }),
    { numRuns: 300 },
  );
});

t.test('hostile forms are refused', async (t) => {
  const cases: [string, string | Buffer, number, Parameters<WsgiRequest['form']>[0]?][] = [
    ['100,000 fields', 'a&'.repeat(100_000), 413],
    ['1,001 fields', Array(1001).fill('a=b').join('&'), 413],
    ['1,000 fields', Array(1000).fill('a=b').join('&'), 200],
    ['a huge name', `${'a'.repeat(100_000)}=b`, 413],
    ['a huge escaped name', `${'%61'.repeat(1025)}=b`, 413],
    ['a name at the limit', `${'%61'.repeat(1024)}=b`, 200],
    ['a large value', 'a=bbbbb', 413, { fieldBytes: 4 }],
    ['an escaped large value', 'a=%C3%A4%C3%A4b', 413, { fieldBytes: 4 }],
    ['a large body', 'a=bb', 413, { limitBytes: 3 }],
    ['no UTF-8 in escapes', 'a=%E4', 400],
    ['no UTF-8 in a name', '%ff=a', 400],
    ['no UTF-8 in bytes', latin1('a=\xe4'), 400],
    ['a cut sequence', 'a=%C3&b=%A4', 400],
    ['stray percent signs', 'a=100%&b=%zz', 200],
    ['nothing', '', 200],
    ['separators', '&&&=&=', 200],
    ['__proto__', '__proto__=x&constructor=y', 200],
  ];
  for (const [name, body, status, options] of cases) {
    const app = answer((request) => request.form(options));
    const { response } = await ask(t, app, '/', post(body, FORM_TYPE));
    t.equal(response.status, status, name);
  }
  const app = answer((request) => request.form());
  for (const [type, status] of [
    ['application/x-www-form-urlencoded; charset=utf-8', 200],
    ['application/x-www-form-urlencoded; charset=latin1', 415],
    ['text/plain', 415],
    ['', 415],
  ] as const) {
    t.equal((await ask(t, app, '/', post('a=b', { 'content-type': type }))).response.status, status, type);
  }
});

/** A multipart body, written by hand. */
const multipart = (...parts: [head: string, body: string][]) =>
  `${parts.map(([head, body]) => `--x\r\n${head}\r\n\r\n${body}\r\n`).join('')}--x--\r\n`;
const field = (name: string, body: string): [string, string] => [
  `Content-Disposition: form-data; name="${name}"`,
  body,
];
const file = (name: string, body: string, filename = 'a.txt'): [string, string] => [
  `Content-Disposition: form-data; name="${name}"; filename="${filename}"\r\nContent-Type: text/plain`,
  body,
];
const MULTIPART_TYPE = { 'content-type': 'multipart/form-data; boundary=x' };

const describePart = async (part: FormPart) => ({
  name: part.name,
  filename: part.originalFilename ?? null,
  type: part.contentType,
  isFile: part.isFile,
  body: (await part.bytes()).toString('latin1'),
});
const readAll = (limits?: MultipartLimits) =>
  answer(async (request) => {
    const parts: unknown[] = [];
    for await (const part of request.multipart(limits === undefined ? {} : { limits }))
      parts.push(await describePart(part));
    return parts;
  });

/** What the platform's own FormData sends. */
async function encode(form: FormData): Promise<{ type: string; bytes: Buffer }> {
  const response = new Response(form);
  return {
    type: response.headers.get('content-type') as string,
    bytes: Buffer.from(await response.arrayBuffer()),
  };
}

/** Cuts bytes at places. */
function cut(bytes: Buffer, places: number[]): Buffer[] {
  const sorted = [
    0,
    ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b),
    bytes.length,
  ];
  return sorted.slice(1).map((end, i) => bytes.subarray(sorted[i], end));
}

t.test('multipart() gives what FormData sent, however it is cut', async (t) => {
  const app = client(t, readAll());
  // A backslash before a quote means two things in a quoted string; browsers do not escape it.
  const text = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((one) => !/[\\%\p{Cc}]/u.test(one));
  const value = fc.oneof(
    fc.record({ name: text, text: fc.string({ unit: 'binary', maxLength: 60 }) }),
    fc.record({ name: text, filename: text.filter(Boolean), bytes: fc.uint8Array({ maxLength: 300 }) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(value, { maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      async (values, cuts) => {
        const form = new FormData();
        for (const one of values) {
          if ('text' in one) form.append(one.name, one.text);
          else form.append(one.name, new Blob([one.bytes], { type: 'image/x' }), one.filename);
        }
        const { type, bytes } = await encode(form);
        const response = await app.request('/', post(cut(bytes, cuts), { 'content-type': type }));
        const expected = await Promise.all(
          [...form].map(async ([name, one]) =>
            typeof one === 'string'
              ? // What is sent has CRLF for every end of a line.
                { name, filename: null, type: 'text/plain', isFile: false, body: crlf(one) }
              : {
                  name,
                  filename: one.name,
                  type: 'image/x',
                  isFile: true,
                  body: Buffer.from(await one.arrayBuffer()).toString('latin1'),
                },
          ),
        );
        t.same(await response.json(), expected);
      },
    ),
    { numRuns: 200 },
  );
});

t.test('content that looks like delimiters stays what it is, however it is cut', async (t) => {
  const app = client(t, readAll());
  const boundary = 'ab--ab';
  const piece = fc.constantFrom(
    '\r',
    '\n',
    '\r\n',
    '-',
    '--',
    '\r\n--',
    'ab',
    'ab--',
    'ab--a',
    'x',
    '\0',
    'y'.repeat(70_000),
  );
  const body = fc
    .array(piece, { maxLength: 12 })
    .map((pieces) => pieces.join(''))
    .filter((text) => !`\r\n${text}\r\n`.includes(`\r\n--${boundary}`));
  await fc.assert(
    fc.asyncProperty(
      fc.array(body, { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      async (bodies, cuts) => {
        const parts = bodies.map(
          (one, i) =>
            `--${boundary}\r\nContent-Disposition: form-data; name="${i}"; filename="f"\r\n\r\n${one}\r\n`,
        );
        const bytes = Buffer.from(`${parts.join('')}--${boundary}--\r\n`);
        const type = `multipart/form-data; boundary="${boundary}"`;
        const response = await app.request('/', post(cut(bytes, cuts), { 'content-type': type }));
        const read = (await response.json()) as { body: string }[];
        t.same(
          read.map((part) => part.body),
          bodies,
        );
      },
    ),
    { numRuns: 300 },
  );
});

const crlf = (text: string) => Buffer.from(text.replace(/\r\n|\r|\n/g, '\r\n')).toString('latin1');

t.test('a part: names, types, charset, headers', async (t) => {
  const seen: FormPart[] = [];
  const texts: string[] = [];
  const app = answer(async (request) => {
    for await (const part of request.multipart()) {
      seen.push(part);
      texts.push(await part.text());
    }
  });
  const head = 'Content-Disposition: form-data; name=';
  const body = Buffer.from(
    multipart(
      [`${head}"a"; filename="C:\\\\fake\\\\../x\u202egpj.exe"\r\nX-One: 1\r\nX-One: 2`, 'a'],
      [`${head}b; filename*=UTF-8''%e2%82%ac%20rates.txt; filename="euro.txt"`, 'b'],
      [`${head}"c"; filename=".."\r\nContent-Type: Text/HTML; Charset="ISO-8859-1"`, 'LATIN'],
      [`${head}"d%22%0D%0A"; filename=""\r\nContent-Type: application/octet-stream`, ''],
      [`${head}"ä"\r\nContent-Type: application/json`, '{}'],
      [`${head}"e"; filename="${'ä'.repeat(200)}.jpeg"`, ''],
      [`${head}"f"; filename="/etc/passwd\u0000.png"`.replace('\u0000', ''), ''],
    ),
  );
  const at = body.indexOf('LATIN');
  await ask(
    t,
    app,
    '/',
    post(Buffer.concat([body.subarray(0, at), latin1('\xe4'), body.subarray(at + 5)]), MULTIPART_TYPE),
  );
  t.same(
    seen.map(({ name, filename, contentType, charset, isFile }) => [
      name,
      filename,
      contentType,
      charset,
      isFile,
    ]),
    [
      ['a', 'xgpj.exe', 'text/plain', undefined, true],
      ['b', '€ rates.txt', 'text/plain', undefined, true],
      ['c', undefined, 'text/html', 'iso-8859-1', true],
      ['d"\r\n', undefined, 'application/octet-stream', undefined, true],
      ['ä', undefined, 'application/json', undefined, false],
      ['e', `${'ä'.repeat(125)}.jpeg`, 'text/plain', undefined, true],
      ['f', 'passwd.png', 'text/plain', undefined, true],
    ],
  );
  t.same(texts, ['a', 'b', 'ä', '', '{}', '', '']);
  t.same(seen[0]?.headers['x-one'], ['1', '2'], 'this busboy shows headers');
  t.equal(seen[0]?.originalFilename, 'C:\\fake\\../x\u202egpj.exe');
  t.equal(seen[2]?.originalFilename, '..');
});

t.test('the busboy whose header parser is met is the only one that npm installs', async (t) => {
  const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  const { version } = read('node_modules/busboy/package.json');
  const { dependencies } = read('package.json') as { dependencies: Record<string, string> };
  t.equal(dependencies.busboy, version, 'a range would let in one whose insides are others');
});

const HOSTILE_MULTIPART: [string, string, number, (MultipartLimits | undefined)?, string?][] = [
  ['nothing', '', 400],
  ['no boundary in the body', 'abc', 400],
  ['no end', '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nabc', 400],
  ['half an end', `${multipart(field('a', 'b')).slice(0, -4)}`, 400],
  ['the end within a head', '--x\r\nContent-Disp', 400],
  ['another boundary', multipart(field('a', 'b')).replaceAll('--x', '--y'), 400],
  ['no parts', '--x--\r\n', 200],
  ['an epilogue and a preamble', `hello\r\n${multipart(field('a', 'b'))}bye`, 200],
  ['no disposition', multipart(['X-A: b', 'c']), 400],
  ['another disposition', multipart(['Content-Disposition: attachment; name="a"', 'c']), 400],
  ['a broken disposition', multipart(['Content-Disposition: form-data; name="a', 'c']), 400],
  ['no name', multipart(['Content-Disposition: form-data', 'c']), 400],
  ['no headers', '--x\r\n\r\nabc\r\n--x--\r\n', 400],
  ['a bad header', multipart(['Content Disposition: form-data; name="a"', 'c']), 400],
  ['a header of 20 KiB', multipart([`${field('a', '')[0]}\r\nX: ${'y'.repeat(20_000)}`, 'c']), 400],
  ['a name of 20 KiB', multipart(field('n'.repeat(20_000), 'c')), 400],
  ['a bare line feed in the head', multipart(field('a', 'b')).replaceAll('\r\n\r\n', '\n\n'), 400],
  ['base64', multipart([`${field('a', '')[0]}\r\nContent-Transfer-Encoding: base64`, 'YQ==']), 415],
  ['8bit', multipart([`${field('a', '')[0]}\r\nContent-Transfer-Encoding: 8BIT`, 'YQ==']), 200],
  ['21 headers', multipart([`${field('a', '')[0]}${'\r\nX: y'.repeat(20)}`, 'c']), 413],
  ['1,500 headers', multipart([`${field('a', '')[0]}${'\r\nX:y'.repeat(1500)}`, 'c']), 413],
  ['20 headers', multipart([`${field('a', '')[0]}${'\r\nX: y'.repeat(19)}`, 'c']), 200],
  ['1,001 fields', multipart(...Array(1001).fill(field('a', 'b'))), 413],
  ['100,000 fields', multipart(...Array(100_000).fill(field('a', ''))), 413],
  ['21 files', multipart(...Array(21).fill(file('a', 'b'))), 413],
  ['parts', multipart(field('a', ''), file('b', '')), 413, { parts: 1 }],
  ['no more than parts', multipart(field('a', ''), file('b', '')), 200, { parts: 2, files: 1, fields: 1 }],
  ['no files', multipart(file('b', '')), 413, { files: 0 }],
  ['no fields', multipart(field('b', '')), 413, { fields: 0 }],
  ['a long name', multipart(field('ää', '')), 413, { fieldNameBytes: 3 }],
  ['a name at the limit', multipart(field('ä', '')), 200, { fieldNameBytes: 4 }],
  ['a name over the default', multipart(field('n'.repeat(1025), '')), 413],
  ['a large field', multipart(field('a', 'bcdef')), 413, { fieldBytes: 4, fileBytes: 9 }],
  ['a field at the limit', multipart(field('a', 'bcde')), 200, { fieldBytes: 4 }],
  ['a large file', multipart(file('a', 'bcdef')), 413, { fileBytes: 4 }],
  ['a file at the limit', multipart(file('a', 'bcde')), 200, { fileBytes: 4 }],
  ['a field of 2 MiB', multipart(field('a', 'b'.repeat(2 ** 21))), 413],
  ['a large body', multipart(field('a', 'b')), 413, { totalBytes: 20 }],
  ['a large epilogue', multipart(field('a', 'b')) + 'c'.repeat(99), 413, { totalBytes: 99 }],
  ['another type', 'a', 415, undefined, 'multipart/mixed; boundary=x'],
  ['text', 'a', 415, undefined, 'text/plain'],
  ['a missing boundary', multipart(), 400, undefined, 'multipart/form-data'],
  ['an empty boundary', multipart(), 400, undefined, 'multipart/form-data; boundary=""'],
  ['a boundary of 71', multipart(), 400, undefined, `multipart/form-data; boundary=${'b'.repeat(71)}`],
  ['a boundary of 100,000', multipart(), 400, undefined, `multipart/form-data; boundary=${'b'.repeat(1e5)}`],
  ['a boundary with quotes', multipart(), 400, undefined, 'multipart/form-data; boundary="a\\"b"'],
  ['a boundary that ends in a space', multipart(), 400, undefined, 'multipart/form-data; boundary="x "'],
];

t.test(
  'hostile multipart bodies are refused, in one piece, in small ones, read or passed over',
  async (t) => {
    for (const [name, body, status, limits, type] of HOSTILE_MULTIPART) {
      const headers = type === undefined ? MULTIPART_TYPE : { 'content-type': type };
      const passing = answer(async (request) => {
        let count = 0;
        for await (const _ of request.multipart(limits === undefined ? {} : { limits })) count++;
        return count;
      });
      const bytes = Buffer.from(body);
      const pieces =
        bytes.length < 30_000 ? [...bytes].map((byte) => Buffer.of(byte)) : cut(bytes, [1, 999, 9999]);
      for (const app of [readAll(limits), passing]) {
        t.equal((await ask(t, app, '/', post(bytes, headers))).response.status, status, name);
        t.equal(
          (await ask(t, app, '/', post(pieces, headers))).response.status,
          status,
          `${name}, in pieces`,
        );
      }
      if (limits === undefined && type === undefined) {
        const { response } = await ask(
          t,
          answer((request) => request.dataAndFiles()),
          '/',
          post(bytes, headers),
        );
        t.equal(response.status, status, `${name}, dataAndFiles`);
      }
    }
  },
);

t.test('any bytes as a multipart body end in an answer', async (t) => {
  const app = client(t, readAll());
  const token = fc.constantFrom(
    '--x',
    '\r\n',
    '--',
    '\r',
    '\n',
    ':',
    'Content-Disposition: form-data; name="a"',
    ';',
    '"',
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(token, fc.string({ unit: 'binary', maxLength: 9 })), { maxLength: 30 }),
      fc.array(fc.nat(), { maxLength: 5 }),
      async (tokens, cuts) => {
        const response = await app.request('/', post(cut(latin1(tokens.join('')), cuts), MULTIPART_TYPE));
        await response.text();
        t.ok([200, 400, 413, 415].includes(response.status));
      },
    ),
    { numRuns: 500 },
  );
});

t.test('a part is read once, in its turn; a body too', async (t) => {
  const app = answer(async (request) => {
    const parts = request.multipart();
    const one = (await parts.next()).value as FormPart;
    t.equal(await one.text(), 'b');
    await t.rejects(one.text(), { code: 'ERR_PART_READ' });
    const two = (await parts.next()).value as FormPart;
    for await (const chunk of two) {
      t.equal(String(chunk), 'd');
      break;
    }
    const three = (await parts.next()).value as FormPart;
    t.same(await three.json(), { f: 1 });
    const four = (await parts.next()).value as FormPart;
    t.same(await parts.next(), { done: true, value: undefined });
    await t.rejects(four.bytes(), { code: 'ERR_PART_READ' });
    t.same(await parts.next(), { done: true, value: undefined });
    t.throws(() => request.multipart(), { code: 'ERR_BODY_STREAMED' });
    await t.rejects(request.bytes(), { code: 'ERR_BODY_STREAMED' });
    await t.rejects(request.form(), { code: 'ERR_BODY_STREAMED' });
  });
  const body = multipart(field('a', 'b'), field('c', 'd'), field('e', '{"f":1}'), file('g', 'h'));
  t.equal((await ask(t, app, '/', post(body, MULTIPART_TYPE))).response.status, 200);
});

t.test('a body in memory can be read by parts', async (t) => {
  const app = answer(async (request) => {
    const bytes = await request.bytes();
    const names: string[] = [];
    for await (const part of request.multipart()) names.push(part.name);
    return [bytes.length, ...names];
  });
  const body = multipart(field('a', 'x'.repeat(200_000)), field('c', 'd'));
  const handler = new WsgiHandler([waitForBody(), app]);
  t.equal((await ask(t, handler, '/', post(body, MULTIPART_TYPE))).text, `[${body.length},"a","c"]`);
});

t.test('form() and dataAndFiles() share what they read of a multipart body', async (t) => {
  const app = answer(async (request) => {
    const form = await request.form();
    const { data, files } = await request.dataAndFiles();
    return [form === data, form === (await request.form()), files, form];
  });
  const body = multipart(field('a', 'b'), field('a', 'c'));
  t.equal((await ask(t, app, '/', post(body, MULTIPART_TYPE))).text, '[true,true,[],{"a":["b","c"]}]');
  const other = answer(async (request) => {
    const { data } = await request.dataAndFiles();
    return data === (await request.form());
  });
  t.equal((await ask(t, other, '/', post(body, MULTIPART_TYPE))).text, 'true');
  const withFile = post(multipart(file('a', 'b')), MULTIPART_TYPE);
  t.equal(
    (
      await ask(
        t,
        answer((request) => request.form()),
        '/',
        withFile,
      )
    ).response.status,
    415,
  );
  t.equal((await ask(t, other, '/', withFile)).response.status, 415);
});

t.test('a consumer that stops, or throws, ends the request', async (t) => {
  const body = multipart(file('a', 'x'.repeat(300_000)), field('b', 'c'));
  const stops = answer(async (request) => {
    for await (const part of request.multipart()) {
      for await (const chunk of part) return chunk.length > 0;
    }
    return false;
  });
  t.equal((await ask(t, stops, '/', post(cut(Buffer.from(body), [100, 2000]), MULTIPART_TYPE))).text, 'true');
  const throws = answer(async (request) => {
    for await (const _ of request.multipart()) throw new Error('mine');
  });
  t.equal((await ask(t, throws, '/', post(body, MULTIPART_TYPE))).response.status, 500);
  const late = answer(async (request) => {
    let left: FormPart | undefined;
    for await (const part of request.multipart()) {
      left = part;
      break;
    }
    await t.rejects((async () => void (await left?.bytes()))(), { code: 'ERR_PART_READ' });
  });
  const pieces = cut(Buffer.from(body), [100, 2000]);
  t.equal((await ask(t, late, '/', post(pieces, MULTIPART_TYPE))).response.status, 200);
});

t.test('the client sends no faster than the parts are read', async (t) => {
  let sent = 0;
  const folder = t.testdir();
  async function* upload() {
    yield '--x\r\nContent-Disposition: form-data; name="f"; filename="g"\r\n\r\n';
    for (let i = 0; i < 256; i++) {
      sent += 65_536;
      yield Buffer.alloc(65_536, 'x');
    }
    yield '\r\n--x--\r\n';
  }
  const app = answer(async (request) => {
    for await (const part of request.multipart({ limits: { fileBytes: 2 ** 25 } })) {
      await sleep(20);
      t.ok(sent < 500_000, `${sent} bytes before anybody reads`);
      let read = 0;
      for await (const chunk of part) {
        read += chunk.length;
        t.ok(sent - read < 500_000);
        await turn();
      }
      return read;
    }
    return 0;
  });
  const { text } = await ask(t, app, '/', post(upload(), MULTIPART_TYPE), { maxBodyBytes: 2 ** 25 });
  t.equal(text, String(2 ** 24));
  t.same(readdirSync(folder), []);
});

t.test('an abort rejects what is being read, and leaves no file', async (t) => {
  const folder = t.testdir();
  const begun = async function* () {
    yield '--x\r\nContent-Disposition: form-data; name="f"; filename="g"\r\n\r\n';
    yield Buffer.alloc(200_000, 'x');
    await sleep(10_000, undefined, { ref: false });
  };
  const readers: Record<string, (request: WsgiRequest) => Promise<unknown>> = {
    saveFile: async (request) => {
      for await (const part of request.multipart()) await saveFile(part, folder);
    },
    saveTo: async (request) => {
      for await (const part of request.multipart()) await part.saveTo(`${folder}/mine`);
    },
    bytes: async (request) => {
      for await (const part of request.multipart()) await part.bytes();
    },
    passing: async (request) => {
      for await (const _ of request.multipart());
    },
    dataAndFiles: (request) => request.dataAndFiles({ directory: folder }),
  };
  for (const [name, read] of Object.entries(readers)) {
    const abort = new AbortController();
    const ended = new Promise<unknown>((resolve) => {
      const app = answer((request) => {
        const reading = read(request).then(
          () => undefined,
          (error: unknown) => error,
        );
        void reading.then(resolve);
        return reading;
      });
      const asked = client(t, app).request('/', { ...post(begun(), MULTIPART_TYPE), signal: abort.signal });
      asked.catch(() => {});
    });
    await sleep(30);
    abort.abort();
    t.match(await ended, { code: 'ERR_CLIENT_ABORTED' }, name);
    t.same(readdirSync(folder), [], name);
  }
});

t.test('saveFile() saves safely', async (t) => {
  const folder = t.testdir({ there: 'x' });
  const content = async function* (...chunks: string[]) {
    for (const chunk of chunks) yield Buffer.from(chunk);
  };
  const saved = await saveFile(content('ab', '', 'c'), folder, { extension: '.tar.gz', limitBytes: 3 });
  t.match(saved.path, /\/[0-9a-f-]{36}\.tar\.gz$/);
  t.equal(saved.bytes, 3);
  t.equal(readFileSync(saved.path, 'utf8'), 'abc');
  t.equal(statSync(saved.path).mode & 0o777, 0o600);
  await refused(t, saveFile(content('abcd'), folder, { limitBytes: 3 }), 413);
  const broken = async function* () {
    yield Buffer.from('a');
    throw new Error('broken');
  };
  await t.rejects(saveFile(broken(), folder), { message: 'broken' });
  t.equal(readdirSync(folder).length, 2, 'nothing is left of what failed');
  for (const extension of ['png', '/../x', '.a/b', '.\0', '.', 5]) {
    await t.rejects(saveFile(content(), folder, { extension: extension as string }), TypeError);
  }
  await t.rejects(saveFile(content(), folder, { mode: 5 } as object), /no option "mode"/);
  await t.rejects(saveFile(content(), `${folder}/none`), { code: 'ENOENT' });

  symlinkSync(`${folder}/target`, `${folder}/link`);
  const app = answer(async (request) => {
    for await (const part of request.multipart()) {
      await t.rejects(part.saveTo(`${folder}/link`), { code: 'EEXIST' });
      return part.saveTo(`${folder}/mine`).then(String, String);
    }
    return undefined;
  });
  await ask(t, app, '/', post(multipart(file('a', 'content')), MULTIPART_TYPE));
  t.notOk(existsSync(`${folder}/target`), 'no link is followed');
});

t.test('dataAndFiles() gives JSON, forms, bytes and files', async (t) => {
  const folder = t.testdir();
  const app = answer(async (request) => {
    const { data, files } = await request.dataAndFiles({ memoryBytes: 10, directory: folder });
    const again = await request.dataAndFiles();
    return [
      Buffer.isBuffer(data) ? data.toString() : data,
      files.length === again.files.length,
      await Promise.all(
        files.map(async (one) => {
          const pieces: Buffer[] = [];
          for await (const piece of one.stream()) pieces.push(piece);
          t.same(Buffer.concat(pieces), await one.bytes());
          if (one.path !== undefined) t.equal(statSync(one.path).mode & 0o777, 0o600);
          await one.saveTo(`${folder}/kept-${one.name}`);
          return [one.name, one.filename, one.size, one.path !== undefined, (await one.text()).length];
        }),
      ),
    ];
  });
  const cases: [string, TestRequest, unknown][] = [
    ['json', post('{"a":1}'), [{ a: 1 }, true, []]],
    ['form', post('a=1&a=2', FORM_TYPE), [{ a: ['1', '2'] }, true, []]],
    ['bytes', post('abc', { 'content-type': 'text/plain' }), ['abc', true, []]],
    ['DELETE', { ...post('{bad'), method: 'DELETE' }, [null, true, []]],
    ['GET', { method: 'GET' }, [null, true, []]],
    [
      'multipart',
      post(
        multipart(field('a', '1'), file('s', 'small'), file('b', 'x'.repeat(9999)), file('e', '', '')),
        MULTIPART_TYPE,
      ),
      [
        { a: '1' },
        true,
        [
          ['s', 'a.txt', 5, false, 5],
          ['b', 'a.txt', 9999, true, 9999],
          ['e', null, 0, false, 0],
        ],
      ],
    ],
  ];
  for (const [name, request, expected] of cases) {
    t.same(JSON.parse((await ask(t, app, '/', request)).text), expected, name);
  }
  for (let i = 0; i < 100 && readdirSync(folder).length > 3; i++) await sleep(5);
  t.same(
    readdirSync(folder).sort(),
    ['kept-b', 'kept-e', 'kept-s'],
    'temporary files are gone, kept ones are not',
  );
  t.equal(readFileSync(`${folder}/kept-b`, 'utf8').length, 9999);
  t.equal(statSync(`${folder}/kept-b`).mode & 0o777, 0o600);

  const fails = answer((request) =>
    request.dataAndFiles({ memoryBytes: 10, directory: folder, limits: { fileBytes: 2000 } }),
  );
  const body = multipart(file('a', 'x'.repeat(1000)), file('b', 'x'.repeat(5000)));
  t.equal((await ask(t, fails, '/', post(body, MULTIPART_TYPE))).response.status, 413);
  for (let i = 0; i < 100 && readdirSync(folder).length > 3; i++) await sleep(5);
  t.equal(readdirSync(folder).length, 3, 'nothing is left of a form that fails');
});

t.test('options are checked', async (t) => {
  const wrong: [string, (request: WsgiRequest) => unknown, RegExp][] = [
    ['json', (r) => r.json({ limit: 5 } as object), /json has no option "limit"/],
    ['limitBytes', (r) => r.json({ limitBytes: -1 }), /"limitBytes" must be a whole number/],
    ['maxDepth', (r) => r.json({ maxDepth: 1e6 }), /"maxDepth" must be from 0 to 1000/],
    ['schema', (r) => r.json({ schema: {} as StandardSchemaV1 }), /must be a Standard Schema/],
    ['anyContentType', (r) => r.json({ anyContentType: 'x' as never }), /must be true or false/],
    ['text', (r) => r.text('x' as never), /takes its options as an object/],
    ['bytes', (r) => r.bytes({ limitBytes: 1.5 }), /"limitBytes" must be a whole number/],
    ['form', (r) => r.form({ fields: Number.NaN }), /"fields" must be a whole number/],
    ['multipart', (r) => r.multipart({ parts: 5 } as object), /multipart has no option "parts"/],
    ['limits', (r) => r.multipart({ limits: { fileSize: 5 } as object }), /limits has no option "fileSize"/],
    ['headerPairs', (r) => r.multipart({ limits: { headerPairs: 2000 } }), /"headerPairs" must be from/],
    ['dataAndFiles', (r) => r.dataAndFiles({ directory: '' }), /"directory" must be a path/],
  ];
  const app = answer(async (request) => {
    for (const [name, call, message] of wrong) {
      await t.rejects((async () => await call(request))(), { name: 'TypeError', message }, name);
    }
  });
  await ask(t, app, '/', post('{}'));
  t.throws(() => decodeBody({ limitBytes: -1 }), TypeError);
  t.throws(() => decodeBody({ maxRatio: 0 }), TypeError);
  t.throws(() => decodeBody({ ratio: 5 } as object), /no option "ratio"/);
});

t.test('decodeBody() decodes within bounds', async (t) => {
  const text = answer(async (request) => [(await request.text({ limitBytes: 2 ** 22 })).length]);
  const app = new WsgiHandler([lint(decodeBody({ limitBytes: 2 ** 21, maxRatio: 50 })), text]);
  const letters = 'abc'.repeat(1000);
  const bomb = Buffer.alloc(2 ** 20);
  const noise = Buffer.from(
    Array.from({ length: 3_000_000 }, (_, i) => 32 + ((i * i * 7919 + (i >> 3)) % 90)),
  );
  const cases: [string, Buffer, string, number][] = [
    ['gzip', gzipSync(letters), 'gzip', 200],
    ['upper case', gzipSync(letters), ' GZIP ', 200],
    ['x-gzip', gzipSync(letters), 'x-gzip', 200],
    ['deflate', deflateSync(letters), 'deflate', 200],
    ['br', brotliCompressSync(letters), 'br', 200],
    ['identity', Buffer.from(letters), 'identity', 200],
    ['two members', Buffer.concat([gzipSync(letters.slice(0, 9)), gzipSync(letters.slice(9))]), 'gzip', 200],
    ['raw deflate', deflateRawSync(letters), 'deflate', 400],
    ['the wrong coding', gzipSync(letters), 'br', 400],
    ['cut gzip', gzipSync(letters).subarray(0, 20), 'gzip', 400],
    ['cut br', brotliCompressSync(letters).subarray(0, 8), 'br', 400],
    ['broken gzip', gzipSync(letters).fill(7, 12, 16), 'gzip', 400],
    ['nothing', Buffer.alloc(0), 'gzip', 400],
    ['text', Buffer.from('abc'), 'gzip', 400],
    ['a bomb by ratio: gzip', gzipSync(bomb), 'gzip', 413],
    ['a bomb by ratio: br', brotliCompressSync(bomb), 'br', 413],
    ['a bomb by size', gzipSync(noise), 'gzip', 413],
    ['zstd', Buffer.from('a'), 'zstd', 415],
    ['two codings', gzipSync(gzipSync(letters)), 'gzip, gzip', 415],
    ['a key of a prototype', Buffer.from('a'), 'constructor', 415],
    ['__proto__', Buffer.from('a'), '__proto__', 415],
  ];
  for (const [name, body, coding, status] of cases) {
    for (const chunked of [false, true]) {
      const sent = chunked ? cut(body, [1, 5, 11, 1000]) : body;
      const { response, text: answered } = await ask(t, app, '/', post(sent, { 'content-encoding': coding }));
      t.equal(response.status, status, name);
      if (status === 200) t.equal(answered, '[3000]', name);
      if (status === 415) t.match(JSON.stringify(response.headers), '"gzip, deflate, br"', name);
    }
  }
  const waiting = new WsgiHandler([decodeBody({ limitBytes: 2000 }), waitForBody(), text]);
  const request = post(gzipSync(letters), { 'content-encoding': 'gzip' });
  t.equal((await ask(t, waiting, '/', request)).response.status, 413);
  const unread = new WsgiHandler([decodeBody(), () => new WsgiResponse({ content: 'x' })]);
  t.equal((await ask(t, unread, '/', request)).text, 'x');
  const form = new WsgiHandler([decodeBody(), readAll()]);
  const headers = { ...MULTIPART_TYPE, 'content-encoding': 'br' };
  const parts = brotliCompressSync(multipart(field('a', 'b')));
  t.match((await ask(t, form, '/', post(parts, headers))).text, '"body":"b"');
  t.equal(
    (await ask(t, readAll(), '/', post(parts, headers))).response.status,
    415,
    'without the middleware',
  );
});

t.test('decodeBody() tells an abort, and holds little of what is not read', async (t) => {
  let sent = 0;
  const random = Buffer.alloc(65_536);
  const upload = async function* () {
    const noise = gzipSync(Buffer.from(random.map((_, i) => (i * 7919 + (i >> 2) ** 2) & 255)));
    for (let i = 0; i < 100; i++) {
      sent += noise.length;
      yield noise;
    }
    await sleep(10_000, undefined, { ref: false });
  };
  const abort = new AbortController();
  const ended = new Promise<unknown>((resolve) => {
    const app = new WsgiHandler([
      decodeBody({ limitBytes: 2 ** 24, maxRatio: 1e4 }),
      async (environ) => {
        await sleep(20);
        t.ok(sent < 1_000_000, `${sent} bytes before anybody reads`);
        await environ['wsgi.input'].read().then(resolve, resolve);
        return json(null);
      },
    ]);
    const headers = { 'content-encoding': 'gzip' };
    client(t, app)
      .request('/', { ...post(upload(), headers), signal: abort.signal })
      .catch(() => {});
  });
  await sleep(200);
  abort.abort();
  t.match(await ended, { code: 'ERR_CLIENT_ABORTED' });
});

/** Sends bytes on a connection of its own, and gives what comes back until the server is silent about it. */
async function exchange(port: number, pieces: Buffer[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  let text = '';
  const ended = once(socket, 'end');
  socket.on('data', (data) => {
    text += data.toString('latin1');
  });
  for (const piece of pieces) {
    socket.write(piece);
    await turn();
    await turn();
  }
  await ended;
  socket.destroy();
  return text;
}

async function listen(t: Test, app: App, gateway: 'uws' | 'node', maxBodyBytes = 2 ** 24): Promise<number> {
  const server = await serve(app, { bind: '127.0.0.1:0', gateway, logLevel: 'silent', maxBodyBytes });
  t.teardown(() => server.close());
  return (server.address as { port: number }).port;
}

for (const gateway of ['uws', 'node'] as const) {
  t.test(`a form that is cut at any byte is read whole: ${gateway}`, async (t) => {
    const port = await listen(t, readAll(), gateway);
    const form = new FormData();
    form.append('a', 'one\r\n--two');
    form.append('ä', new Blob(['\r\n--', 'x'], { type: 'image/png' }), 'ö.png');
    const { type, bytes } = await encode(form);
    const head = latin1(
      `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Length: ${bytes.length}\r\n\r\n`,
    );
    const bodyOf = (text: string) => text.slice(text.indexOf('\r\n\r\n') + 4);
    const whole = bodyOf(await exchange(port, [Buffer.concat([head, bytes])]));
    t.same(JSON.parse(latin1(whole).toString()), [
      { name: 'a', filename: null, type: 'text/plain', isFile: false, body: 'one\r\n--two' },
      { name: 'ä', filename: 'ö.png', type: 'image/png', isFile: true, body: '\r\n--x' },
    ]);
    const wrong: number[] = [];
    const places = [...Array(bytes.length + 1).keys()];
    const work = async () => {
      for (let at = places.pop(); at !== undefined; at = places.pop()) {
        const pieces = [Buffer.concat([head, bytes.subarray(0, at)]), bytes.subarray(at)];
        if (bodyOf(await exchange(port, pieces)) !== whole) wrong.push(at);
      }
    };
    await Promise.all(Array.from({ length: 8 }, work));
    t.same(wrong, []);
  });

  t.test(`what other clients send is read: ${gateway}`, async (t) => {
    const folder = t.testdir();
    writeFileSync(`${folder}/ö "1".bin`, Buffer.alloc(300_000, 'y'));
    const app = answer(async (request) => {
      const { data, files } = await request.dataAndFiles();
      return [
        data,
        files.map(({ name, filename, contentType, size }) => [name, filename, contentType, size]),
      ];
    });
    const url = `http://127.0.0.1:${await listen(t, app, gateway)}/`;
    const path = `${folder}/ö "1".bin`;
    const run = async (command: string, args: string[]) => {
      const child = spawn(command, args);
      let text = '';
      child.stdout.on('data', (data) => {
        text += data;
      });
      await once(child, 'close');
      return JSON.parse(text);
    };
    const expected = [{ a: 'ä', b: ['1', '2'] }, [['f', 'ö "1".bin', 'image/png', 300_000]]];
    if (hasCommand('curl')) {
      const escaped = path.replaceAll('"', '\\"');
      const fields = ['-F', 'a=ä', '-F', 'b=1', '-F', 'b=2', '-F', `f=@"${escaped}";type=image/png`];
      t.same(await run('curl', ['-s', ...fields, url]), expected, 'curl');
    }
    if (hasCommand('python3', '-crequests=__import__("requests")')) {
      const script = `import requests,sys
print(requests.post(sys.argv[1], data=[('a','ä'),('b','1'),('b','2')], files={'f': ('ö.bin', open(sys.argv[2],'rb'), 'image/png')}).text)`;
      const [data] = expected;
      t.same(
        await run('python3', ['-c', script, url, path]),
        [data, [['f', 'ö.bin', 'image/png', 300_000]]],
        'requests',
      );
    }
  });

  t.test(`clients that leave, stop or send too much: ${gateway}`, async (t) => {
    const ends: unknown[] = [];
    const app: App = new WsgiHandler([
      async (environ) => {
        const request = requestOf(environ);
        try {
          if (environ.PATH_INFO === '/break') {
            for await (const _ of request.multipart()) break;
          } else
            for await (const part of request.multipart({ limits: { fileBytes: 1000 } })) await part.bytes();
          return json('done');
        } catch (error) {
          ends.push(error);
          throw error;
        }
      },
    ]);
    const port = await listen(t, app, gateway, 10_000_000);
    const head = (length: number, path = '/') =>
      latin1(
        `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: ${length}\r\n\r\n`,
      );
    const begin = latin1(`--x\r\n${file('a', '')[0]}\r\n\r\n`);

    const socket = connect(port, '127.0.0.1');
    socket.write(Buffer.concat([head(10_000), begin]));
    await once(socket, 'connect');
    await sleep(50);
    socket.destroy();
    for (let i = 0; i < 100 && ends.length === 0; i++) await sleep(10);
    t.match(ends, [{ code: 'ERR_CLIENT_ABORTED' }]);

    // Both are refused or left while the client still sends; the connection is of use again, or closed.
    for (const [path, status] of [
      ['/', 413],
      ['/break', 200],
    ] as const) {
      const large = connect(port, '127.0.0.1');
      let text = '';
      large.on('data', (data) => {
        text += data;
      });
      large.on('error', () => {});
      large.write(Buffer.concat([head(begin.length + 2_000_000, path), begin]));
      for (let i = 0; i < 20 && !large.destroyed; i++) {
        large.write(Buffer.alloc(100_000, 'y'));
        await turn();
      }
      for (let i = 0; i < 200 && text === ''; i++) await sleep(10);
      t.match(text, `HTTP/1.1 ${status} `, path);
      large.destroy();
    }
    const fine = await exchange(port, [latin1('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')]);
    t.match(fine, 'HTTP/1.1 415 ', 'the server goes on');
  });
}

t.test('a body above maxBodyBytes is refused, and read when that is raised', async (t) => {
  const body = cut(Buffer.from(multipart(file('a', 'x'.repeat(100_000)))), [1, 50_000]);
  const request = post(body, MULTIPART_TYPE);
  t.equal((await ask(t, readAll(), '/', request, { maxBodyBytes: 90_000 })).response.status, 413);
  t.equal((await ask(t, readAll(), '/', request, { maxBodyBytes: 110_000 })).response.status, 200);
});

t.test('a handler that declares its headers needs those of bodies', async (t) => {
  const app = Object.assign(
    answer(async (request) => {
      await turn();
      return request.json();
    }),
    { headers: ['content-type', 'content-encoding'] },
  );
  const test = testClient(app);
  t.equal(await (await test.post('/', { json: { a: 1 } })).text(), '{"a":1}');
  await test.close();
});

t.test('multipart names that are not UTF-8 are refused', async (t) => {
  const post = async (head: string) => {
    const body = Buffer.from(multipart([head, 'b']), 'latin1');
    const app = new WsgiHandler([lint(readAll())]);
    const { response } = await ask(t, app, '/', { method: 'POST', headers: MULTIPART_TYPE, body });
    return response.status;
  };
  t.equal(await post('Content-Disposition: form-data; name="\xe4"'), 400);
  t.equal(await post('Content-Disposition: form-data; name="a"; filename="\xe4.txt"'), 400);
  t.equal(await post('Content-Disposition: form-data; name="\xed\xa0\x80"'), 400);
  t.equal(await post('Content-Disposition: form-data; name="\xc3\xa4"; filename="\xc3\xa4.txt"'), 200);
});

for (const gateway of ['uws', 'node'] as const) {
  t.test(`decodeBody() takes nothing behind the end of the encoded body: ${gateway}`, async (t) => {
    const app = new WsgiHandler([
      decodeBody(),
      async (environ) => new WsgiResponse({ content: await requestOf(environ).text() }),
    ]);
    const server = await serve(app, { bind: '127.0.0.1:0', gateway, logLevel: 'silent' });
    t.teardown(() => server.close({ timeoutMs: 0 }));
    const text = 'hello '.repeat(500);
    for (const [coding, encoded] of [
      ['br', brotliCompressSync(text)],
      ['deflate', deflateSync(text)],
      ['gzip', gzipSync(text)],
    ] as const) {
      const send = async (gapMs: number, ...chunks: Uint8Array[]) => {
        const body = new ReadableStream<Uint8Array>({
          async start(controller) {
            for (const chunk of chunks) {
              controller.enqueue(chunk);
              await sleep(gapMs);
            }
            controller.close();
          },
        });
        const response = await fetch(server.url, {
          method: 'POST',
          body,
          duplex: 'half',
          headers: { 'content-encoding': coding, 'content-type': 'text/plain' },
        } as RequestInit);
        return [response.status, await response.text()];
      };
      const junk = Buffer.from('junk');
      t.strictSame(await send(0, encoded), [200, text], coding);
      t.strictSame(
        await send(5, ...[...encoded].map((byte) => Uint8Array.of(byte)).slice(0, 60), encoded.subarray(60)),
        [200, text],
      );
      t.equal((await send(0, Buffer.concat([encoded, junk])))[0], 400, `${coding}: in one`);
      t.equal((await send(50, encoded, junk))[0], 400, `${coding}: later`);
      t.equal((await send(0, encoded, Buffer.alloc(200_000, 'j')))[0], 400, `${coding}: much`);
      const twice = await send(10, encoded, encoded);
      t.strictSame(twice[0], coding === 'gzip' ? 200 : 400, `${coding}: only gzip has members`);
    }
  });
}
