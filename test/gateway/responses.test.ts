/** What both gateways do with what applications answer: every form of a body, every mistake, every ending. */
import fc from 'fast-check';
import { conformance } from '../support/conformance-kit.js';
import { headerValue, headerValues, type WireResponse } from '../support/wire.js';

/** What `start` in the child is told. */
interface Start {
  readonly status?: unknown;
  readonly headers?: unknown;
  readonly body?: unknown;
}

const start = (given: Start) =>
  `/start?spec=${encodeURIComponent(JSON.stringify({ status: '200 OK', headers: [], ...given }))}`;

/** `startResponse` calls that are refused, so that the answer is 500. */
const REFUSED: Readonly<Record<string, Start>> = {
  'a status without a reason': { status: '200' },
  'a status without a reason after its blank': { status: '200 ' },
  'a status of a reason alone': { status: 'OK' },
  'a status of two digits': { status: '20 OK' },
  'a status of four digits': { status: '2000 OK' },
  'a status below 200': { status: '100 Continue' },
  'status 101': { status: '101 Switching Protocols' },
  'status 103': { status: '103 Early Hints' },
  'a status beyond 999': { status: '1000 Beyond' },
  'a status that is a number': { status: 200 },
  'a status that is nothing': { status: null },
  'a status that is an array': { status: ['200 OK'] },
  'CR LF in a status': { status: '200 OK\r\nX-Evil: 1' },
  'LF in a status': { status: '200 OK\nX-Evil: 1' },
  'CR in a status': { status: '200 OK\rX-Evil: 1' },
  'LF at the end of a status': { status: '200 OK\n' },
  'NUL in a status': { status: '200 OK\0' },
  'a letter outside ASCII in a status': { status: '200 Très bien' },
  'CR LF in a header name': { headers: [['X-A\r\nX-Evil', '1']] },
  'LF at the end of a header name': { headers: [['X-A\n', '1']] },
  'a colon in a header name': { headers: [['X-A:', '1']] },
  'a blank in a header name': { headers: [['X A', '1']] },
  'an empty header name': { headers: [['', '1']] },
  'a header name outside ASCII': { headers: [['X-é', '1']] },
  'a header name that is a number': { headers: [[5, '1']] },
  'CR LF in a header value': { headers: [['X-A', 'b\r\nX-Evil: 1']] },
  'CR LF CR LF in a header value': { headers: [['X-A', 'b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n']] },
  'CR in a header value': { headers: [['X-A', 'b\rX-Evil: 1']] },
  'LF in a header value': { headers: [['X-A', 'b\nX-Evil: 1']] },
  'LF at the end of a header value': { headers: [['X-A', 'b\n']] },
  'NUL in a header value': { headers: [['X-A', 'b\0']] },
  'DEL in a header value': { headers: [['X-A', 'b\x7f']] },
  'a letter beyond ISO-8859-1 in a header value': { headers: [['X-A', '€']] },
  'a letter that is CR and LF in its low bytes': { headers: [['X-A', 'b\u010d\u010aX-Evil: 1']] },
  'a header value that is a number': { headers: [['X-A', 5]] },
  'a header value that is nothing': { headers: [['X-A', null]] },
  'a header value that is an array': { headers: [['X-A', ['b']]] },
  'headers that are an object': { headers: { 'X-A': 'b' } },
  'headers that are nothing': { headers: null },
  'headers that are text': { headers: 'X-A: b' },
  'a header that is text': { headers: ['X-A: b'] },
  'a header of one part': { headers: [['X-A']] },
  'a header of three parts': { headers: [['X-A', 'b', 'c']] },
  'a good header before a bad one': {
    headers: [
      ['X-Good', 'yes'],
      ['X-A', 'b\r\nX-Evil: 1'],
    ],
  },
  'a bad header among many': {
    headers: [
      ['X-1', 'a'],
      ['X-2', 'a'],
      ['X-3', 'a'],
      ['X-4', 'a'],
      ['X-5', 'b\r\nX-Evil: 1'],
    ],
  },
  Connection: { headers: [['Connection', 'close']] },
  'connection in lower case': { headers: [['connection', 'keep-alive']] },
  'Keep-Alive': { headers: [['Keep-Alive', 'timeout=5']] },
  'Proxy-Authenticate': { headers: [['Proxy-Authenticate', 'Basic']] },
  'Proxy-Authorization': { headers: [['Proxy-Authorization', 'Basic']] },
  'Proxy-Connection': { headers: [['Proxy-Connection', 'close']] },
  TE: { headers: [['TE', 'trailers']] },
  Trailer: { headers: [['Trailer', 'X-A']] },
  'Transfer-Encoding': { headers: [['Transfer-Encoding', 'chunked']] },
  'transfer-encoding in capitals': { headers: [['TRANSFER-ENCODING', 'chunked']] },
  Upgrade: { headers: [['Upgrade', 'h2c']] },
  'a Content-Length that is no number': { headers: [['Content-Length', 'four']] },
  'a negative Content-Length': { headers: [['Content-Length', '-4']] },
  'an empty Content-Length': { headers: [['Content-Length', '']] },
  'a Content-Length with a fraction': { headers: [['Content-Length', '4.0']] },
  'a Content-Length in hexadecimal': { headers: [['Content-Length', '0x4']] },
  'a list of Content-Lengths': { headers: [['Content-Length', '4, 4']] },
  'two different Content-Lengths': {
    headers: [
      ['Content-Length', '4'],
      ['content-length', '5'],
    ],
  },
  'a Content-Length smaller than the body': { headers: [['Content-Length', '3']], body: ['body'] },
  'a Content-Length larger than the body': { headers: [['Content-Length', '5']], body: ['body'] },
  'a Content-Length of 0 with a body': { headers: [['Content-Length', '0']], body: ['body'] },
  'a Content-Length with no body': { headers: [['Content-Length', '4']], body: [] },
  'a Content-Length smaller than the chunks': { headers: [['Content-Length', '3']], body: ['bo', 'dy'] },
  'a Content-Length larger than the chunks': { headers: [['Content-Length', '5']], body: ['bo', 'dy'] },
  'a Content-Length in characters of a body in UTF-8': { headers: [['Content-Length', '4']], body: ['étés'] },
  'a Content-Length smaller than a large body': {
    headers: [['Content-Length', '3']],
    body: ['x'.repeat(1000)],
  },
};

/** Calls that are good although they look odd. */
const ACCEPTED: Readonly<
  Record<
    string,
    {
      readonly given: Start;
      readonly status: number;
      readonly reason: string;
      readonly headers: readonly (readonly [string, string])[];
      readonly body: string;
    }
  >
> = {
  'a status that is not registered': {
    given: { status: '299 Odd But Fine' },
    status: 299,
    reason: 'Odd But Fine',
    headers: [],
    body: 'body',
  },
  'a reason with blanks inside': {
    given: { status: '200 Very  Well' },
    status: 200,
    reason: 'Very  Well',
    headers: [],
    body: 'body',
  },
  'status 999': { given: { status: '999 Mine' }, status: 999, reason: 'Mine', headers: [], body: 'body' },
  'status 599': { given: { status: '599 Last' }, status: 599, reason: 'Last', headers: [], body: 'body' },
  'an empty header value': {
    given: { headers: [['X-A', '']] },
    status: 200,
    reason: 'OK',
    headers: [['X-A', '']],
    body: 'body',
  },
  'tabs and blanks in a header value': {
    given: { headers: [['X-A', 'a\tb  c']] },
    status: 200,
    reason: 'OK',
    headers: [['X-A', 'a\tb  c']],
    body: 'body',
  },
  'all characters of a token in a header name': {
    given: { headers: [["X!#$%&'*+-.^_`|~09", '1']] },
    status: 200,
    reason: 'OK',
    headers: [["X!#$%&'*+-.^_`|~09", '1']],
    body: 'body',
  },
  'the same Content-Length twice': {
    given: {
      headers: [
        ['Content-Length', '4'],
        ['CONTENT-LENGTH', '4'],
      ],
    },
    status: 200,
    reason: 'OK',
    headers: [['Content-Length', '4']],
    body: 'body',
  },
  'a Content-Length with leading zeros': {
    given: { headers: [['Content-Length', '0004']] },
    status: 200,
    reason: 'OK',
    headers: [['Content-Length', '4']],
    body: 'body',
  },
  'a Content-Length that is right': {
    given: { headers: [['content-length', '6']], body: ['étés'] },
    status: 200,
    reason: 'OK',
    headers: [['Content-Length', '6']],
    body: 'étés',
  },
  'a Content-Length of 0 without a body': {
    given: { headers: [['Content-Length', '0']], body: [] },
    status: 200,
    reason: 'OK',
    headers: [['Content-Length', '0']],
    body: '',
  },
  'no body': { given: { body: [] }, status: 200, reason: 'OK', headers: [['Content-Length', '0']], body: '' },
  'a body of empty chunks': {
    given: { body: ['', ''] },
    status: 200,
    reason: 'OK',
    headers: [['Content-Length', '0']],
    body: '',
  },
  'many headers': {
    given: { headers: Array.from({ length: 60 }, (_, i) => [`X-${i}`, `v${i}`]) },
    status: 200,
    reason: 'OK',
    headers: Array.from({ length: 60 }, (_, i) => [`X-${i}`, `v${i}`] as const),
    body: 'body',
  },
};

const FORMS = [
  'array',
  'array-of-one',
  'array-of-bytes',
  'array-of-promises',
  'subarray-views',
  'generator',
  'generator-with-promises',
  'async-generator',
  'async-generator-at-once',
  'async-iterator-without-return',
  'iterator-without-return',
  'set',
  'map-values',
  'readable',
  'web-stream',
  'object-with-close',
  'empty-chunks',
  'empty-chunks-between-waits',
  'promise',
  'promise-of-generator',
  'thenable',
  'write',
  'write-only',
  'write-with-waits',
  'write-then-generator',
  'started-by-the-body',
  'started-late-by-the-body',
  'wsgi-response',
  'wsgi-response-of-bytes',
  'wsgi-response-of-a-generator',
  'promise-of-wsgi-response',
] as const;

const VALUES = ['null', 'undefined', 'number', 'string', 'bytes', 'object', 'true', 'function'] as const;
const CHUNKS = [
  'number',
  'null',
  'undefined',
  'object',
  'array',
  'boolean',
  'array-buffer',
  'promise-of-number',
  'promise-of-promise-like-null',
] as const;

/**
 * What comes of each bad application: `500` is a whole error response and a usable connection; `cut` is a response that
 * began with `first` and was cut so that the client can tell.
 */
const BAD: Readonly<Record<string, '500' | 'cut' | string>> = {
  throws: '500',
  'throws-no-error': '500',
  'throws-null': '500',
  'throws-after-start': '500',
  'throws-with-status': '422',
  rejects: '500',
  'rejects-later': '500',
  'rejects-with-nothing': '500',
  'throws-after-a-held-chunk': '500',
  'throws-after-a-sent-chunk': 'cut',
  'throws-after-a-sent-chunk-of-known-length': 'cut',
  'rejects-after-a-sent-chunk': 'cut',
  'rejects-after-write': 'cut',
  'throws-after-write': 'cut',
  'readable-fails-later': 'cut',
  'never-starts': '500',
  'never-starts-empty': '500',
  'never-starts-later': '500',
  'never-starts-two-chunks': '500',
  'never-starts-then-yields-later': '500',
  'starts-twice': '500',
  'starts-twice-later': '500',
  'starts-again-with-an-error': '503',
  'starts-again-with-an-error-after-write': 'cut',
  'starts-again-with-an-error-after-sending': 'cut',
  'starts-badly-and-goes-on': '500',
  'taken-without-taking': '500',
  'taken-later-without-taking': '500',
  'write-of-a-number': '500',
  'write-of-null': '500',
  'iterator-gives-no-object': '500',
  'iterator-throws': '500',
  'iterable-throws': '500',
  'iterable-gives-nothing': '500',
  'then-throws': '500',
  'wsgi-response-with-bad-header': '500',
  'error-with-bad-header': '500',
  ...Object.fromEntries(
    VALUES.flatMap((value) => [
      `returns-${value}`,
      `returns-${value}-after-start`,
      `resolves-to-${value}`,
      `resolves-to-${value}-after-start`,
    ]).map((name) => [name, '500']),
  ),
  ...Object.fromEntries(
    CHUNKS.flatMap((chunk) => [
      [`yields-${chunk}-first`, '500'],
      [`yields-${chunk}-alone`, '500'],
      [`yields-${chunk}-later`, 'cut'],
    ]),
  ),
};

/** How often a body is finished, and by which of its ways. */
const CLOSING: Readonly<Record<string, { readonly notes: readonly string[]; readonly outcome: string }>> = {
  generator: { notes: ['finally'], outcome: '200 open' },
  'generator-throws': { notes: ['finally'], outcome: '500 open' },
  'async-generator': { notes: ['finally'], outcome: '200 open' },
  'async-generator-throws': { notes: ['finally'], outcome: '200(cut) closed' },
  'async-generator-of-known-length': { notes: ['finally'], outcome: '200 open' },
  object: { notes: ['close'], outcome: '200 open' },
  'object-of-one': { notes: ['close'], outcome: '200 open' },
  'object-of-one-without-a-body': { notes: ['close'], outcome: '204 open' },
  'object-without-a-body': { notes: ['close'], outcome: '204 open' },
  'object-never-started': { notes: ['close'], outcome: '500 open' },
  'object-with-odd-chunk': { notes: ['close'], outcome: '500 open' },
  'object-too-long': { notes: ['close'], outcome: '500 open' },
  'object-too-short': { notes: ['close'], outcome: '500 open' },
  'wsgi-response': { notes: ['close'], outcome: '200 open' },
  'response-refused': { notes: ['close'], outcome: '500 open' },
  'async-object': { notes: ['close'], outcome: '200 open' },
  'close-throws': { notes: ['close'], outcome: '200 open' },
  'close-rejects': { notes: ['close'], outcome: '200 open' },
  'return-throws': { notes: ['return'], outcome: '500 open' },
  'return-throws-after-odd-chunk': { notes: ['return'], outcome: '500 open' },
  'return-rejects': { notes: ['return'], outcome: '200 open' },
};

const ENDLESS = [
  'async-generator',
  'async-generator-at-full-speed',
  'generator-at-full-speed',
  'generator-of-empty-chunks',
  'readable',
  'iterable-with-close',
  'known-length',
  'write',
] as const;
const LEAVING = {
  'destroys its socket': (wire: { destroy(): void }) => wire.destroy(),
  'resets its socket': (wire: { socket: { resetAndDestroy(): void } }) => wire.socket.resetAndDestroy(),
  'ends its side': (wire: { socket: { end(): void } }) => wire.socket.end(),
} as const;

function assertNotSplit(
  t: { equal(a: unknown, b: unknown, c: string): unknown },
  response: WireResponse,
): void {
  t.equal(
    response.headers.filter(([name]) => /evil|good|worse/i.test(name)).length,
    0,
    'nothing of what was refused is sent',
  );
  t.equal(/x-evil/i.test(response.body.toString('latin1')), false, 'nor in the body');
}

const finishing = (notes: readonly string[]) => notes.filter((note) => /^(finally|close|return)$/.test(note));

conformance((test, gateway) => {
  for (const [what, given] of Object.entries(REFUSED)) {
    test(`refused: ${what}`, async (t, kit) => {
      for (const isAsync of [false, true]) {
        const wire = await kit.open();
        wire.write(
          `GET ${start({ ...given, ...(isAsync ? { isAsync } : {}) } as Start)} HTTP/1.1\r\nHost: a\r\n\r\nGET /nothing-behind`,
        );
        const response = await wire.response();
        t.equal(
          `${response.status} ${response.reason}`,
          '500 Internal Server Error',
          isAsync ? 'asynchronously' : 'synchronously',
        );
        t.equal(response.framing, 'length');
        assertNotSplit(t, response);
        t.equal(wire.received.length, 0);
        wire.destroy();
      }
    });
  }

  for (const [what, { given, status, reason, headers, body }] of Object.entries(ACCEPTED)) {
    test(`accepted: ${what}`, async (t, kit) => {
      const response = await kit.get(start(given));
      t.equal(response.status, status);
      t.equal(response.reason, reason);
      t.equal(response.body.toString(), body);
      t.equal(headerValue(response, 'content-length'), String(Buffer.byteLength(body)));
      const own = response.headers.filter(
        ([name]) =>
          !/^(date|connection|keep-alive)$/i.test(name) &&
          (name.toLowerCase() !== 'content-length' || headers.some(([n]) => n === 'Content-Length')),
      );
      t.strictSame(own, headers);
    });
  }

  test('headers leave in order and as spelt, Set-Cookie on lines of its own, Date and Content-Length once', async (t, kit) => {
    const response = await kit.get('/headers');
    t.strictSame(headerValues(response, 'set-cookie'), ['a=1; Path=/', 'b=2']);
    t.strictSame(
      response.headers.filter(([name]) => /^(content-type|set-cookie|x-)/i.test(name)),
      [
        ['Content-Type', 'text/plain'],
        ['Set-Cookie', 'a=1; Path=/'],
        ['Set-Cookie', 'b=2'],
        ['X-MiXed-CaSe', 'Kept'],
        ['X-Empty', ''],
      ],
    );
    t.equal(headerValues(response, 'date').length, 1);
    t.equal(headerValue(response, 'content-length'), '4');
    t.strictSame(
      response.headers.filter(([name]) => /uwebsockets|powered|^server$/i.test(name)),
      [],
      'no header names the server',
    );
  });

  // What responses have in common is checked and put together once, so none may have what is another's.
  test('responses that begin alike, and those that do not, have their own headers', async (t, kit) => {
    const known = [
      ['X-A', '1'],
      ['X-A', '2'],
      ['X-B', '1'],
      ['X-C', 'caf\u00e9'],
    ] as const;
    const pick = fc.constantFrom(...known);
    const near = fc.tuple(
      fc.array(pick, { maxLength: 2 }),
      fc.array(fc.array(pick, { maxLength: 2 }), { minLength: 2, maxLength: 8 }),
    );
    // Responses with a beginning in common, in turn.
    await fc.assert(
      fc.asyncProperty(
        near,
        fc.constantFrom('200 OK', '404 Not Found'),
        async ([beginning, ends], status) => {
          for (const end of ends) {
            const headers = [...beginning, ...end];
            const response = await kit.get(start({ status, headers, body: ['x'] }));
            const own = response.headers.filter(
              ([name]) => !/^(date|content-length|connection|keep-alive)$/i.test(name),
            );
            const got = [response.status, own.map(String)];
            if (JSON.stringify(got) !== JSON.stringify([Number(status.slice(0, 3)), headers.map(String)]))
              throw new Error(`sent ${JSON.stringify(headers)}, got ${JSON.stringify(got)}`);
          }
        },
      ),
      { numRuns: 150, seed: 1 },
    );
    t.pass('each has its own');
  });

  test('a Date is on every response', async (t, kit) => {
    for (const path of ['/hello', '/form/async-generator', '/bad/throws', '/status/204']) {
      t.match(headerValue(await kit.get(path), 'date'), /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/, path);
    }
  });

  test('8-bit header values leave as ISO-8859-1', async (t, kit) => {
    const response = await kit.get('/eight-bit');
    t.equal(headerValue(response, 'x-eight-bit'), 'caf\xe9 \xa3\xff');
    t.equal(headerValue(response, 'x-plain'), 'plain');
    t.equal(headerValue(response, 'x-last'), '2');
    t.equal(response.body.toString(), 'é', 'and bodies as UTF-8');
  });

  for (const form of FORMS) {
    test(`a body as ${form} arrives`, async (t, kit) => {
      const wire = await kit.open();
      for (const round of [1, 2]) {
        wire.write(`GET /form/${form}?id=${kit.id()} HTTP/1.1\r\nHost: a\r\n\r\n`);
        const response = await wire.response();
        t.equal(
          `${response.status} ${response.body} ${response.isComplete}`,
          '200 one two three true',
          `round ${round}`,
        );
      }
      wire.destroy();
    });
  }

  test('bodies that need not be waited for have a Content-Length', async (t, kit) => {
    for (const form of [
      'array',
      'array-of-one',
      'array-of-bytes',
      'generator',
      'set',
      'empty-chunks',
      'object-with-close',
      'wsgi-response',
      'promise',
    ]) {
      const response = await kit.get(`/form/${form}`);
      t.equal(headerValue(response, 'content-length'), '13', form);
    }
  });

  test('empty chunks do not end a chunked body', async (t, kit) => {
    const response = await kit.get('/form/empty-chunks-between-waits');
    t.equal(response.framing, 'chunked');
    t.equal(response.body.toString(), 'one two three');
  });

  test('text of many bytes a character has its length in bytes', async (t, kit) => {
    const response = await kit.get('/whole-of?text=multibyte');
    t.equal(response.body.toString() === 'é€😀'.repeat(20_000), true);
    t.equal(headerValue(response, 'content-length'), String(9 * 20_000));
    for (const [name, text] of [
      ['surrogate', 'a\ufffdb'],
      ['long-surrogates', '\ufffd'.repeat(50_000)],
    ] as const) {
      const wire = await kit.open();
      wire.write(
        `GET /whole-of?text=${name} HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n`,
      );
      const { body } = await wire.response();
      // uWebSockets.js encodes short text itself, and lets a surrogate through: docs/compatibility.md.
      const expected =
        gateway === 'uws' && name === 'surrogate' ? Buffer.from('61eda08062', 'hex') : Buffer.from(text);
      t.ok(body.equals(expected), `${name}: a lone surrogate leaves as U+FFFD`);
      t.equal((await wire.response()).body.toString(), 'ok');
      wire.destroy();
    }
  });

  for (const [name, expected] of Object.entries(BAD)) {
    test(`an application that ${name.replaceAll('-', ' ')}: ${expected}`, async (t, kit) => {
      const id = kit.id();
      const wire = await kit.open();
      wire.write(`GET /bad/${name}?id=${id} HTTP/1.1\r\nHost: a\r\n\r\n`);
      if (expected === 'cut') await wire.closed();
      const response = await wire.response();
      assertNotSplit(t, response);
      t.equal(response.body.includes('secret'), false, 'the text of the error is not shown');
      if (expected === 'cut') {
        t.equal(response.status, 200);
        t.equal(response.isComplete, false, 'the client can tell that it is not whole');
        t.equal(response.body.toString(), 'first', 'what was given before has come');
        t.equal(wire.received.length, 0);
        return;
      }
      t.equal(String(response.status), expected);
      t.equal(response.isComplete && response.framing === 'length', true, 'it is whole');
      wire.write('GET /hello HTTP/1.1\r\nHost: a\r\n\r\n');
      t.equal((await wire.response()).body.toString(), 'ok', 'the connection stays usable');
      wire.destroy();
    });
  }

  test('startResponse with an error replaces status and headers that were not sent', async (t, kit) => {
    const response = await kit.get('/bad/starts-again-with-an-error');
    t.equal(`${response.status} ${response.reason} ${response.body}`, '503 Service Unavailable replaced');
    t.equal(headerValue(response, 'x-second'), 'yes');
    t.equal(headerValue(response, 'x-first'), undefined);
  });

  test('startResponse with an error after sending throws that error', async (t, kit) => {
    const id = kit.id();
    const response = await kit.get(`/bad/starts-again-with-an-error-after-sending?id=${id}`);
    t.equal(response.isComplete, false);
    await kit.note(id, 'too late');
  });

  test('a refused second startResponse leaves no mixture', async (t, kit) => {
    const response = await kit.get('/bad/starts-again-badly-with-an-error');
    t.ok(
      response.status === 500 ||
        (response.status === 200 &&
          headerValue(response, 'x-first') === 'yes' &&
          response.body.toString() === 'which'),
      `${response.status}`,
    );
  });

  test('startResponse after the response throws ERR_CONTRACT_LATE', async (t, kit) => {
    const id = kit.id();
    const response = await kit.get(`/bad/starts-after-the-body?id=${id}`);
    t.equal(`${response.status} ${response.body}`, '200 in time');
    await kit.note(id, 'ERR_CONTRACT_LATE');
  });

  for (const name of [
    'changes-a-header-after-start',
    'adds-a-header-after-start',
    'pairs-with-changing-values',
  ]) {
    test(`an application that ${name.replaceAll('-', ' ')} cannot split the response`, async (t, kit) => {
      const wire = await kit.open();
      wire.write(`GET /bad/${name} HTTP/1.1\r\nHost: a\r\n\r\n`);
      const response = await wire.response();
      assertNotSplit(t, response);
      t.equal(wire.received.length, 0);
      wire.destroy();
    });
  }

  for (const [name, { notes, outcome }] of Object.entries(CLOSING)) {
    test(`a body is finished once: ${name.replaceAll('-', ' ')}`, async (t, kit) => {
      const id = kit.id();
      t.equal(
        await kit.outcome(`GET /closing/${name}?id=${id} HTTP/1.1\r\nHost: a\r\n\r\n`, outcome),
        outcome,
      );
      await kit.note(id, notes[0] as string);
      t.strictSame(finishing(await kit.notes(id)), notes);
    });
    test(`a body is finished once, for HEAD: ${name.replaceAll('-', ' ')}`, async (t, kit) => {
      const id = kit.id();
      const wire = await kit.open();
      wire.write(`HEAD /closing/${name}?id=${id} HTTP/1.1\r\nHost: a\r\n\r\n`);
      const response = await wire.response({ method: 'HEAD' });
      t.equal(response.body.length, 0);
      if (!/^(async-)?generator/.test(name)) await kit.note(id, notes[0] as string);
      t.ok(finishing(await kit.notes(id)).length <= 1);
      wire.write('GET /hello HTTP/1.1\r\nHost: a\r\n\r\n');
      t.equal((await wire.response()).body.toString(), 'ok', 'the connection stays usable');
      wire.destroy();
    });
  }

  for (const status of [204, 205, 304]) {
    for (const form of ['one', 'two', 'none', 'generator']) {
      test(`${status} sends no body: ${form}`, async (t, kit) => {
        for (const length of ['', '&length=4']) {
          const wire = await kit.open();
          wire.write(
            `GET /status/${status}?form=${form}${length} HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n`,
          );
          const response = await wire.response();
          t.equal(response.status, status);
          t.equal(response.body.length, 0);
          t.strictSame(headerValues(response, 'transfer-encoding'), []);
          t.strictSame(headerValues(response, 'content-length'), status === 205 ? ['0'] : []);
          t.equal((await wire.response()).body.toString(), 'ok', 'the next response follows');
          wire.destroy();
        }
      });
    }
    test(`${status} sends nothing of what is written or yielded later`, async (t, kit) => {
      t.equal(
        await kit.outcome(`GET /status-later/${status} HTTP/1.1\r\nHost: a\r\n\r\n`, `${status} open`),
        `${status} open`,
      );
    });
  }

  for (const path of [
    '/hello',
    '/form/array-of-one',
    '/form/array',
    '/form/generator',
    '/form/empty-chunks',
    '/form/wsgi-response',
    '/status/200',
    '/status/404',
    '/bad/throws',
    '/headers',
    '/form/object-with-close',
    '/stream/whole?bytes=200000',
    '/nothing',
    '/form/promise',
  ]) {
    test(`HEAD ${path} has the head of GET, and no body`, async (t, kit) => {
      const wire = await kit.open();
      wire.write(`HEAD ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      const head = await wire.response({ method: 'HEAD' });
      wire.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      const get = await wire.response();
      t.equal(head.status, get.status);
      const withoutVarying = (response: WireResponse) =>
        response.headers
          .filter(([name]) => !/^(date|transfer-encoding)$/i.test(name))
          .map(([name, value]) => `${name.toLowerCase()}: ${value}`)
          .sort();
      t.strictSame(withoutVarying(head), withoutVarying(get));
      wire.destroy();
    });
  }

  test('HEAD of a stream has no length and no body', async (t, kit) => {
    for (const form of [
      'async-generator',
      'write-with-waits',
      'readable',
      'started-late-by-the-body',
      'write-then-generator',
    ]) {
      const wire = await kit.open();
      wire.write(`HEAD /form/${form} HTTP/1.1\r\nHost: a\r\n\r\n`);
      const head = await wire.response({ method: 'HEAD' });
      t.equal(head.status, 200, form);
      t.equal(headerValue(head, 'content-length'), undefined, form);
      wire.write('GET /hello HTTP/1.1\r\nHost: a\r\n\r\n');
      t.equal((await wire.response()).body.toString(), 'ok', form);
      wire.destroy();
    }
  });

  test('`Connection: close` ends the connection behind an answer without a body too', async (t, kit) => {
    for (const path of [
      '/hello',
      '/form/promise',
      '/form/async-generator',
      '/stream/known-length?bytes=100000',
    ]) {
      for (const method of ['HEAD', 'GET']) {
        const wire = await kit.open();
        wire.write(`${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
        t.equal((await wire.response({ method })).status, 200, `${method} ${path}`);
        await wire.closed();
        t.equal(wire.received.length, 0, 'and nothing behind the head');
      }
    }
  });

  test('HEAD of a stream of stated length has that length', async (t, kit) => {
    const wire = await kit.open();
    wire.write('HEAD /stream/known-length?bytes=100000 HTTP/1.1\r\nHost: a\r\n\r\n');
    t.equal(headerValue(await wire.response({ method: 'HEAD' }), 'content-length'), '100000');
    wire.destroy();
  });

  const LENGTHS: readonly {
    readonly fact: string;
    readonly length: number;
    readonly chunks: readonly string[];
    readonly expect: string;
    readonly body: string;
  }[] = [
    { fact: 'right', length: 10, chunks: ['hello', 'world'], expect: '200', body: 'helloworld' },
    { fact: 'too large', length: 11, chunks: ['hello', 'world'], expect: '200(cut)', body: 'helloworld' },
    {
      fact: 'too small by the second chunk',
      length: 7,
      chunks: ['hello', 'world'],
      expect: '200(cut)',
      body: 'hello',
    },
    { fact: 'too small by the first chunk', length: 3, chunks: ['hello', 'world'], expect: '500', body: '' },
    {
      fact: 'reached before the last chunk',
      length: 5,
      chunks: ['hello', 'world'],
      expect: '200',
      body: 'hello',
    },
  ];
  for (const { fact, length, chunks, expect, body } of LENGTHS) {
    for (const how of ['generator', 'write']) {
      test(`a streamed body whose stated length is ${fact}, by ${how}: ${expect}`, async (t, kit) => {
        const wire = await kit.open();
        wire.write(`GET /sized/${how}?length=${length}&chunks=${chunks} HTTP/1.1\r\nHost: a\r\n\r\n`);
        const response = await wire.response();
        t.equal(`${response.status}${response.isComplete ? '' : '(cut)'}`, expect);
        if (expect !== '500') t.equal(response.body.toString(), body);
        if (response.isComplete) {
          wire.write('GET /hello HTTP/1.1\r\nHost: a\r\n\r\n');
          t.equal((await wire.response()).body.toString(), 'ok');
        } else {
          await wire.closed();
          t.equal(wire.received.length, 0);
        }
        wire.destroy();
      });
    }
  }

  test('an application that never answers: 504, and what it answers later is ignored and closed', async (t, kit) => {
    await kit.serving('every', { requestTimeoutMs: 100 }, async ({ address }) => {
      for (const [app, notes] of [
        ['late-answer', ['called', 'ERR_CONTRACT_LATE', 'close']],
        ['late-response', ['called', 'signal undefined', 'close']],
      ] as const) {
        const id = kit.id();
        const wire = await kit.open(address);
        wire.write(`GET /${app}?id=${id} HTTP/1.1\r\nHost: a\r\n\r\n`);
        const response = await wire.response();
        t.equal(response.status, 504, app);
        await kit.call('openGate', { id });
        await kit.note(id, 'close');
        const seen = (await kit.notes(id)).map((note) => note.replace(/^signal .*/, 'signal undefined'));
        t.strictSame(seen, notes);
        wire.write('GET /hello HTTP/1.1\r\nHost: a\r\n\r\n');
        t.equal((await wire.response()).body.toString(), 'ok', 'the connection stays usable');
        wire.destroy();
      }
    });
  });

  test('a 504 does not wait longer than it says', async (t, kit) => {
    await kit.serving('every', { requestTimeoutMs: 200 }, async ({ address }) => {
      const began = performance.now();
      t.equal((await kit.get(`/never?id=${kit.id()}`, '', address)).status, 504);
      const tookMs = performance.now() - began;
      t.ok(tookMs >= 150 && tookMs < 600, `${tookMs} ms`);
    });
  });

  test('a response that makes no progress is cut', async (t, kit) => {
    await kit.serving('every', { stallTimeoutMs: 100 }, async ({ address }) => {
      const id = kit.id();
      const wire = await kit.open(address);
      wire.write(`GET /stalls-after-a-chunk?id=${id} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await wire.closed();
      const response = await wire.response();
      t.equal(response.isComplete, false);
      t.equal(response.body.toString(), 'first');
      await kit.note(id, 'signal ERR_RESPONSE_STALLED');
      await kit.call('openGate', { id });
      await kit.note(id, 'finally');
    });
  });

  test('a response that was begun, and of which nothing comes, is 504', async (t, kit) => {
    await kit.serving('every', { stallTimeoutMs: 100 }, async ({ address }) => {
      const id = kit.id();
      t.equal((await kit.get(`/never-yields?id=${id}`, '', address)).status, 504);
      await kit.note(id, 'close');
      t.equal(finishing(await kit.notes(id)).length, 1);
    });
  });

  test('a response that moves is not cut, however long it takes', async (t, kit) => {
    await kit.serving('every', { stallTimeoutMs: 60, requestTimeoutMs: 60 }, async ({ address }) => {
      const response = await kit.get('/slow?ticks=20', '', address);
      t.equal(response.isComplete, true);
      t.equal(response.body.toString(), 'tick'.repeat(20));
    });
  });

  for (const [leaving, leave] of Object.entries(LEAVING)) {
    test(`a client that ${leaving} before the answer aborts it`, async (t, kit) => {
      const id = kit.id();
      const wire = await kit.open();
      wire.write(`GET /wait-for-abort?id=${id} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await kit.note(id, 'called');
      leave(wire as never);
      await kit.note(id, 'signal ERR_CLIENT_ABORTED');
      await kit.note(id, 'close');
      t.strictSame(await kit.notes(id), [
        'called',
        'signal ERR_CLIENT_ABORTED',
        'start ERR_CONTRACT_LATE',
        'close',
      ]);
      wire.destroy();
    });

    for (const app of ENDLESS) {
      test(`a client that ${leaving} during the answer ends it: ${app.replaceAll('-', ' ')}`, async (t, kit) => {
        const id = kit.id();
        const wire = await kit.open();
        wire.write(`GET /endless/${app}?id=${id} HTTP/1.1\r\nHost: a\r\n\r\n`);
        await wire.until(() => wire.received.length > 100, 'the beginning of the response');
        wire.socket.pause();
        leave(wire as never);
        if (leaving === 'ends its side') wire.socket.resume();
        await kit.note(id, 'signal ERR_CLIENT_ABORTED');
        await kit.note(id, 'finally');
        t.equal(finishing(await kit.notes(id)).length, 1);
        wire.destroy();
      });
    }

    test(`a client that ${leaving} while the body waits ends it when the wait ends`, async (t, kit) => {
      const id = kit.id();
      const wire = await kit.open();
      wire.write(`GET /chunk-then-gate?id=${id} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await kit.note(id, 'called');
      leave(wire as never);
      await kit.note(id, 'signal ERR_CLIENT_ABORTED');
      await kit.call('openGate', { id });
      await kit.note(id, 'finally');
      t.strictSame(finishing(await kit.notes(id)), ['finally']);
      wire.destroy();
    });

    test(`a client that ${leaving} after the answer aborts nothing`, async (t, kit) => {
      const id = kit.id();
      const wire = await kit.open();
      wire.write(`GET /whole-with-signal?id=${id} HTTP/1.1\r\nHost: a\r\n\r\n`);
      t.equal((await wire.response()).body.toString(), 'all');
      leave(wire as never);
      await kit.note(id, 'finally');
      await kit.get('/hello');
      t.strictSame(await kit.notes(id), ['finally']);
      wire.destroy();
    });

    test(`a client that ${leaving} during an upload aborts it`, async (t, kit) => {
      const id = kit.id();
      const wire = await kit.open();
      wire.write(
        `POST /digest?id=${id} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(1000)}`,
      );
      await kit.note(id, 'called');
      await kit.until(
        async () => (await kit.call('counter', { id })) === 1000,
        () => 'the first bytes',
      );
      leave(wire as never);
      await kit.note(id, 'error ERR_CLIENT_ABORTED');
      t.strictSame(await kit.notes(id), ['called', 'error ERR_CLIENT_ABORTED']);
      wire.destroy();
    });
  }

  test('error responses are what Accept asks for', async (t, kit) => {
    const ask = async (path: string, accept: string) => {
      const response = await kit.get(path, accept);
      return [response.status, headerValue(response, 'content-type'), response.body.toString()] as const;
    };
    const generic = 'An exception has occurred while evaluating your request.';
    t.strictSame(await ask('/error/plain', ''), [500, 'text/plain; charset=utf-8', `${generic}\n`]);
    t.strictSame(await ask('/error/plain', 'Accept: */*\r\n'), [
      500,
      'text/plain; charset=utf-8',
      `${generic}\n`,
    ]);
    t.strictSame(await ask('/error/plain', 'Accept: image/png\r\n'), [
      500,
      'text/plain; charset=utf-8',
      `${generic}\n`,
    ]);
    const html = await ask('/error/plain', 'Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n');
    t.strictSame(html.slice(0, 2), [500, 'text/html; charset=utf-8']);
    t.match(html[2], /<h1>500 Internal Server Error<\/h1>/);
    const json = await ask('/error/plain', 'Accept: application/json\r\n');
    t.strictSame(
      [json[0], json[1], JSON.parse(json[2])],
      [500, 'application/json', { status: 500, message: generic }],
    );
    const quality = await ask('/error/plain', 'Accept: text/html;q=0.5, application/json;q=0.9\r\n');
    t.equal(quality[1], 'application/json');
    t.match((await ask('/error/forbidden', 'Accept: text/html\r\n'))[2], 'this &lt;may&gt; be shown');
    t.strictSame(await ask('/error/forbidden', ''), [
      403,
      'text/plain; charset=utf-8',
      'this <may> be shown\n',
    ]);
    for (const [, , text] of [html, json, quality]) t.notMatch(text, /secret|at .*\.m?[jt]s/);
  });

  test('a redirect is an error without a body', async (t, kit) => {
    const response = await kit.get('/error/redirect');
    t.strictSame(
      [response.status, headerValue(response, 'location'), response.body.length],
      [302, '/hello', 0],
    );
  });

  test('stacks are shown in debug only', async (t, kit) => {
    await kit.serving('every', { debug: true }, async ({ address }) => {
      for (const accept of ['', 'Accept: text/html\r\n', 'Accept: application/json\r\n']) {
        const response = await kit.get('/error/plain', accept, address);
        t.equal(response.status, 500);
        t.match(response.body.toString(), /secret text of GET/);
        t.match(response.body.toString(), /conformance-apps\.mjs/);
      }
      t.notMatch((await kit.get('/error/forbidden', '', address)).body.toString(), /conformance-apps/);
    });
  });

  test('a handler of middleware answers as an application does', async (t, kit) => {
    await kit.serving('handler', {}, async ({ address }) => {
      t.equal((await kit.get('/hello', '', address)).body.toString(), 'ok');
      const error = await kit.get('/bad/throws', '', address);
      t.strictSame([error.status, headerValue(error, 'x-response-middleware')], [500, 'ran']);
      t.equal((await kit.get('/bad/rejects-later', '', address)).status, 500);
      t.equal((await kit.get('/form/wsgi-response', '', address)).body.toString(), 'one two three');
      t.equal((await kit.get('/bad/throws-after-start', '', address)).status, 500);
      t.equal((await kit.get('/path/%zz', '', address)).status, 400);
    });
    await kit.serving('nothing-handles', {}, async ({ address }) => {
      t.equal((await kit.get('/hello', '', address)).status, 404);
    });
  });

  test('errors are logged with a request id, and client mistakes are not', async (t, kit) => {
    const before = kit.stderr.length;
    await kit.get('/bad/throws');
    await kit.get('/error/forbidden');
    await kit.until(
      () => kit.stderr.slice(before).includes('secret text'),
      () => 'the log line',
    );
    t.match(kit.stderr.slice(before), /error vela\.wsgi \[[\w-]+\] GET \/bad\/throws 500 .*secret text/);
    t.notMatch(kit.stderr.slice(before), /may/);
  });

  test('clients that go away are not logged as errors', async (t, kit) => {
    const before = kit.stderr.length;
    const id = kit.id();
    const wire = await kit.open();
    wire.write(`GET /endless/async-generator?id=${id} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await wire.until(() => wire.received.length > 0, 'the beginning');
    wire.destroy();
    await kit.note(id, 'finally');
    t.equal(kit.stderr.slice(before), '');
  });

  test('many streams at once keep apart', async (t, kit) => {
    const responses = await Promise.all(
      Array.from({ length: 50 }, (_, i) => kit.get(`/slow?ticks=10&text=${i}-`)),
    );
    for (const [i, response] of responses.entries()) t.equal(response.body.toString(), `${i}-`.repeat(10));
  });

  test(`an answer at once and one later on one connection: ${gateway}`, async (t, kit) => {
    const wire = await kit.open();
    for (const path of [
      '/hello',
      '/form/async-generator',
      '/bad/throws',
      '/form/write-with-waits',
      '/status/204',
      '/hello',
      '/form/readable',
      '/status/304',
      '/stream/known-length?bytes=100000',
      '/hello',
    ]) {
      wire.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      const response = await wire.response();
      t.ok(response.isComplete, path);
    }
    t.equal(wire.received.length, 0);
    wire.destroy();
  });
});
