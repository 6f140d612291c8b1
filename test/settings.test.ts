import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import t from 'tap';
import {
  type App,
  type Logger,
  Router,
  type ServerOptions,
  serve,
  WsgiHandler,
  type WsgiServerOptions,
} from '../src/index.js';
import { accessLog } from '../src/middleware/index.js';
import { testClient } from '../src/testing/index.js';
import { type Given, makeFolder, start } from './support/run-in-folder.js';

/** What --print-config says of a setting: its value, and where it comes from. */
function rowOf(text: string, name: string): string | undefined {
  return new RegExp(`^${name} +(.*)$`, 'm').exec(text)?.[1]?.replace(/ {2,}/g, ' < ');
}

t.test('a setting comes from the first place that has it', async (t) => {
  const code = { maxHeaderFields: 1, threadWorkers: 1, maxBodyBytes: 1, requestTimeoutMs: 1 };
  const files = {
    'vela.config.json': JSON.stringify({ maxHeaderFields: 2, threadWorkers: 2, maxBodyBytes: 2 }),
  };
  const env = { VELA_MAX_HEADER_FIELDS: '3', VELA_THREAD_WORKERS: '3' };
  const { stdout, code: exit } = await start(t, ['--max-header-fields', '4', '--print-config'], {
    code,
    files,
    env,
  });
  t.equal(exit, 0);
  for (const [name, row] of [
    ['maxHeaderFields', '4 < --max-header-fields'],
    ['threadWorkers', '3 < VELA_THREAD_WORKERS'],
    ['maxBodyBytes', '2 < vela.config.json'],
    ['requestTimeoutMs', '1 < code'],
    ['stallTimeoutMs', '120000 < default'],
    ['certFile', '- < default'],
  ] as const) {
    t.equal(rowOf(stdout, name), row);
  }
});

t.test('--print-config shows lists, and no secret', async (t) => {
  const code = { logLevel: ['warn', 'vela.wsgi:debug'], passphrase: 'sesame' };
  const { stdout } = await start(t, ['-b', ':0,unix:/a', '-b', '80', '--print-config'], { code });
  t.equal(rowOf(stdout, 'bind'), ':0 unix:/a 80 < --bind');
  t.equal(rowOf(stdout, 'logLevel'), 'warn vela.wsgi:debug < code');
  t.equal(rowOf(stdout, 'passphrase'), '(hidden) < code');
  t.notMatch(stdout, 'sesame');
  const [certFile, keyFile] = [resolve('package.json'), resolve('package.json')];
  const sni = [{ hostname: 'a.example', certFile, keyFile }];
  const tls = await start(t, ['--print-config'], { code: { certFile, keyFile, sni } });
  t.equal(rowOf(tls.stdout, 'sni'), 'a.example < code', 'whether or not certificates are good');
});

t.test('--check-config', async (t) => {
  const good = await start(t, ['--check-config', '--bind', '0']);
  t.same([good.stdout, good.stderr, good.code], ['vela: the settings are good\n', '', 0]);

  const bad = await start(t, ['--check-config', '--bind', 'nowhere']);
  t.same([bad.stdout, bad.code], ['', 2]);
  t.match(bad.stderr, /^vela: --bind must be.*add a port: nowhere:8060\n$/);

  const files = {
    'a.pem': 'none',
    'vela.config.mjs': "export default { certFile: 'a.pem', keyFile: 'a.pem' };",
  };
  const tls = await start(t, ['--check-config'], { files });
  t.equal(tls.code, 2, 'it loads certificates');
  t.match(
    tls.stderr,
    /^vela: Option "certFile" \(vela\.config\.mjs\) must be a certificate in PEM; \/\S+\/a\.pem is not/,
  );
});

t.test(
  'the number of workers may be that of processors, and is that of WEB_CONCURRENCY where nobody gives it',
  async (t) => {
    const env = { WEB_CONCURRENCY: '3' };
    const print = async (args: readonly string[], given: Given = {}) => {
      // Servers of tests have none unless they are given some.
      const code = { workers: undefined, ...given.code } as WsgiServerOptions;
      const { stdout } = await start(t, [...args, '--print-config'], { env, ...given, code });
      return rowOf(stdout, 'workers');
    };
    t.equal(await print([]), '3 < WEB_CONCURRENCY');
    t.equal(await print([], { code: { workers: 2 } }), '2 < code');
    t.equal(await print(['-w', 'auto']), `${availableParallelism()} < --workers`);
    t.equal(await print([], { code: { workers: 'auto' } }), `${availableParallelism()} < code`);
    t.equal(await print([], { env: { WEB_CONCURRENCY: '' } }), '1 < default');
    const wrong = await start(t, [], { env: { WEB_CONCURRENCY: 'many' } });
    t.equal(wrong.code, 2);
    t.equal(
      wrong.stderr,
      'vela: WEB_CONCURRENCY must be a whole number from 0 to 1024, or auto; received "many"\n',
    );
  },
);

t.test('all mistakes are told at once, each with its place, its value and what to do', async (t) => {
  const files = {
    'vela.config.json': JSON.stringify({
      gatewy: 'uws',
      debug: 'yes',
      logLevel: 'verbose',
      maxBodyBytes: 1.5,
      passphrase: 1234,
      sni: [{ hostname: 'a', certFile: 'x', keyFile: 'x' }],
    }),
  };
  const env = { VELA_GATEWAY: 'usw', VELA_BNID: '80', VELA_DEBUG: 'on', VELA_SNI: 'x' };
  const { stdout, stderr, code } = await start(t, ['--bnd', '1', '--max-body-bytes', '1MB', '--cert', 'x'], {
    files,
    env,
  });
  t.same([stdout, code], ['', 2]);
  const lines = stderr.trimEnd().split('\n');
  for (const [index, pattern] of [
    /^vela: There is no flag --bnd \(did you mean --bind\?\); --help lists the flags$/,
    /^vela: There is no flag --cert \(did you mean --cert-file\?\); --help lists the flags$/,
    /^vela: There is no setting for the variable VELA_BNID \(did you mean VELA_BIND\?\)/,
    /^vela: There is no setting for the variable VELA_SNI; /,
    /^vela: --max-body-bytes must be a whole number of bytes.*received "1MB"$/,
    /^vela: VELA_GATEWAY must be one of uws, node, auto; received "usw" \(did you mean "uws"\?\)$/,
    /^vela: VELA_DEBUG must be true or false; received "on"$/,
    /^vela: There is no setting "gatewy" in vela\.config\.json \(did you mean "gateway"\?\)$/,
    /^vela: "debug" in vela\.config\.json must be true or false; received "yes"$/,
    /^vela: "logLevel" in vela\.config\.json must be levels.*"verbose": the levels are debug, /,
    /^vela: "maxBodyBytes" in vela\.config\.json must be a whole number of bytes.*received 1\.5$/,
    /^vela: "passphrase" in vela\.config\.json must be a text; received a number$/,
    /^vela: "sni\.certFile" in vela\.config\.json must be a file that can be read; received "x": there is no \//,
  ].entries()) {
    t.ok(
      lines.some((line) => pattern.test(line)),
      `${index}: ${pattern}\n${stderr}`,
    );
  }
  t.equal(lines.length, 13, 'and nothing else');

  await t.rejects(
    serve(() => [], { bind: 'x', prot: 1, debug: 2 as never } as ServerOptions),
    {
      code: 'ERR_CONFIG_INVALID',
      message:
        /^Option "bind".*\nThere is no option "prot".*\nOption "debug" must be true or false; received 2$/,
    },
  );
});

t.test('the config file', async (t) => {
  const print = ['--print-config'];
  for (const [name, text] of [
    ['vela.config.js', 'module.exports = { threadWorkers: 7 };'],
    ['vela.config.mjs', 'export default { threadWorkers: 7 };'],
    ['vela.config.mjs', 'export default () => ({ threadWorkers: 7 });'],
    ['vela.config.mjs', 'export default async () => ({ threadWorkers: 7 });'],
    [
      'vela.config.ts',
      'const threadWorkers: number = 7;\nexport default { threadWorkers } satisfies object;',
    ],
    ['vela.config.json', '{ "threadWorkers": 7 }'],
  ] as const) {
    const { stdout, stderr } = await start(t, print, { files: { [name]: text } });
    t.equal(rowOf(stdout, 'threadWorkers'), `7 < ${name}`, `${text} ${stderr}`);
  }

  const files = { 'mine.mjs': 'export default { threadWorkers: 8 };', 'vela.config.json': '{}' };
  const named = await start(t, [...print, '--config', 'mine.mjs'], { files });
  t.equal(rowOf(named.stdout, 'threadWorkers'), '8 < mine.mjs', 'named by a flag');
  const variable = await start(t, print, { files, env: { VELA_CONFIG: 'mine.mjs' } });
  t.equal(rowOf(variable.stdout, 'threadWorkers'), '8 < mine.mjs', 'named by a variable');
  const both = await start(t, [...print, '-c', 'mine.mjs'], { files, env: { VELA_CONFIG: 'none.mjs' } });
  t.equal(both.code, 0, 'the flag comes before the variable');
  t.equal((await start(t, print)).code, 0, 'there need not be one');

  for (const [args, given, pattern] of [
    [['--config', 'none.js'], {}, /^--config must be a config file; received "none\.js": there is no \//],
    [[], { env: { VELA_CONFIG: 'none.js' } }, /^VELA_CONFIG must be a config file; received "none\.js"/],
    [
      ['--config', 'a.toml'],
      { files: { 'a.toml': '' } },
      /^--config must be a \.js, \.mjs, \.ts or \.json file/,
    ],
    [['--config'], {}, /^--config takes a value, as in --config <file>; none came$/],
    [['-c', '--debug'], {}, /^--config takes a value, as in --config <file>; received the flag --debug$/],
    [
      [],
      { files: { 'vela.config.js': '', 'vela.config.json': '{}' } },
      /^There are vela\.config\.js and vela\.config\.json in .*keep one, or name one with --config$/,
    ],
    [
      [],
      { files: { 'vela.config.mjs': 'export const bind = 80;' } },
      /^vela\.config\.mjs must export settings as its default,.*it exports undefined$/,
    ],
    [
      [],
      { files: { 'vela.config.mjs': 'export default () => 5;' } },
      /^vela\.config\.mjs must export.*its function gave 5$/,
    ],
    [[], { files: { 'vela.config.json': '[]' } }, /^vela\.config\.json must export.*it is an array of 0$/],
    [
      [],
      { files: { 'vela.config.json': '{ bind: 1 }' } },
      /^vela\.config\.json cannot be read: SyntaxError: /,
    ],
    [
      [],
      { files: { 'vela.config.mjs': "throw new Error('no\\nluck')" } },
      /^vela\.config\.mjs cannot be read: Error: no luck$/,
    ],
  ] as const) {
    const { stderr, code } = await start(t, args, given);
    t.equal(code, 2, pattern.source);
    t.match(stderr.replace(/^vela: /, '').trimEnd(), pattern);
  }
});

t.test('the environment', async (t) => {
  for (const [env, name, row] of [
    [{ VELA_BIND: ':81, unix:/a' }, 'bind', ':81 unix:/a < VELA_BIND'],
    [{ VELA_LOG_LEVEL: 'warn vela.wsgi:debug' }, 'logLevel', 'warn vela.wsgi:debug < VELA_LOG_LEVEL'],
    [{ VELA_DEBUG: '1' }, 'debug', 'true < VELA_DEBUG'],
    [{ VELA_DEBUG: 'false' }, 'debug', 'false < VELA_DEBUG'],
    [{ VELA_DEBUG: '' }, 'debug', 'false < default'],
    [{ VELA_PASSPHRASE: 'x' }, 'passphrase', '(hidden) < VELA_PASSPHRASE'],
    // A service called vela, as Kubernetes tells of it.
    [
      {
        VELA_SERVICE_HOST: '10.0.0.1',
        VELA_SERVICE_PORT_HTTP: '80',
        VELA_PORT: 'tcp://10.0.0.1:80',
        VELA_PORT_80_TCP_ADDR: '10.0.0.1',
      },
      'bind',
      '127.0.0.1:8060 < default',
    ],
  ] as const) {
    const { stdout, stderr } = await start(t, ['--print-config'], { env });
    t.equal(rowOf(stdout, name), row, stderr);
  }
  t.match(
    (await start(t, [], { env: { VELA_PORT: '80' } })).stderr,
    /VELA_PORT \(did you mean VELA_BIND\?\)/,
  );

  process.env.VELA_BIND = 'nonsense';
  t.teardown(() => {
    delete process.env.VELA_BIND;
  });
  const server = await serve(() => [], { bind: 0 });
  t.match(server.url, /^http:\/\/127/, 'serve leaves it alone');
  await server.close();
});

t.test('a flag turns off what is on elsewhere', async (t) => {
  const files = { 'vela.config.json': '{ "debug": true }' };
  const { stdout } = await start(t, ['--no-debug', '--print-config'], { files });
  t.equal(rowOf(stdout, 'debug'), 'false < --debug');
});

t.test('a certificate may come from one place and its key from another', async (t) => {
  const { stderr, code } = await start(t, ['--key-file', 'a.pem'], {
    files: { 'a.pem': '' },
    code: { certFile: resolve('package.json') },
  });
  t.equal(code, 2);
  t.match(stderr, /^vela: Option "certFile" must be a certificate in PEM; /);
});

for (const gateway of ['uws', 'node'] as const) {
  t.test(`a server listens on several addresses: ${gateway}`, async (t) => {
    const path = join(makeFolder(t), 'app.sock');
    const app: App = ({ SERVER_NAME, SERVER_PORT }, startResponse) => {
      startResponse('200 OK', [['Content-Type', 'text/plain']]);
      return [`${SERVER_NAME}:${SERVER_PORT}`];
    };
    const bind = ['127.0.0.1:0', 'localhost:0', `unix:${path}`];
    const { server, stdout } = await start(t, [], { app, code: { bind, gateway } });
    if (server === undefined) throw new Error('it did not start');
    t.equal(server.addresses.length, 3);
    t.equal(server.url, server.urls[0]);
    t.equal(
      stdout,
      `vela: ready on ${server.urls.join(' and ')} (${gateway}, pid ${process.pid})\n`,
      'the ready line names all',
    );
    for (const [index, host] of ['127.0.0.1', 'localhost'].entries()) {
      const { port } = server.addresses[index] as { port: number };
      t.equal(await (await fetch(server.urls[index] as string)).text(), `${host}:${port}`);
    }
    t.equal(server.urls[2], `unix:${path}`);
    t.ok(existsSync(path));
    await server.close();
    t.notOk(existsSync(path));
    for (const url of server.urls.slice(0, 2)) await t.rejects(fetch(url), { message: 'fetch failed' });
  });

  t.test(`a server listens on all of its addresses or on none: ${gateway}`, async (t) => {
    const other = createServer().listen(0, '127.0.0.1');
    t.teardown(() => other.close());
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const path = join(makeFolder(t), 'app.sock');
    const bind = [`unix:${path}`, port];
    await t.rejects(
      serve(() => [], { bind, gateway }),
      { code: 'EADDRINUSE', port },
    );
    t.notOk(existsSync(path), 'what was open is closed');
  });
}

t.test('log lines have levels by namespace', async (t) => {
  const lines: string[] = [];
  const { write } = process.stderr;
  const app: App = (environ) => {
    const logger = environ['vela.logger'];
    const named = (namespace: string) => logger.named?.(namespace) as Logger;
    for (const [name, one] of [
      ['own', logger],
      ['shop', named('shop')],
      ['orders', named('shop.orders')],
      ['shopping', named('shopping')],
    ] as const) {
      one.debug({}, `${name} debug`);
      one.warn({}, `${name} warn`);
    }
    return [];
  };
  const seen = async (logLevel: NonNullable<ServerOptions['logLevel']>): Promise<string[]> => {
    lines.length = 0;
    process.stderr.write = (chunk: unknown) => {
      lines.push(String(chunk).trimEnd());
      return true;
    };
    try {
      const server = await serve(
        (environ, startResponse) => {
          startResponse('204 No Content', []);
          return app(environ, startResponse);
        },
        { bind: 0, logLevel, logFormat: 'text' },
      );
      await fetch(server.url);
      await server.close();
    } finally {
      process.stderr.write = write;
    }
    return lines.map((line) => line.replace(/^\S+ /, ''));
  };
  const warnings = ['warn  vela.wsgi own warn', 'warn  shop shop warn', 'warn  shop.orders orders warn'];
  t.strictSame(await seen('info'), [...warnings, 'warn  shopping shopping warn']);
  t.strictSame(await seen(['error', 'shop:warning']), warnings.slice(1), 'and those below');
  t.strictSame(await seen('error shop.debug, shop.orders:silent'), [
    'debug shop shop debug',
    'warn  shop shop warn',
  ]);
  t.strictSame(await seen(['silent', 'vela:warn']), warnings.slice(0, 1));

  for (const [logLevel, pattern] of [
    ['loud', /received "loud": the levels are debug, info, warn, error, silent$/],
    ['wran', /received "wran" \(did you mean "warn"\?\)$/],
    ['vela.wsgi:loud', /received "vela\.wsgi:loud": the levels are/],
    ['a b', /received "a": the levels/],
    [['info', 'warn'], /must have one level for all; received a second one, "warn": leave one out$/],
    [['a:info', 'a:warn'], /must have one level for a; received a second one, "a:warn"/],
    [[], /received none$/],
    ['', /received none$/],
    [5, /received 5$/],
    ['a..b:info', /received "a\.\.b:info": a namespace is words with dots between them$/],
    ['server.js', /received "server\.js"; a file stands before this flag$/],
  ] as const) {
    await t.rejects(
      serve(() => [], { logLevel } as ServerOptions),
      pattern,
      String(logLevel),
    );
  }
});

t.test('access logs and hidden routes have namespaces of their own', async (t) => {
  const lines: string[] = [];
  const { write } = process.stderr;
  process.stderr.write = (chunk: unknown) => {
    lines.push(String(chunk));
    return true;
  };
  try {
    const router = new Router({ unreachable: 'warn' });
    router.get('/:name', () => 'one');
    router.get('/hidden', () => 'two');
    const app = new WsgiHandler([accessLog({ destination: 'logger', format: '%(m)s %(U)s' }), router]);
    const client = testClient(app, { logLevel: 'info' });
    await (await client.get('/a')).text();
    await client.close();
  } finally {
    process.stderr.write = write;
  }
  t.match(lines[0], /^\S+ warn {2}vela\.router .*\/hidden/);
  t.match(lines[1], /^\S+ info {2}vela\.access GET \/a$/m);
});

t.test('logs are JSON where nobody reads them on a terminal', async (t) => {
  const script = `${t.testdir()}/log.ts`;
  writeFileSync(
    script,
    `import { serve } from 'vela';
const server = await serve((environ, start) => {
  environ['vela.logger'].info({ user: 'ada' }, 'hello');
  start('204 No Content', []);
  return [];
}, { bind: 0, logFormat: process.argv[2] as 'auto' });
await fetch(server.url);
await server.close();
`,
  );
  const logOf = (format: string) =>
    spawnSync(process.execPath, ['--import=./scripts/tsx.mjs', script, format], { encoding: 'utf8' }).stderr;
  const { time, pid, ...line } = JSON.parse(logOf('auto')) as Record<string, unknown>;
  t.same([typeof time, typeof pid], ['number', 'number']);
  t.strictSame(line, { level: 30, logger: 'vela.wsgi', user: 'ada', msg: 'hello' });
  t.match(logOf('text'), /^\S+ info {2}vela\.wsgi hello\n$/, 'without colours');
});
