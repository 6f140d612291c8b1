import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { type App, ImproperlyConfigured, type ServerOptions, serve, WsgiServer } from '../src/index.js';

const hello: App = (_environ, start) => {
  start('200 OK', [['Content-Type', 'text/plain']]);
  return ['hello'];
};

/** The environment of a process that tap does not watch. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(
    ([key]) => key !== 'NODE_OPTIONS' && !/^_?TAP/.test(key),
  );
  return Object.fromEntries(entries);
}

interface Script {
  child: ChildProcess;
  /** The next line of standard output. */
  line(): Promise<string>;
  stderr(): string;
  exit: Promise<[number | null, NodeJS.Signals | null]>;
}

/** Runs `npm run example -- hello`, as a user would without npm. */
function runHello(test: Test, ...flags: string[]): Script {
  const child = spawn(
    process.execPath,
    ['--import', './scripts/tsx.mjs', 'scripts/example.mjs', 'hello', ...flags],
    {
      env: plainEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  test.teardown(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += String(text);
  });
  const exit = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  return { child, line: async () => String((await lines.next()).value), stderr: () => stderr, exit };
}

/** What a WsgiServer says of a command line that it refuses, and its exit code. */
async function startInProcess(flags: readonly string[]): Promise<[message: string, code: unknown]> {
  const { exit } = process;
  const write = process.stderr.write;
  const exits: unknown[] = [];
  let text = '';
  process.stderr.write = (chunk: unknown) => {
    text += String(chunk);
    return true;
  };
  process.exit = (code) => {
    exits.push(code);
    throw new Error('exit');
  };
  try {
    await new WsgiServer(hello, { workers: 0 }).start(flags).catch(() => undefined);
  } finally {
    process.stderr.write = write;
    process.exit = exit;
  }
  return [text.replace(/^vela: ([^\n]*)\n$/, '$1'), exits[0]];
}

async function findUrl(script: Script): Promise<string> {
  const ready = await script.line();
  const url = /^vela: ready on (\S+) \((uws|node), 1 worker, pid \d+\)$/.exec(ready)?.[1];
  if (url === undefined) throw new Error(`no ready line: ${ready} ${script.stderr()}`);
  return url;
}

t.test('the hello example', async (t) => {
  for (const gateway of ['uws', 'node']) {
    t.test(`serves on ${gateway}, says when it is ready, and stops on SIGTERM with 0`, async (t) => {
      const script = runHello(t, '--bind', '127.0.0.1:0', '--gateway', gateway);
      const url = await findUrl(script);
      const response = await fetch(url);
      t.same(
        [response.status, response.headers.get('content-type'), await response.text()],
        [200, 'text/plain', 'Hello World!\n'],
      );
      for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
        const refused = await fetch(url, { method });
        t.same([refused.status, refused.headers.get('allow')], [405, 'GET, HEAD'], method);
      }
      t.equal((await fetch(url, { method: 'HEAD' })).status, 200);
      script.child.kill('SIGTERM');
      t.equal(await script.line(), 'vela: SIGTERM, stopping');
      t.equal(await script.line(), 'vela: bye (exit code = 0)');
      t.same(await script.exit, [0, null]);
    });
  }

  t.test('stops on SIGINT and SIGQUIT too', async (t) => {
    for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
      const script = runHello(t, '-b', '0');
      await findUrl(script);
      script.child.kill(signal);
      t.same(await script.exit, [0, null], signal);
    }
  });

  t.test('--help lists the flags, --version the version', async (t) => {
    const help = runHello(t, '--help');
    t.equal(await help.line(), 'Usage: server.ts [flags]');
    t.same(await help.exit, [0, null]);
    t.match(await runHello(t, '--version').line(), /^vela \d+\.\d+\.\d+$/);
  });

  t.test('a mistake on the command line is one line and exit code 2', async (t) => {
    for (const [flags, pattern] of [
      [['--prot', '80'], /^vela: There is no flag --prot; --help lists the flags\n$/],
      [
        ['--bind', 'nowhere'],
        /^vela: --bind must be host:port.*received "nowhere": add a port: nowhere:8060\n$/,
      ],
      [
        ['--max-body-bytes', '1MB'],
        /^vela: --max-body-bytes must be a whole number of bytes from 0.*"1MB"\n$/,
      ],
    ] as const) {
      const script = runHello(t, ...flags);
      t.same(await script.exit, [2, null], flags.join(' '));
      t.match(script.stderr(), pattern);
      t.equal(script.stderr().trimEnd().split('\n').length, 1, 'one line');
    }
  });

  t.test('each mistake on the command line names the flag, the value and what to do', async (t) => {
    for (const [flags, pattern] of [
      [['--bnd', '0'], /^There is no flag --bnd \(did you mean --bind\?\); --help lists the flags$/],
      [
        ['--requestTimeoutMs=5'],
        /^There is no flag --requestTimeoutMs \(did you mean --request-timeout-ms\?\)/,
      ],
      [['--log_level', 'info'], /\(did you mean --log-level\?\)/],
      [['--port', '80'], /^There is no flag --port \(did you mean --bind PORT\?\)/],
      [['--debug=yes'], /^--debug takes no value; received "yes"$/],
      [['--bind'], /^--bind takes a value, as in --bind <address>; none came$/],
      [['-b', '--debug'], /^--bind takes a value, as in --bind <address>; received the flag --debug$/],
      [['--cert-file='], /^--cert-file takes a value, as in --cert-file <path>; received an empty one$/],
      [['--gateway', 'apache'], /^--gateway must be one of uws, node, auto; received "apache"$/],
      [
        ['--request-timeout-ms', '0'],
        /^--request-timeout-ms must be a whole number of ms from 1 to .*received 0$/,
      ],
      [
        ['--max-header-fields', 'ten'],
        /^--max-header-fields must be a whole number from 1 to .*received "ten"$/,
      ],
      [['--max-head-bytes', '-1'], /^--max-head-bytes must be a whole number of bytes.*received "-1"$/],
      [['--cert-file', '/none'], /^--cert-file must be a file that can be read.*: there is no \/none$/],
      [['--key-file', 'package.json'], /^Options "certFile".*give "certFile" \(--cert-file\) too$/],
      [
        ['--cert-file', 'package.json', '--key-file', 'package.json'],
        /^Option "certFile" \(--cert-file\) must be a cert/,
      ],
      [
        ['--bind', 'unix:/none/a.sock'],
        /^listen ENOENT: \/none\/a\.sock: the directory \/none does not exist: make it/,
      ],
      [
        ['--allow-tunnels'],
        /^Option "allowTunnels" \(--allow-tunnels\) needs the node gateway.*\(--gateway node\)$/,
      ],
      [
        ['surplus'],
        /^"surplus" belongs to no flag, and nothing but flags is taken; npm passes flags on behind -- only, as in npm start -- --bind 9000; --help/,
      ],
    ] as const) {
      const [message, code] = await startInProcess(flags);
      t.match(message, pattern, flags.join(' '));
      t.equal(code, 2);
    }
  });

  t.test('an address that is taken is one line and exit code 2', async (t) => {
    const other = createServer().listen(0, '127.0.0.1');
    t.teardown(() => other.close());
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    for (const gateway of ['uws', 'node']) {
      const script = runHello(t, '--bind', `127.0.0.1:${port}`, '--gateway', gateway);
      t.same(await script.exit, [2, null]);
      t.match(script.stderr(), /^vela: listen EADDRINUSE[^\n]*--bind[^\n]*port 0 takes a free one\n$/);
      t.match(script.stderr(), `127.0.0.1:${port}`, 'which names the address');
    }
  });
});

t.test('serve', async (t) => {
  t.test('checks its options at once', async (t) => {
    for (const [options, pattern] of [
      [{ port: 80 }, /There is no option "port" \(did you mean "bind"\?\); the options are bind/],
      [{ log_level: 'info' }, /There is no option "log_level" \(did you mean "logLevel"\?\)/],
      [{ maxBodyByte: 1 }, /\(did you mean "maxBodyBytes"\?\)/],
      [{ gatewya: 'node' }, /\(did you mean "gateway"\?\)/],
      [{ workers: 2 }, /There is no option "workers"; the options are bind/],
      [{ bind: null }, /"bind" must be host:port.*received null/],
      [{ debug: null }, /"debug" must be true or false; received null/],
      [{ requestTimeoutMs: null }, /"requestTimeoutMs" must be a whole number.*received null/],
      [{ gateway: null }, /"gateway" must be one of.*received null/],
      [{ certFile: null }, /"certFile" must be a file path; received null/],
      [{ passphrase: null }, /"passphrase" must be a text; received null/],
      [{ sni: null }, /"sni" must be an array.*received null/],
      [{ bind: '1.2.3.4' }, /"bind" must be host:port/],
      [{ bind: 'host:99999' }, /"bind".*received "host:99999": a port is a whole number from 0 to 65535$/],
      [{ bind: ':99999' }, /received ":99999": a port is a whole number from 0 to 65535$/],
      [{ bind: 99_999 }, /received 99999: a port is a whole number from 0 to 65535$/],
      [{ bind: -1 }, /received -1: a port is a whole number/],
      [{ bind: 'localhost' }, /received "localhost": add a port: localhost:8060$/],
      [{ bind: '127.0.0.1' }, /: add a port: 127\.0\.0\.1:8060$/],
      [{ bind: '[::1]' }, /: add a port: \[::1\]:8060$/],
      [{ bind: '::1:8060' }, /: an IPv6 address stands in brackets: \[::1\]:8060$/],
      [{ bind: 'http://localhost:80/' }, /: leave the scheme out: localhost:80$/],
      [{ bind: '/run/a.sock' }, /: a unix socket is unix:\/run\/a\.sock$/],
      [{ bind: '*:8060' }, /: all IPv4 interfaces are :8060$/],
      [{ bind: 'a b:80' }, /received "a b:80"$/],
      [{ bind: [] }, /"bind" must be host:port.*received an array of 0/],
      [{ bind: [8060, [8061]] }, /"bind" must be host:port.*received an array of 1/],
      [
        { bind: [8060, '127.0.0.1:8060'] },
        /have each address once; received 127\.0\.0\.1:8060 twice: leave one/,
      ],
      [{ bind: ':80,:81' }, /received ":80,:81": several addresses are a list, one each$/],
      [{ bind: 'unix:' }, /"bind".*: a path follows/],
      [{ bind: `unix:/${'x'.repeat(120)}` }, /unix socket path of 121 bytes/],
      [{ bind: '' }, /"bind"/],
      [{ debug: 'yes' }, /"debug" must be true or false; received "yes"/],
      [{ maxBodyBytes: -1 }, /"maxBodyBytes" must be a whole number of bytes from 0/],
      [{ requestTimeoutMs: Number.POSITIVE_INFINITY }, /"requestTimeoutMs" must be a whole number/],
      [{ gateway: 'http' }, /"gateway" must be one of uws, node, auto/],
      [{ certFile: 'package.json' }, /"certFile" and "keyFile" go together/],
      [
        { certFile: 'package.json', keyFile: 'package.json' },
        /"certFile" must be a certificate in PEM; \/\S+\/package\.json is not/,
      ],
      [
        { sni: [], keyFile: 'nowhere' },
        /"keyFile" must be a file that can be read; .*: there is no \/.*nowhere$/,
      ],
      [{ sni: [{}] }, /"sni" must be an array/],
      [{ allowTunnels: true, gateway: 'uws' }, /needs the node gateway/],
      ['x', /Options must be an object/],
    ] as const) {
      await t.rejects(
        serve(hello, options as unknown as ServerOptions),
        { name: 'ImproperlyConfigured', message: pattern },
        JSON.stringify(options),
      );
    }
    await t.rejects(serve(5 as never), TypeError);
    t.throws(() => new WsgiServer(hello, { bind: null } as never), /received null/);
    t.throws(() => new WsgiServer(hello, { prot: 1 } as never), ImproperlyConfigured);
  });

  t.test('understands each form of address', async (t) => {
    for (const [bind, url] of [
      [0, /^http:\/\/127\.0\.0\.1:\d+$/],
      ['0', /^http:\/\/127\.0\.0\.1:\d+$/],
      [':0', /^http:\/\/127\.0\.0\.1:\d+$/],
      ['localhost:0', /^http:\/\/localhost:\d+$/],
      ['[::1]:0', /^http:\/\/\[::1\]:\d+$/],
    ] as const) {
      for (const gateway of ['uws', 'node'] as const) {
        const server = await serve(hello, { bind, gateway });
        t.match(server.url, url);
        t.equal(await (await fetch(server.url)).text(), 'hello', `${bind} on ${gateway}`);
        await server.close();
      }
    }
  });

  t.test('starts the parts before it listens, and stops them after', async (t) => {
    const events: string[] = [];
    const app = Object.assign(hello.bind(undefined) as App & { start?: unknown }, {
      start: async () => void events.push('start'),
      stop: async () => void events.push('stop'),
    });
    const server = await serve(app as App, { bind: 0 });
    t.same(events, ['start']);
    await Promise.all([server.close(), server.close({ timeoutMs: 1 })]);
    await server.close();
    t.same(events, ['start', 'stop']);
    await t.rejects(server.close({ timeoutMs: -1 }), /timeoutMs/);
    await t.rejects(
      serve(Object.assign(() => [], { start: () => Promise.reject(new Error('cannot start')) }) as App, {
        bind: 0,
      }),
      /cannot start/,
    );
  });

  t.test('a part that cannot stop rejects close', async (t) => {
    const app = Object.assign(() => [], { stop: () => Promise.reject(new Error('cannot stop')) }) as App;
    const server = await serve(app, { bind: 0 });
    await t.rejects(server.close(), /cannot stop/);
    const { port } = server.address as { port: number };
    const [error] = (await once(connect(port, '127.0.0.1'), 'error')) as [NodeJS.ErrnoException];
    t.equal(error.code, 'ECONNREFUSED', 'and it does not listen any more');
  });

  t.test('an address that cannot be had is an error with its code and what to do', async (t) => {
    const other = createServer().listen(0, '127.0.0.1');
    t.teardown(() => other.close());
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    for (const gateway of ['uws', 'node'] as const) {
      const taken = { code: 'EADDRINUSE', syscall: 'listen', message: /another server is there.*port 0/ };
      await t.rejects(serve(hello, { bind: port, gateway }), { ...taken, port }, gateway);
      await t.rejects(serve(hello, { bind: '192.0.2.1:0', gateway }), {
        code: 'EADDRNOTAVAIL',
        message: /192\.0\.2\.1.*may have no such address/,
      });
      await t.rejects(serve(hello, { bind: 'unix:/none/a.sock', gateway }), {
        code: 'ENOENT',
        message: /the directory \/none does not exist: make it, or choose another/,
      });
    }
  });

  t.test('the mode of a unix socket follows the umask', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'vela-'));
    const before = process.umask();
    t.teardown(() => {
      process.umask(before);
      rmSync(folder, { recursive: true });
    });
    const path = join(folder, 'mode.sock');
    for (const gateway of ['uws', 'node'] as const) {
      for (const [umask, mode] of [
        [0o022, 0o755],
        [0o077, 0o700],
        [0o007, 0o770],
      ] as const) {
        process.umask(umask);
        const server = await serve(hello, { bind: `unix:${path}`, gateway });
        t.equal(statSync(path).mode & 0o777, mode, `${gateway} ${umask.toString(8)}`);
        await server.close();
      }
    }
  });

  t.test('a unix socket is not taken from a server that lives, nor a file that is no socket', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'vela-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'vela.sock');
    for (const gateway of ['uws', 'node'] as const) {
      const server = await serve(hello, { bind: `unix:${path}`, gateway });
      t.equal(server.url, `unix:${path}`);
      for (const other of ['uws', 'node'] as const) {
        await t.rejects(serve(hello, { bind: `unix:${path}`, gateway: other }), { code: 'EADDRINUSE' });
      }
      await server.close();
      writeFileSync(path, 'mine');
      await t.rejects(serve(hello, { bind: `unix:${path}`, gateway }), {
        code: 'EADDRINUSE',
        message: /there is a file that is no socket: choose another with --bind/,
      });
      rmSync(path);
    }
  });
});

for (const gateway of ['uws', 'node'] as const) {
  t.test(
    `the text log has no characters that a terminal or a reader of lines obeys: ${gateway}`,
    async (t) => {
      const failing: App = () => {
        throw new Error('a\x1b[2J\x9b\u202e\u2028\x7f\u{e0001}\tb\r\n2026-11-21T00:00:00.000Z info  forged');
      };
      const { write } = process.stderr;
      let text = '';
      process.stderr.write = (chunk: unknown) => {
        text += String(chunk);
        return true;
      };
      try {
        const server = await serve(failing, {
          bind: '127.0.0.1:0',
          gateway,
          logLevel: 'error',
          logFormat: 'text',
        });
        t.teardown(() => server.close({ timeoutMs: 0 }));
        const socket = connect((server.address as { port: number }).port, '127.0.0.1');
        // What node:http refuses by itself is left out there.
        const query = gateway === 'uws' ? '\xc2\x9b31m\xe2\x80\xae\xe2\x80\xa8\x7f\xe2\x81\xa6' : '';
        socket.write(Buffer.from(`GET /x?a${query} HTTP/1.1\r\nHost: a\r\n\r\n`, 'latin1'));
        await once(socket, 'data');
        socket.destroy();
      } finally {
        process.stderr.write = write;
      }
      t.notMatch(text, /[^\P{C}\n\t]|[\u2028\u2029]/u);
      t.match(text, 'a\\u001b[2J\\u009b\\u202e\\u2028\\u007f\\u{e0001}\tb\\u000d\n    2026-11-21T');
      if (gateway === 'uws') t.match(text, '/x?a\\u009b31m\\u202e\\u2028\\u007f\\u2066 500');
      t.match(text, /\n +at .*server\.test/, 'stacks keep their lines');
      t.equal(text.match(/^\d{4}-\d\d-\d\dT/gm)?.length, 1, 'one entry');
    },
  );
}
