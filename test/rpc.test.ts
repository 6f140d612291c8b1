/** JSON-RPC on the server: the specification's examples, methods and their types, HTTP, batches, connections, hostile messages. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import * as metaOfSchemas from '@json-schema-tools/meta-schema';
import * as metaOfDocuments from '@open-rpc/meta-schema';
import Ajv from 'ajv';
import fc from 'fast-check';
import jayson from 'jayson';
import { JSONRPCClient } from 'json-rpc-2.0';
import t, { type Test } from 'tap';
import { z } from 'zod';
import { Http404, PermissionDenied, serve, WsgiHandler, WsgiResponse } from '../src/index.js';
import { bodyLimit, createMemoryStore, mount, session } from '../src/middleware/index.js';
import {
  JSON_RPC_CODES,
  JsonRpcError,
  JsonRpcHandler,
  type JsonRpcHandlerOptions,
  openrpc,
  serverCommands,
} from '../src/rpc/index.js';
import { client, recorder } from './support/ask.js';

const unhandled: unknown[] = [];
process.on('unhandledRejection', (error) => unhandled.push(error));
process.on('uncaughtException', (error) => unhandled.push(error));

const call = (method: string, params?: unknown, id: unknown = 1) => ({ jsonrpc: '2.0', method, params, id });
const notification = (method: string, params?: unknown) => ({ jsonrpc: '2.0', method, params });
const send = async (rpc: JsonRpcHandler<unknown>, message: unknown) => {
  const text = await rpc.dispatch(typeof message === 'string' ? message : JSON.stringify(message));
  return text === undefined ? undefined : JSON.parse(text);
};
const codeOf = async (rpc: JsonRpcHandler<unknown>, message: unknown) =>
  (await send(rpc, message))?.error?.code;
const JSON_TYPE = { 'content-type': 'application/json' };

/** The server that the specification's examples speak of. */
const specification = () =>
  new JsonRpcHandler()
    .method(
      'subtract',
      {
        params: [
          ['minuend', 'number'],
          ['subtrahend', 'number'],
        ],
      },
      (_call, minuend, subtrahend) => minuend - subtrahend,
    )
    .method('update', { params: [['...values', 'number']] }, () => undefined)
    .method('sum', { params: [['...terms', 'number']] }, (_call, ...terms) =>
      terms.reduce((sum, term) => sum + term, 0),
    )
    .method('notify_sum', { params: [['...terms', 'number']] }, () => undefined)
    .method('notify_hello', { params: [['times', 'number']] }, () => undefined)
    .method('get_data', async () => ['hello', 5]);

/** JSON-RPC 2.0 §7, as it stands there but for spaces. */
const EXAMPLES: [what: string, message: string, answer: string | undefined][] = [
  [
    'positional parameters',
    '{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}',
    '{"jsonrpc": "2.0", "result": 19, "id": 1}',
  ],
  [
    'positional parameters, the other way round',
    '{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}',
    '{"jsonrpc": "2.0", "result": -19, "id": 2}',
  ],
  [
    'named parameters',
    '{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}',
    '{"jsonrpc": "2.0", "result": 19, "id": 3}',
  ],
  [
    'named parameters in another order',
    '{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4}',
    '{"jsonrpc": "2.0", "result": 19, "id": 4}',
  ],
  ['a notification', '{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}', undefined],
  ['a notification of no method', '{"jsonrpc": "2.0", "method": "foobar"}', undefined],
  [
    'a method that is not there',
    '{"jsonrpc": "2.0", "method": "foobar", "id": "1"}',
    '{"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": "1"}',
  ],
  [
    'no JSON',
    '{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]',
    '{"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": null}',
  ],
  [
    'no call',
    '{"jsonrpc": "2.0", "method": 1, "params": "bar"}',
    '{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null}',
  ],
  [
    'a batch that is no JSON',
    '[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"}, {"jsonrpc": "2.0", "method"]',
    '{"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": null}',
  ],
  [
    'an empty batch',
    '[]',
    '{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null}',
  ],
  [
    'a batch of something else',
    '[1]',
    '[{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null}]',
  ],
  [
    'a batch of several things',
    '[1,2,3]',
    `[${Array(3).fill('{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null}').join(',')}]`,
  ],
  [
    'a batch',
    `[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
      {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
      {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
      {"foo": "boo"},
      {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
      {"jsonrpc": "2.0", "method": "get_data", "id": "9"}]`,
    `[{"jsonrpc": "2.0", "result": 7, "id": "1"},
      {"jsonrpc": "2.0", "result": 19, "id": "2"},
      {"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null},
      {"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": "5"},
      {"jsonrpc": "2.0", "result": ["hello", 5], "id": "9"}]`,
  ],
  [
    'a batch of notifications',
    `[{"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},
      {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}]`,
    undefined,
  ],
];

t.test("the specification's examples, byte for byte", async (t) => {
  const rpc = specification();
  const http = client(t, rpc);
  for (const [what, message, answer] of EXAMPLES) {
    const wanted = answer === undefined ? undefined : JSON.stringify(JSON.parse(answer));
    t.equal(await rpc.dispatch(message), wanted, what);
    t.equal(await rpc.dispatch(Buffer.from(message)), wanted, `${what}, as bytes`);
    const response = await http.post('/', { body: message, headers: JSON_TYPE });
    t.equal(response.status, answer === undefined ? 204 : 200, `${what}, over HTTP`);
    t.equal(await response.text(), wanted ?? '');
    if (answer !== undefined) t.equal(response.header('content-type'), 'application/json');
  }
});

t.test('parameters by kind: number, order, names', async (t) => {
  const rpc = new JsonRpcHandler()
    .method(
      'make',
      {
        params: [
          ['name', 'string'],
          ['size', 'integer?'],
          ['options', 'object?'],
        ],
      },
      (_call, name, size, options) => {
        const text: string = name;
        const count: number | undefined = size;
        const more: Readonly<Record<string, unknown>> | undefined = options;
        return [text, count ?? null, more ?? null];
      },
    )
    .method('log', { params: ['level', ['...lines', 'string']] }, (_call, level, ...lines) => {
      const texts: string[] = lines;
      // @ts-expect-error what has no kind is unknown
      level.toFixed;
      return [level, texts.length];
    })
    .method('none', () => 'none');

  t.same((await send(rpc, call('make', ['a']))).result, ['a', null, null]);
  t.same((await send(rpc, call('make', ['a', 3, { b: 1 }]))).result, ['a', 3, { b: 1 }]);
  t.same((await send(rpc, call('make', { options: {}, name: 'a' }))).result, ['a', null, {}]);
  t.same((await send(rpc, call('log', [1, 'x', 'y']))).result, [1, 2]);
  t.same((await send(rpc, call('log', { level: 1, lines: ['x'] }))).result, [1, 1]);
  t.same((await send(rpc, call('log', { level: 1 }))).result, [1, 0]);
  for (const params of [undefined, [], {}]) t.equal((await send(rpc, call('none', params))).result, 'none');

  const signature = 'make(name: string, size?: integer, options?: object)';
  for (const [method, params, text] of [
    ['make', undefined, `${signature} needs "name", which is missing`],
    ['make', [], `${signature} needs "name", which is missing`],
    ['make', { size: 1 }, `${signature} needs "name", which is missing`],
    ['make', ['a', 1, {}, 4], `${signature} takes no more than 3; received 4`],
    ['make', [1], `"name" of ${signature} must be a string; received 1`],
    ['make', ['a', 1.5], `"size" of ${signature} must be a whole number; received 1.5`],
    ['make', ['a', 2 ** 53], `"size" of ${signature} must be a whole number; received 9007199254740992`],
    ['make', ['a', null], `"size" of ${signature} must be a whole number; received null`],
    ['make', ['a', 1, []], `"options" of ${signature} must be an object; received an array of 0`],
    ['make', { name: 'a', sise: 1 }, `${signature} has no parameter "sise" (did you mean "size"?)`],
    ['make', { name: 'a', toString: 1 }, `${signature} has no parameter "toString"`],
    ['log', [1, 'x', 2], 'each of "lines" of log(level: any, ...lines: string) must be a string; received 2'],
    [
      'log',
      { level: 1, lines: 'x' },
      '"lines" of log(level: any, ...lines: string) must be an array by name; received "x"',
    ],
    ['none', [1], 'none() takes no parameters; received 1'],
    ['none', { a: 1 }, 'none() has no parameter "a"'],
  ] as const) {
    const { error } = await send(rpc, call(method, params));
    t.same(error, { code: -32602, message: `Invalid params: ${text}` });
  }
  t.equal(await codeOf(rpc, '{"jsonrpc":"2.0","method":"make","params":["a",1e999],"id":1}'), -32602);
});

t.test('parameters and results by Standard Schema', async (t) => {
  const Money = z.object({ amount: z.number().positive(), currency: z.string().default('EUR') });
  const rpc = new JsonRpcHandler()
    .method(
      'pay',
      {
        params: [
          ['to', z.string().trim()],
          ['money', Money],
          ['on', z.coerce.date().optional()],
          ['...notes', z.string().max(3)],
        ],
        result: z.object({ receipt: z.string() }),
      },
      (_call, to, money, on, ...notes) => {
        const currency: string = money.currency;
        const day: Date | undefined = on;
        return {
          receipt: `${to} ${money.amount} ${currency} ${day?.getUTCFullYear()} ${notes.length}`,
          secret: 1,
        };
      },
    )
    .method(
      'find',
      { params: z.object({ name: z.string(), page: z.number().default(1) }) },
      (_call, { name, page }) => [name, page],
    )
    .method(
      'later',
      {
        params: z
          .string()
          .array()
          .refine(async (list) => list.length < 3, 'too many'),
      },
      async (_call, list) => list.length,
    )
    .method('wrong', { result: z.object({ a: z.number() }) }, () => ({ a: 'x' }) as never)
    .method(
      'slow',
      { params: [['n', z.number().refine(async (n) => n > 0)]], result: z.promise(z.number()) as never },
      (_call, n) => n as never,
    );

  t.same((await send(rpc, call('pay', [' Ann ', { amount: 3 }, '1815-12-10', 'a', 'b']))).result, {
    receipt: 'Ann 3 EUR 1815 2',
  });
  t.same((await send(rpc, call('pay', { to: 'Ann', money: { amount: 3 } }))).result, {
    receipt: 'Ann 3 EUR undefined 0',
  });
  const { error } = await send(rpc, call('pay', ['a', { amount: -1 }, undefined, 'long one']));
  t.equal(error.code, -32602);
  t.match(error.message, /^Invalid params: \/money\/amount: .*, and \d more$/);
  t.same(
    error.data.details.map(({ path }: { path: string }) => path),
    ['/money/amount', '/on', '/notes/0'].filter((path) =>
      error.data.details.some((one: { path: string }) => one.path === path),
    ),
  );
  t.same((await send(rpc, call('find', { name: 'a' }))).result, ['a', 1]);
  t.equal(await codeOf(rpc, call('find', ['a'])), -32602);
  t.equal(await codeOf(rpc, call('find')), -32602);
  t.equal((await send(rpc, call('later', ['a', 'b']))).result, 2);
  t.match((await send(rpc, call('later', ['a', 'b', 'c']))).error, {
    code: -32602,
    message: 'Invalid params: too many',
  });
  t.equal(await codeOf(rpc, call('slow', [0])), -32602);

  const logger = recorder();
  const text = await rpc.dispatch(JSON.stringify(call('wrong')), { logger });
  t.same(JSON.parse(text as string).error, { code: -32603, message: 'Internal error' });
  t.match(logger.lines, [
    { level: 'error', details: { err: { code: 'ERR_RPC_RESULT' } }, message: /"wrong" failed.*\/a: / },
  ]);
});

t.test('only what is registered can be called', async (t) => {
  const rpc = specification();
  for (const name of [
    ...[
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      'valueOf',
      'prototype',
      '',
      ' ',
      'sum ',
      'SUM',
    ],
    ...[
      'rpc.discover',
      'rpc.sum',
      'method',
      'dispatch',
      'sum.call',
      'sum.',
      '.sum',
      '..',
      'a'.repeat(100_000),
    ],
  ])
    t.equal(await codeOf(rpc, call(name)), -32601, name.slice(0, 20));

  const calc = new JsonRpcHandler().method('add', { params: ['...n'] }, (_call, ...n) => n.length);
  const deep = new JsonRpcHandler().mount('calc', calc);
  rpc.mount('maths', deep).mount(new JsonRpcHandler().method('beside', () => 1));
  t.equal((await send(rpc, call('maths.calc.add', [1, 2]))).result, 2, 'prefixes nest');
  t.equal((await send(rpc, call('beside'))).result, 1);
  t.equal(await codeOf(rpc, call('calc.add')), -32601);
  calc.method('late', () => 'late');
  t.equal((await send(rpc, call('maths.calc.late'))).result, 'late', 'what is added later is there too');
});

t.test('mistakes are told when they are made', async (t) => {
  const rpc = new JsonRpcHandler()
    .method('a', () => 1)
    .mount(
      'b',
      new JsonRpcHandler().method('c', () => 1),
    );
  const any = rpc as never as {
    method(...given: unknown[]): unknown;
    mount(...given: unknown[]): unknown;
    use(...given: unknown[]): unknown;
  };
  const fn = () => 1;
  for (const [attempt, text] of [
    [() => any.method('a', fn), /a method "a" already/],
    [() => any.method('b.c', fn), /two methods "b\.c"/],
    [() => any.mount('b', new JsonRpcHandler().method('c', fn)), /two methods "b\.c"/],
    [() => any.method('rpc.x', fn), /"rpc\." are the protocol's/],
    [() => any.method('__proto__', fn), /cannot be named/],
    [() => any.method('a b', fn), /name without spaces/],
    [() => any.method('', fn), /received ""/],
    [() => any.method(5, fn), /received 5/],
    [() => any.method('x'), /takes a name, perhaps options, and a function.*received undefined for "x"/],
    [() => any.method('x', { parms: [] }, fn), /has no option "parms" \(did you mean "params"\?\)/],
    [() => any.method('x', { params: 5 }, fn), /"params" of "x" must be a list/],
    [() => any.method('x', { params: [5] }, fn), /names or as pairs/],
    [() => any.method('x', { params: [['a']] }, fn), /names or as pairs|must be 'any'/],
    [
      () => any.method('x', { params: [['a', 'text']] }, fn),
      /"a" of "x" must be 'any', 'array'.*received "text"/,
    ],
    [() => any.method('x', { params: ['a', 'a'] }, fn), /two parameters "a"/],
    [() => any.method('x', { params: ['...a', 'b'] }, fn), /must be the last one/],
    [() => any.method('x', { params: [['...a', 'any?']] }, fn), /takes no \?/],
    [() => any.method('x', { params: [['a', 'any?'], 'b'] }, fn), /stands behind one that may be left out/],
    [() => any.method('x', { result: 5 }, fn), /"result" must be a Standard Schema/],
    [() => any.method('x', { timeoutMs: 0 }, fn), /"timeoutMs" of the method "x" must be/],
    [() => any.method('x', { tags: 'a' }, fn), /"tags" of "x"/],
    [() => any.method('x', { summary: 5 }, fn), /"summary" of "x"/],
    [
      () => any.method('x', (_call: unknown, _a: unknown) => 1),
      /takes parameters, which the method does not name/,
    ],
    [() => any.mount('x', {}), /takes a JsonRpcHandler/],
    [() => any.mount('x.', new JsonRpcHandler()), /adds the dot itself: give "x"; received "x\."/],
    [() => any.mount(rpc), /mounted in itself/],
    [
      () =>
        new JsonRpcHandler().mount(rpc).mount('x', new JsonRpcHandler().mount('y', rpc)) &&
        rpc.mount('z', new JsonRpcHandler().mount(rpc)),
      /itself/,
    ],
    [() => any.use(5), /use\(\) takes a function/],
    [
      () => new JsonRpcHandler({ maxBachCalls: 5 } as never),
      /no option "maxBachCalls" \(did you mean "maxBatchCalls"\?\)/,
    ],
    [() => new JsonRpcHandler({ maxDepth: 1001 }), /"maxDepth".*from 1 to 1000/],
    [() => new JsonRpcHandler({ errorStatus: 500 } as never), /"errorStatus"/],
    [() => new JsonRpcHandler({ discover: {} } as never), /"discover" of JsonRpcHandler must be \{ title/],
    [() => new JsonRpcHandler({ headers: [':'] }), /"headers"/],
    [() => new JsonRpcError(1.5, 'x'), /whole number as its code/],
    [() => new JsonRpcError('x' as never, 'x'), /whole number as its code/],
    [() => rpc.connect({ maxWaitingCalls: -1 }), /"maxWaitingCalls" of connect/],
  ] as const)
    t.throws(attempt, { name: 'TypeError', message: text }, String(text));
  t.same(
    rpc.listMethods().map(({ name }) => name),
    ['a', 'b.c'],
    'a refused method leaves nothing behind',
  );
});

t.test('errors: told, or kept back and logged', async (t) => {
  const rpc = new JsonRpcHandler()
    .method('own', () => {
      throw new JsonRpcError(7, 'no money', { balance: 5 });
    })
    .method('http', async () => {
      throw new Http404('no such user');
    })
    .method('denied', () => {
      throw new PermissionDenied('not you', { details: [{ path: '/a', message: 'no' }] });
    })
    .method('secret', () => {
      throw new Error('the password is 1234');
    })
    .method('text', () => Promise.reject('just text'))
    .method('data', () => {
      throw new JsonRpcError(8, 'x', { big: 1n });
    })
    .method('bigint', () => 1n)
    .method('cycle', () => {
      const one: Record<string, unknown> = {};
      one.self = one;
      return one;
    })
    .method('map', async () => new Map())
    .method('function', () => () => 1)
    .method('nothing', () => undefined)
    .method('nan', () => [Number.NaN, undefined]);
  const logger = recorder();
  const ask = async (method: string) => {
    const text = await rpc.dispatch(JSON.stringify(call(method)), { logger });
    const { error, result } = JSON.parse(text as string);
    return error ?? result;
  };
  const INTERNAL = { code: -32603, message: 'Internal error' };
  t.same(await ask('own'), { code: 7, message: 'no money', data: { balance: 5 } });
  t.same(await ask('http'), { code: 404, message: 'no such user' });
  t.same(await ask('denied'), {
    code: 403,
    message: 'not you',
    data: { details: [{ path: '/a', message: 'no' }] },
  });
  t.same(
    logger.lines.map(({ level }) => level),
    ['debug', 'debug', 'debug'],
  );
  logger.lines.length = 0;
  for (const method of ['secret', 'text', 'data', 'bigint', 'cycle', 'map', 'function'])
    t.same(await ask(method), INTERNAL, method);
  t.equal(logger.lines.filter(({ level }) => level === 'error').length, 7);
  t.match(logger.lines[0], {
    message: 'The method "secret" failed: the password is 1234',
    details: { rpcMethod: 'secret', rpcId: 1 },
  });
  t.equal(await ask('nothing'), null);
  t.same(await ask('nan'), [null, null]);

  const app = client(t, rpc, { debug: true });
  const post = async (body: unknown) =>
    (await (
      await app.post('/', {
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: JSON_TYPE,
      })
    ).json()) as {
      error: { message: string; data: { stack: string[]; reason: string } };
    };
  t.match((await post(call('secret'))).error.data.stack[0], 'the password is 1234', 'in debug it is shown');
  t.match((await post('{"a":}')).error.data.reason, 'character 6, line 1');
  t.match((await post({ jsonrpc: '1.0' })).error.data.reason, '"jsonrpc" must be "2.0"');
});

t.test('the log line has the id of its request', async (t) => {
  const logger = recorder();
  const rpc = new JsonRpcHandler().method('fail', ({ request }) => {
    throw new Error(request.id);
  });
  const app = client(t, rpc, { logger });
  await app.post('/', { json: call('fail') });
  const line = logger.lines.find(({ level }) => level === 'error');
  t.match(line?.details, { requestId: /\w/ });
  t.match(line?.message, `failed: ${line?.details.requestId}`);
});

for (const gateway of ['uws', 'node'] as const) {
  t.test(`${gateway}: HTTP`, async (t) => {
    const seen: unknown[] = [];
    const rpc = new JsonRpcHandler({ limitBytes: 2000 })
      .method('echo', { params: ['value'] }, (_call, value) => value)
      .method('note', { params: ['value'] }, async (_call, value) => {
        await null;
        seen.push(value);
      })
      .method('agent', ({ request, environ }) => [request.header('user-agent'), environ.SCRIPT_NAME])
      .method('wait', async () => 'waited');
    const site = new WsgiHandler([mount('/rpc', rpc), () => new WsgiResponse({ content: 'another' })]);
    const server = await serve(site, { bind: '127.0.0.1:0', gateway, logLevel: 'silent' });
    t.teardown(() => server.close());
    const url = new URL('/rpc', server.url);
    const post = (body: string | Uint8Array, headers: Record<string, string> = JSON_TYPE) =>
      fetch(url, { method: 'POST', body, headers });
    const echo = (value: unknown) => post(JSON.stringify(call('echo', [value])));

    t.same(await (await echo({ a: ['é', '😀'] })).json(), {
      jsonrpc: '2.0',
      result: { a: ['é', '😀'] },
      id: 1,
    });
    t.match(await (await post(JSON.stringify(call('agent')), { ...JSON_TYPE, 'user-agent': 'me' })).json(), {
      result: ['me', '/rpc'],
    });
    t.match(await (await post(JSON.stringify(call('wait')))).json(), { result: 'waited' });
    const told = await post(JSON.stringify(notification('note', [5])));
    t.equal(told.status, 204);
    t.equal(await told.text(), '');
    t.same(seen, [5], 'a notification is done when it is answered');

    t.equal(await (await fetch(server.url)).text(), 'another', 'other paths pass');
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
      const refused = await fetch(url, { method });
      t.equal(refused.status, 405, method);
      t.equal(refused.headers.get('allow'), 'OPTIONS, POST');
    }
    const options = await fetch(url, { method: 'OPTIONS' });
    t.equal(options.status, 204);
    t.equal(options.headers.get('allow'), 'OPTIONS, POST');

    const body = JSON.stringify(call('wait'));
    for (const [type, status] of [
      ['application/json; charset=utf-8', 200],
      ['application/json;charset="UTF-8"', 200],
      ['APPLICATION/JSON', 200],
      ['application/json-rpc', 200],
      ['application/jsonrequest', 200],
      ['application/vnd.x+json', 200],
      ['application/json; charset=utf-16', 415],
      ['application/x-www-form-urlencoded', 415],
      ['text/plain', 415],
      ['', 415],
      ['json', 415],
    ] as const)
      t.equal((await post(new TextEncoder().encode(body), { 'content-type': type })).status, status, type);
    t.equal(
      (await post(body, { ...JSON_TYPE, 'content-encoding': 'gzip' })).status,
      200,
      'it was not compressed',
    );
    t.equal(
      (await post(Buffer.from([31, 139, 8]), { ...JSON_TYPE, 'content-encoding': 'gzip' })).status,
      415,
    );

    t.equal((await echo('x'.repeat(1900))).status, 200);
    t.equal((await echo('x'.repeat(2100))).status, 413);
    const streamed = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 30; i++) controller.enqueue(new TextEncoder().encode('x'.repeat(100)));
        controller.close();
      },
    });
    t.equal(
      (await fetch(url, { method: 'POST', body: streamed, duplex: 'half', headers: JSON_TYPE } as never))
        .status,
      413,
    );

    const parseError = { error: { code: -32700, message: 'Parse error' }, id: null };
    t.match(await (await post('')).json(), parseError, 'no body');
    t.match(await (await post(Buffer.from([0x22, 0xff, 0x22]))).json(), parseError, 'no UTF-8');
    t.match(
      await (await post(`\ufeff${body}`)).json(),
      { result: 'waited' },
      'a byte order mark is passed over',
    );
    t.match(await (await echo('\ufffd')).json(), { result: '\ufffd' });
    t.equal(
      await (await post('{"jsonrpc":"2.0","method":"echo","params":["\\ud800"],"id":"\\udc00"}')).text(),
      '{"jsonrpc":"2.0","result":"\\ud800","id":"\\udc00"}',
      'half characters come back as they are',
    );
  });
}

t.test('statuses of errors, by choice', async (t) => {
  const made = (options: JsonRpcHandlerOptions) =>
    client(
      t,
      new JsonRpcHandler(options)
        .method('own', () => {
          throw new JsonRpcError(5, 'own');
        })
        .method('fail', async () => {
          throw new Error('x');
        }),
    );
  for (const [options, statuses] of [
    [{}, [200, 200, 200, 200, 200, 200]],
    [{ errorStatus: 'draft' }, [500, 400, 404, 500, 200, 500]],
    [{ errorStatus: (code: number) => (code === 5 ? 409 : 422) }, [422, 422, 422, 422, 409, 422]],
  ] as const) {
    const app = made(options);
    const bodies = ['{', '{}', call('x'), call('own', [1]), call('own'), call('fail')];
    const got = await Promise.all(
      bodies.map(
        async (body) =>
          (
            await app.post('/', {
              body: typeof body === 'string' ? body : JSON.stringify(body),
              headers: JSON_TYPE,
            })
          ).status,
      ),
    );
    t.same(got, statuses);
    t.equal((await app.post('/', { json: [call('x')] })).status, 200, 'a batch is always 200');
  }
});

t.test('batches: in order, bounded in number and at once', async (t) => {
  let running = 0;
  let most = 0;
  const rpc = new JsonRpcHandler({ maxBatchCalls: 20, maxConcurrentCalls: 3 })
    .method('slow', { params: [['n', 'number']] }, async (_call, n) => {
      most = Math.max(most, ++running);
      for (let i = n; i < 20; i++) await null;
      running--;
      return n;
    })
    .method('fast', () => 'fast');
  const batch = Array.from({ length: 20 }, (_, n) =>
    n % 4 === 3 ? call('fast', [], n) : call('slow', [n], n),
  );
  const answers = await send(rpc, batch);
  t.same(
    answers.map(({ id }: { id: number }) => id),
    [...batch.keys()],
  );
  t.equal(most, 3);
  t.same((await send(rpc, [...batch, call('fast')])).error, {
    code: -32600,
    message: 'Invalid Request: a batch may have 20 calls; received 21',
  });
  t.match(
    await send(rpc, [call('fast', [], 'a'), call('fast', [], 'a')]),
    [{ id: 'a' }, { id: 'a' }],
    'one id twice',
  );
  t.equal(
    await rpc.dispatch(JSON.stringify([notification('slow', [1]), notification('nowhere')])),
    undefined,
  );
  t.equal(running, 0, 'notifications are done');
});

t.test('a call that takes too long is answered, and its signal aborts', async (t) => {
  let reason: unknown;
  const rpc = new JsonRpcHandler({ timeoutMs: 40 })
    .method('obeys', ({ signal }) => sleep(30_000, undefined, { signal }))
    .method('hang', async ({ signal }) => {
      await once(signal, 'abort');
      reason = signal.reason;
      throw new Error('too late to tell');
    })
    .method('never', () => new Promise(() => {}))
    .method('longer', { timeoutMs: 30_000 }, async () => 'done')
    .method('late', async ({ signal }) => {
      t.equal(signal.aborted, false);
      return 'done';
    });
  const logger = recorder();
  const ask = async (message: unknown) => {
    const text = await rpc.dispatch(JSON.stringify(message), { logger });
    return text === undefined ? undefined : JSON.parse(text);
  };
  t.same((await ask(call('hang'))).error, {
    code: JSON_RPC_CODES.timeout,
    message: 'Timeout: "hang" has not answered within 40 ms',
  });
  t.match(reason, { name: 'JsonRpcError', code: -32001 });
  t.equal(await ask(notification('never')), undefined, 'a notification is given up too');
  t.match(await ask([call('never'), call('longer')]), [{ error: { code: -32001 } }, { result: 'done' }]);
  t.equal((await ask(call('late'))).result, 'done');
  t.ok(logger.lines.some(({ level, message }) => level === 'warn' && message.startsWith('Timeout: "hang"')));
  logger.lines.length = 0;
  t.equal((await ask(call('obeys', [], 7))).error.code, JSON_RPC_CODES.timeout);
  await new Promise(setImmediate);
  t.match(
    logger.lines,
    [
      { level: 'warn', details: { rpcMethod: 'obeys', rpcId: 7 } },
      { level: 'debug', message: 'The method "obeys" failed: The operation was aborted' },
    ],
    'what it throws at its end is no second failure',
  );

  await t.rejects(
    serve(new JsonRpcHandler({ timeoutMs: 30_000 }), { bind: '127.0.0.1:0', logLevel: 'silent' }),
    {
      code: 'ERR_CONFIG_INVALID',
      message: /"timeoutMs" of JsonRpcHandler must be below/,
    },
  );
  await t.rejects(
    serve(new JsonRpcHandler({ limitBytes: 2 ** 40 }), { bind: '127.0.0.1:0', logLevel: 'silent' }),
    {
      code: 'ERR_CONFIG_INVALID',
      message: /maxBodyBytes/,
    },
  );
});

for (const gateway of ['uws', 'node'] as const) {
  t.test(`${gateway}: a client that leaves ends its calls`, async (t) => {
    const begun = deferred();
    const ended = deferred();
    const rpc = new JsonRpcHandler().method('hang', async ({ signal }) => {
      begun.resolve(undefined);
      await once(signal, 'abort');
      ended.resolve(undefined);
    });
    const server = await serve(rpc, { bind: '127.0.0.1:0', gateway, logLevel: 'silent' });
    t.teardown(() => server.close());
    const leave = new AbortController();
    const asked = fetch(server.url, {
      method: 'POST',
      body: JSON.stringify(call('hang')),
      headers: JSON_TYPE,
      signal: leave.signal,
    });
    await begun.promise;
    leave.abort();
    await t.rejects(asked);
    await ended.promise;
  });
}

function deferred() {
  let resolve: (value?: unknown) => void = () => {};
  const promise = new Promise((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

t.test('connections: messages one by one, with a bound on their calls together', async (t) => {
  const gates: (() => void)[] = [];
  let signal: AbortSignal | undefined;
  const rpc = new JsonRpcHandler()
    .method('hang', async (call) => {
      signal = call.signal;
      await new Promise<void>((resolve) => gates.push(resolve));
      return 'hung';
    })
    .method('ping', () => 'pong');
  const connection = rpc.connect({ maxConcurrentCalls: 2, maxWaitingCalls: 2 });
  const hang = (id: unknown) => connection.receive(JSON.stringify(call('hang', [], id)));
  t.equal(
    connection.receive(JSON.stringify(call('ping'))),
    '{"jsonrpc":"2.0","result":"pong","id":1}',
    'at once',
  );
  t.equal(
    connection.receive('{'),
    '{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error"},"id":null}',
  );
  const first = hang(1);
  const batch = connection.receive(JSON.stringify([call('hang', [], 2), call('ping', [], 3)]));
  const fourth = hang(4);
  t.equal(gates.length, 2);
  t.match(JSON.parse(hang(5) as string).error, { code: JSON_RPC_CODES.busy, message: /too many calls wait/ });
  t.equal(connection.receive(JSON.stringify(notification('hang'))), undefined);
  gates[0]?.();
  t.equal(await first, '{"jsonrpc":"2.0","result":"hung","id":1}');
  gates[1]?.();
  t.match(JSON.parse((await batch) as string), [{ id: 2 }, { id: 3, result: 'pong' }]);
  t.equal(gates.length, 3, 'the fourth has begun');
  const fifth = hang(5);
  const sixth = hang(6);
  connection.close();
  connection.close();
  t.match(signal?.reason, { code: 'ERR_RPC_CLOSED' });
  gates[2]?.();
  gates[3]?.();
  t.same(await Promise.all([fourth, fifth, sixth]), [undefined, undefined, undefined]);
  t.equal(gates.length, 4, 'what waited is not begun');
  t.equal(hang(7), undefined);
});

t.test('what is long in a message takes no longer than to read it', async (t) => {
  const rpc = new JsonRpcHandler().method('sum', { params: [['...terms', 'number']] }, (_call, ...terms) =>
    terms.reduce((sum, term) => sum + term, 0),
  );
  const ask = async (params: unknown) =>
    JSON.parse((await rpc.dispatch(JSON.stringify(call('sum', params)))) as string);
  const ones = (length: number) => Array.from({ length }, () => 1);
  t.match(await ask(ones(10_000)), { result: 10_000 });
  t.match(await ask({ terms: ones(10_000) }), { result: 10_000 });
  const tooMany = { error: { code: -32602, message: /takes no more than 10000; received 200000/ } };
  t.match(await ask(ones(200_000)), tooMany);
  t.match(await ask({ terms: ones(200_000) }), tooMany);
  const began = performance.now();
  t.match(await ask({ ['x'.repeat(4_000_000)]: 1 }), {
    error: { code: -32602, message: /has no parameter/ },
  });
  // Its distance from each name would take a second.
  t.ok(performance.now() - began < 500);
});

t.test('middleware runs around calls, from the outside in', async (t) => {
  const order: string[] = [];
  const inner = new JsonRpcHandler().method(
    'add',
    {
      params: [
        ['a', 'number'],
        ['b', 'number'],
      ],
    },
    ({ state }, a, b) => {
      order.push(`add for ${state.user}`);
      return a + b;
    },
  );
  inner.use(async (_call, next) => {
    order.push('inner');
    return (await next()) as number;
  });
  const rpc = new JsonRpcHandler()
    .use(async (call, next) => {
      if (call.method.endsWith('hidden'))
        throw new JsonRpcError(JSON_RPC_CODES.permissionDenied, 'not for you');
      order.push(`outer ${call.method} ${JSON.stringify(call.params)} ${call.id} ${call.isNotification}`);
      call.state.user = 'Ann';
      const result = await next();
      order.push('back');
      return typeof result === 'number' ? result * 10 : result;
    })
    .mount('calc', inner)
    .method('hidden', { params: ['a'] }, () => order.push('never'));
  t.equal((await send(rpc, call('calc.add', [1, 2]))).result, 30);
  t.same(order, ['outer calc.add [1,2] 1 false', 'inner', 'add for Ann', 'back']);
  t.equal(await codeOf(rpc, call('calc.add', ['x'])), -32602, 'parameters are checked behind it');
  t.match((await send(rpc, call('hidden', [1, 2, 3]))).error, { code: -32003, message: 'not for you' });

  const careless = new JsonRpcHandler()
    .use((_call, next) => {
      void next();
    })
    .method('fail', () => {
      throw new Error('nobody waits for it');
    });
  t.equal((await send(careless, call('fail'))).result, null, 'an error that nobody awaits ends no process');
});

t.test('sessions, mounts and limits before it', async (t) => {
  const sessions = session({ store: createMemoryStore(), secure: false });
  const rpc = new JsonRpcHandler().method('count', async (call) => {
    const found = await call.session;
    const count = Number(found.get('count') ?? 0) + 1;
    found.set('count', count);
    return count;
  });
  const site = new WsgiHandler([bodyLimit({ limitBytes: 100 }), sessions, mount('/api/rpc', rpc)], {
    responseMiddleware: [sessions.save],
  });
  const app = client(t, site);
  t.match(await (await app.post('/api/rpc', { json: call('count') })).json(), { result: 1 });
  t.match(await (await app.post('/api/rpc', { json: call('count') })).json(), { result: 2 });
  t.equal((await app.post('/api/rpc', { json: call('count', ['x'.repeat(100)]) })).status, 413);
  t.match(
    await rpc.dispatch(JSON.stringify(call('count')), { logger: recorder() }),
    '-32603',
    'there is no request here',
  );
});

t.test('OpenRPC, valid by its own schema', async (t) => {
  const Pet = z
    .object({
      name: z.string(),
      get friends() {
        return z.array(Pet).optional();
      },
    })
    .meta({ id: 'Pet' });
  const rpc = new JsonRpcHandler({ discover: { title: 'Pets', version: '1.0.0', description: 'All pets' } })
    .method(
      'add',
      {
        params: [
          ['pet', Pet],
          ['count', 'integer?'],
        ],
        result: Pet,
        summary: 'Adds',
        tags: ['pets'],
        deprecated: true,
      },
      (_call, pet) => pet,
    )
    .method(
      'find',
      { params: z.object({ name: z.string(), page: z.number().default(1) }), description: 'Finds *pets*' },
      () => [],
    )
    .method('pair', { params: z.tuple([z.number(), z.string()]) }, () => 1)
    .method('many', { params: z.array(z.number()) }, () => 1)
    .method(
      'odd',
      {
        params: [
          ['f', z.custom<string>()],
          ['...rest', 'string'],
        ],
      },
      () => 1,
    )
    .mount('more', serverCommands());
  const { result: document } = await send(rpc, call('rpc.discover'));
  t.same(document, JSON.parse(JSON.stringify(openrpc(rpc.listMethods(), document.info))));
  const ajv = new Ajv.default({ strict: false, validateFormats: false });
  // Of the two spellings of one URL, Ajv knows that of the schema itself.
  const plain = (schema: object) => {
    const text = JSON.stringify({ ...schema, $schema: undefined });
    return JSON.parse(text.replaceAll('https://meta.json-schema.tools"', 'https://meta.json-schema.tools/"'));
  };
  const schemas = (metaOfSchemas as never as { default: { default?: object } }).default;
  ajv.addSchema(plain(schemas.default ?? schemas));
  const isValid = ajv.compile(
    plain((metaOfDocuments as never as { openrpcDocument: object }).openrpcDocument),
  );
  t.ok(isValid(document), JSON.stringify(isValid.errors));
  t.notOk(isValid({ ...document, methods: [{ name: 5 }] }), 'the judge can say no');
  const method = (name: string) => document.methods.find((one: { name: string }) => one.name === name);
  t.match(method('add'), {
    summary: 'Adds',
    deprecated: true,
    tags: [{ name: 'pets' }],
    paramStructure: 'either',
    params: [
      { name: 'pet', required: true, schema: { $ref: '#/components/schemas/Pet' } },
      { name: 'count', required: false, schema: { type: 'integer' } },
    ],
    result: { name: 'result', schema: { $ref: '#/components/schemas/Pet' } },
  });
  t.match(method('find'), {
    paramStructure: 'by-name',
    params: [
      { name: 'name', required: true },
      { name: 'page', required: false },
    ],
  });
  t.match(method('pair'), {
    paramStructure: 'by-position',
    params: [{ schema: { type: 'number' } }, { schema: { type: 'string' } }],
  });
  t.match(method('odd').params, [
    { name: 'f' },
    { name: 'rest', required: false, schema: { type: 'array', items: { type: 'string' } }, 'x-rest': true },
  ]);
  t.equal(method('rpc.discover'), undefined);
  t.equal(await codeOf(rpc, call('rpc.discover', [1])), -32602);
  t.equal(await codeOf(new JsonRpcHandler(), call('rpc.discover')), -32601, 'only by choice');

  const day = z.date();
  const info = { title: 'Days', version: '1' };
  const sides: string[] = [];
  const toJsonSchema = (schema: unknown, side: string) => {
    sides.push(side);
    return schema === day ? { type: 'string', format: 'date' } : undefined;
  };
  const days = new JsonRpcHandler({ discover: info, toJsonSchema }).method(
    'next',
    {
      params: [
        ['day', day],
        ['count', z.number()],
      ],
      result: day,
    },
    (_call, given) => given,
  );
  const told = await send(days, call('rpc.discover'));
  t.match(told.result.methods, [
    {
      params: [{ schema: { type: 'string', format: 'date' } }, { schema: { type: 'number' } }],
      result: { schema: { type: 'string', format: 'date' } },
    },
  ]);
  t.same(sides, ['input', 'input', 'output']);
  t.same(openrpc(days.listMethods(), info).methods[0]?.result.schema, {}, 'which is anything');
  t.throws(
    () => openrpc([], info, { toJsonSchema: {} } as never),
    /"toJsonSchema" of openrpc must be a function/,
  );
  t.throws(
    () => new JsonRpcHandler({ toJsonSchema: 1 } as never),
    /"toJsonSchema" of JsonRpcHandler must be/,
  );
});

t.test('what servers of pulsar answer by themselves', async (t) => {
  const rpc = new JsonRpcHandler()
    .method(
      'calc',
      { params: [['a', 'number']], summary: 'Calculates', description: 'In *steps*' },
      (_call, a) => a,
    )
    .mount(
      serverCommands({
        authorize: ({ environ }) => environ.HTTP_AUTHORIZATION === 'yes',
        extraServerInfo: () => ({ extra: 5 }),
      }),
    );
  const app = client(t, rpc);
  const ask = async (message: unknown, headers = {}) =>
    (await (await app.post('/', { json: message, headers })).json()) as never as {
      result: never;
      error: unknown;
    };
  t.match(await ask(call('ping')), { result: 'pong' });
  t.match(await ask(call('echo', [{ a: 1 }])), { result: { a: 1 } });
  t.match((await ask(call('functions_list'))).result, [
    ['calc', 'Calculates'],
    ['ping', 'Answers "pong"'],
  ]);
  t.match(
    (await ask(call('documentation'))).result,
    /^### calc\(a: number\)\n\nCalculates\n\nIn \*steps\*\n\n### ping\(\)/,
  );
  t.match(await ask(call('server_info')), { error: { code: -32003 } });
  t.match(await ask(call('server_info'), { authorization: 'yes' }), {
    result: { vela: '0.1.0', node: process.version, arbiter: null, extra: 5 },
  });
  t.match(await send(new JsonRpcHandler().mount(serverCommands()), call('server_info')), {
    error: { code: -32003 },
  });
  t.throws(() => serverCommands({ authorise: 1 } as never), /has no option "authorise"/);
});

t.test('hostile messages', async (t) => {
  const rpc = new JsonRpcHandler({ maxDepth: 8 })
    .method('echo', { params: ['...values'] }, (_call, ...values) => values)
    .method('named', { params: [['value', 'any?']] }, (_call, value) => value ?? null);
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const raw = (method: string, params: string, id = '1') =>
    `{"jsonrpc":"2.0","method":"${method}","params":${params},"id":${id}}`;
  t.same((await send(rpc, raw('echo', nested(8)))).result, JSON.parse(nested(8)));
  t.match((await send(rpc, raw('echo', nested(9)))).error, { code: -32602, message: /too deep/ });
  t.match((await send(rpc, raw('named', `{"value":${nested(8)}}`))).error, {
    code: -32602,
    message: /too deep/,
  });
  for (const deep of [
    nested(500_000),
    `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
    '['.repeat(900_000),
  ])
    t.ok([-32600, -32602, -32700].includes(await codeOf(rpc, raw('echo', deep))), 'the stack is not used up');
  t.match(await send(rpc, nested(500_000)), [{ error: { code: -32600 } }], 'a batch in a batch is no call');
  t.equal(await codeOf(rpc, `[${'1,'.repeat(400_000)}1]`), -32600);

  t.match((await send(rpc, raw('echo', '[{"__proto__":{"polluted":1}}]'))).error, {
    code: -32602,
    message: /"__proto__", which is not accepted/,
  });
  t.match((await send(rpc, raw('named', '{"__proto__":{"polluted":1}}'))).error, { code: -32602 });
  t.match((await send(rpc, raw('echo', '[{"constructor":{"prototype":{"polluted":1}}}]'))).error, {
    code: -32602,
  });
  t.same((await send(rpc, '{"__proto__":{"method":"echo"},"jsonrpc":"2.0","id":1}')).error.code, -32600);
  t.equal(({} as { polluted?: number }).polluted, undefined);
  const told = (params: string) => `{"jsonrpc":"2.0","method":"echo","params":${params}}`;
  for (const params of ['[{"__proto__":1}]', nested(9), '{"__proto__":1}'])
    t.equal(await rpc.dispatch(told(params)), undefined, 'a notification is not answered, whatever it has');
  t.match(await send(rpc, `[${told(nested(9))},${raw('echo', '[1]')}]`), [{ result: [1], id: 1 }]);

  for (const id of ['1.5', '0', '-1', '""', '"é"', 'null', '9007199254740991'])
    t.equal(await rpc.dispatch(raw('named', '[1]', id)), `{"jsonrpc":"2.0","result":1,"id":${id}}`, id);
  for (const id of ['true', '{}', '[]', '1e999', '9007199254740993', '123456789012345678901234567890'])
    t.match(await send(rpc, raw('named', '[1]', id)), { error: { code: -32600 }, id: null }, id);
  for (const params of ['null', '1', '"a"', 'true'])
    t.match(await send(rpc, raw('named', params)), { error: { code: -32600 }, id: 1 }, params);
  for (const text of [
    '',
    ' ',
    'null',
    '1',
    '"a"',
    'NaN',
    '{"id":1}',
    '{"jsonrpc":2.0,"method":"named","id":1}',
    "{'a':1}",
    '\ufeff{}',
    '{}{}',
    '{"a":1,}',
    '\u0000',
  ])
    t.ok([-32600, -32700].includes(await codeOf(rpc, text)), JSON.stringify(text));
  t.equal(await codeOf(rpc, { jsonrpc: '2.0', result: 1, id: 1 }), -32600, 'an answer is no call');
  t.equal(
    (await send(rpc, '{"jsonrpc":"2.0","method":"named","method":"echo","params":[2],"id":1,"id":2}')).id,
    2,
    'of a key twice the last counts',
  );
  t.match(
    await send(rpc, { ...call('echo', [1]), more: { any: 'thing' } }),
    { result: [1] },
    'other members are passed over',
  );
});

t.test('whatever comes, an answer goes back that is one, and nothing else happens', async () => {
  const rpc = specification();
  const session = rpc.connect();
  const names = fc.constantFrom('subtract', 'sum', 'update', 'get_data', '__proto__', 'toString', 'rpc.x');
  const ids = fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.constant(undefined), fc.jsonValue());
  const calls = fc.record(
    {
      jsonrpc: fc.constantFrom('2.0', '1.0', 2),
      method: fc.oneof(names, fc.jsonValue()),
      params: fc.oneof(fc.array(fc.integer()), fc.jsonValue()),
      id: ids,
    },
    { requiredKeys: [] },
  );
  const messages = fc.oneof(
    calls.map((one) => JSON.stringify(one)),
    fc.array(fc.oneof(calls, fc.jsonValue()), { maxLength: 8 }).map((all) => JSON.stringify(all)),
    fc.string({ unit: 'binary' }),
    fc.json(),
  );
  const isAnswer = (one: {
    jsonrpc: string;
    result?: unknown;
    error?: { code: number; message: string };
    id: unknown;
  }) =>
    one.jsonrpc === '2.0' &&
    'id' in one &&
    (one.id === null || typeof one.id === 'string' || typeof one.id === 'number') &&
    'result' in one !== 'error' in one &&
    (one.error === undefined || (Number.isInteger(one.error.code) && typeof one.error.message === 'string'));
  await fc.assert(
    fc.asyncProperty(messages, async (message) => {
      const text = await rpc.dispatch(message);
      if ((await session.receive(Buffer.from(message))) === text || /\p{Surrogate}/u.test(message)) {
        const answer = text === undefined ? [] : JSON.parse(text);
        return (Array.isArray(answer) ? answer : [answer]).every(isAnswer);
      }
      return false;
    }),
    { numRuns: 1500 },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 40 }),
      async (bytes) => JSON.parse((await session.receive(bytes)) ?? '{"jsonrpc":"2.0"}').jsonrpc === '2.0',
    ),
    { numRuns: 500 },
  );
});

async function serveFor(t: Test, rpc: JsonRpcHandler<unknown>, gateway: 'uws' | 'node') {
  const server = await serve(rpc, { bind: '127.0.0.1:0', gateway, logLevel: 'silent' });
  t.teardown(() => server.close());
  return server;
}

for (const gateway of ['uws', 'node'] as const) {
  t.test(`${gateway}: clients of others`, async (t) => {
    const server = await serveFor(t, specification(), gateway);
    const { port } = server.address as { port: number };
    const one = jayson.Client.http({ host: '127.0.0.1', port });
    const request = (method: string, params: unknown, id?: null) =>
      new Promise<{ result?: unknown; error?: { code: number } } | undefined>((resolve, reject) => {
        const done = (error: unknown, answer: never) => (error ? reject(error) : resolve(answer));
        if (id === null) one.request(method, params as never, null as never, done as never);
        else one.request(method, params as never, done as never);
      });
    t.match(await request('subtract', [42, 23]), { result: 19 });
    t.match(await request('subtract', { minuend: 42, subtrahend: 23 }), { result: 19 });
    t.match(await request('nowhere', []), { error: { code: -32601 } });
    t.match(await request('subtract', ['x', 1]), { error: { code: -32602 } });
    t.equal(await request('update', [1], null), undefined);
    const batch = [
      one.request('sum', [1, 2], undefined as never, undefined as never),
      one.request('nowhere', [], undefined as never, undefined as never),
    ];
    const answers = await new Promise((resolve, reject) =>
      one.request(
        batch as never,
        ((error: unknown, all: unknown) => (error ? reject(error) : resolve(all))) as never,
      ),
    );
    t.match(answers, [{ result: 3 }, { error: { code: -32601 } }]);

    const other: JSONRPCClient = new JSONRPCClient(async (message) => {
      const response = await fetch(server.url, {
        method: 'POST',
        headers: JSON_TYPE,
        body: JSON.stringify(message),
      });
      if (response.status === 200) other.receive((await response.json()) as never);
      else t.equal(response.status, 204);
    });
    t.equal(await other.request('subtract', [42, 23]), 19);
    t.equal(await other.request('subtract', { minuend: 42, subtrahend: 23 }), 19);
    await t.rejects(Promise.resolve(other.request('nowhere', undefined)), {
      code: -32601,
      message: 'Method not found',
    });
    other.notify('update', [1]);
    t.match(
      await other.requestAdvanced([
        { jsonrpc: '2.0', id: 8, method: 'sum', params: [1] },
        { jsonrpc: '2.0', id: 9, method: 'get_data' },
      ]),
      [{ result: 1 }, { result: ['hello', 5] }],
    );
  });

  t.test(`${gateway}: a message in single bytes, and several on one connection`, async (t) => {
    const server = await serveFor(t, specification(), gateway);
    const { port } = server.address as { port: number };
    const socket = connect(port, '127.0.0.1').setNoDelay(true);
    t.teardown(() => socket.destroy());
    let received = '';
    socket.setEncoding('utf8').on('data', (text) => {
      received += text;
    });
    for (let n = 1; n <= 3; n++) {
      const body = JSON.stringify(call('sum', [n, 1], n));
      const head = `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
      for (const letter of head + body) {
        socket.write(letter);
        await new Promise(setImmediate);
      }
      while (!received.includes(`{"jsonrpc":"2.0","result":${n + 1},"id":${n}}`)) await once(socket, 'data');
    }
    t.pass('all are answered');
  });
}

t.test('nothing was left unhandled', async (t) => {
  await new Promise(setImmediate);
  t.same(unhandled, []);
});
