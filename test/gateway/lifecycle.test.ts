/** How both gateways listen, serve TLS and unix sockets, hand connections over, and stop. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import t from 'tap';
import type { ServerOptions } from '../../src/index.js';
import { createCertificate, createFolder, hasCommand } from '../support/certificates.js';
import { conformance, type Kit, LIMITS } from '../support/conformance-kit.js';
import { headerValue, Wire, type WireAddress } from '../support/wire.js';

const folder = createFolder();
t.teardown(() => folder.remove());
const certificates = hasCommand('openssl', 'version')
  ? {
      main: createCertificate(folder.path, 'a.example'),
      other: createCertificate(folder.path, 'b.example'),
      wildcard: createCertificate(folder.path, '*.c.example'),
      secret: createCertificate(folder.path, 'd.example', 'open sesame'),
    }
  : undefined;

let files = 0;
const freshPath = (name: string) => join(folder.path, `${name}-${files++}`);

async function isRefused(address: WireAddress): Promise<boolean> {
  const socket = connect(address as { port: number });
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(false));
    socket.once('error', () => resolve(true));
  }).finally(() => socket.destroy()) as Promise<boolean>;
}

/** What a child throws: its code and message. */
async function refusal(attempt: Promise<unknown>): Promise<{ code: string; message: string } | undefined> {
  try {
    await attempt;
    return undefined;
  } catch (error) {
    return error as { code: string; message: string };
  }
}

const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`;

conformance((test, gateway) => {
  test('close() completes the request under way, tells its connection, and takes no new ones', async (t, kit) => {
    const { server, address } = await kit.listen('every');
    const id = kit.id();
    const wire = await kit.open(address);
    wire.write(get(`/wait-at-gate?id=${id}`));
    await kit.note(id, 'called');
    let isClosed = false;
    const closed = kit.call('close', { server }).then(() => {
      isClosed = true;
    });
    await kit.until(
      () => isRefused(address),
      () => 'new connections to be refused',
    );
    t.equal(isClosed, false, 'it waits');
    await kit.call('openGate', { id });
    const response = await wire.response();
    t.equal(response.body.toString(), 'through the gate');
    t.equal(headerValue(response, 'connection'), 'close');
    await wire.closed();
    await closed;
  });

  test('close() completes a streamed response under way', async (t, kit) => {
    for (const [path, body] of [
      ['/chunk-then-gate', 'before after'],
      ['/stalls-after-a-chunk', 'firstsecond'],
    ] as const) {
      const { server, address } = await kit.listen('every');
      const id = kit.id();
      const wire = await kit.open(address);
      wire.write(get(`${path}?id=${id}`));
      await wire.until(() => wire.received.length > 0, 'the beginning');
      const closed = kit.call('close', { server });
      await kit.until(
        () => isRefused(address),
        () => 'new connections to be refused',
      );
      await kit.call('openGate', { id });
      const response = await wire.response();
      t.equal(response.body.toString(), body);
      t.equal(response.isComplete, true);
      await wire.closed();
      await closed;
    }
  });

  test('close() completes an upload under way', async (t, kit) => {
    const { server, address } = await kit.listen('every');
    const id = kit.id();
    const wire = await kit.open(address);
    wire.write(`POST /digest?id=${id} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello`);
    await kit.note(id, 'called');
    const closed = kit.call('close', { server });
    await kit.until(
      () => isRefused(address),
      () => 'new connections to be refused',
    );
    wire.write('world');
    const response = await wire.response();
    t.match(JSON.parse(response.body.toString()), { bytes: 10 });
    t.equal(headerValue(response, 'connection'), 'close');
    await closed;
  });

  test('close() ends idle connections; one that asks while it drains is told to close', async (t, kit) => {
    const { server, address } = await kit.listen('every');
    const idle = await Promise.all(Array.from({ length: 20 }, () => kit.open(address)));
    for (const wire of idle) wire.write(get('/hello'));
    for (const wire of idle) await wire.response();
    const id = kit.id();
    const busy = await kit.open(address);
    busy.write(get(`/wait-at-gate?id=${id}`));
    await kit.note(id, 'called');
    const closed = kit.call('close', { server });
    await kit.until(
      () => isRefused(address),
      () => 'new connections to be refused',
    );
    const [first] = idle as [Wire];
    first.write(get('/hello'));
    const last = await first.responseOrEnd();
    if (last !== undefined) t.equal(headerValue(last, 'connection'), 'close');
    else t.ok(first.isEnded);
    await kit.call('openGate', { id });
    t.equal((await busy.response()).status, 200);
    await closed;
    for (const wire of idle) await wire.closed();
  });

  test('close() cuts what hangs after timeoutMs', async (t, kit) => {
    const { server, address } = await kit.listen('every');
    const ids = [kit.id(), kit.id(), kit.id()] as const;
    const wires = await Promise.all(ids.map(() => kit.open(address)));
    const paths = ['/never', '/stalls-after-a-chunk', '/upload-at-gate'];
    for (const [i, wire] of wires.entries())
      wire.write(`POST ${paths[i]}?id=${ids[i]} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n`);
    await kit.note(ids[0], 'called');
    await kit.note(ids[2], 'called');
    await wires[1]?.until(() => wires[1]?.received.length !== 0, 'the beginning');
    const began = performance.now();
    await kit.call('close', { server, timeoutMs: 100 });
    const tookMs = performance.now() - began;
    t.ok(tookMs >= 90 && tookMs < 1000, `${tookMs} ms`);
    for (const wire of wires) await wire.closed();
    t.equal(wires[0]?.received.length, 0);
    t.equal((await wires[1]?.response())?.isComplete, false);
    await kit.note(ids[0], 'signal ERR_SERVER_STOPPED');
    await kit.note(ids[1], 'signal ERR_SERVER_STOPPED');
    await kit.call('openGate', { id: ids[1] });
    await kit.note(ids[1], 'finally');
    await kit.call('openGate', { id: ids[2] });
  });

  test('close() with 0 cuts at once, and an idle server closes at once', async (t, kit) => {
    for (const isBusy of [true, false]) {
      const { server, address } = await kit.listen('every');
      const id = kit.id();
      const wire = await kit.open(address);
      wire.write(get(isBusy ? `/never?id=${id}` : '/hello'));
      if (isBusy) await kit.note(id, 'called');
      else await wire.response();
      const began = performance.now();
      await kit.call('close', isBusy ? { server, timeoutMs: 0 } : { server });
      t.ok(performance.now() - began < 600);
      await wire.closed();
    }
  });

  test('close() can be called twice, and its port can be had again', async (t, kit) => {
    const { server, address } = await kit.listen('every');
    await Promise.all([kit.call('close', { server }), kit.call('close', { server })]);
    await kit.call('close', { server });
    const { port } = address as { port: number };
    const again = await kit.listen('every', { bind: `127.0.0.1:${port}` });
    t.equal((await kit.get('/hello', '', again.address)).status, 200);
    await kit.call('close', { server: again.server });
  });

  test('close() refuses a time that makes no sense', async (t, kit) => {
    const { server } = await kit.listen('every');
    for (const timeoutMs of [-1, '5' as unknown as number]) {
      t.equal(
        (await refusal(kit.call('close', { server, timeoutMs })))?.code,
        'ERR_CONFIG_INVALID',
        String(timeoutMs),
      );
    }
    await kit.call('close', { server });
  });

  test('connections are counted, and are none in the end', async (t, kit) => {
    const { server, address } = await kit.listen('every');
    t.equal(await kit.call('connections', { server }), 0);
    const wires = await Promise.all(Array.from({ length: 10 }, () => kit.open(address)));
    await kit.until(
      async () => (await kit.call('connections', { server })) === 10,
      () => 'ten connections',
    );
    for (const wire of wires.slice(0, 5)) wire.destroy();
    await kit.until(
      async () => (await kit.call('connections', { server })) === 5,
      () => 'five connections',
    );
    await kit.call('close', { server, timeoutMs: 0 });
    await kit.until(
      async () => (await kit.call('connections', { server })) === 0,
      () => 'no connection',
    );
    for (const wire of wires) wire.destroy();
  });

  test('a port in use is EADDRINUSE', async (t, kit) => {
    const { port } = kit.address as { port: number };
    for (const other of ['uws', 'node'] as const) {
      const error = await refusal(kit.listen('every', { bind: `127.0.0.1:${port}`, gateway: other }));
      t.equal(error?.code, 'EADDRINUSE', `${other} beside ${gateway}`);
      t.match(error?.message, String(port));
    }
    const foreign = createServer().listen(0, '127.0.0.1');
    await once(foreign, 'listening');
    const taken = (foreign.address() as { port: number }).port;
    t.equal(
      (await refusal(kit.listen('every', { bind: `127.0.0.1:${taken}` })))?.code,
      'EADDRINUSE',
      'beside another process',
    );
    t.equal(
      (await refusal(kit.listen('every', { bind: `0.0.0.0:${taken}` })))?.code,
      'EADDRINUSE',
      'on all interfaces',
    );
    foreign.close();
  });

  test('an address that is not ours, a host that is not known', async (t, kit) => {
    t.match((await refusal(kit.listen('every', { bind: '192.0.2.1:0' })))?.code, /^EADDRNOTAVAIL$/);
    t.match(
      (await refusal(kit.listen('every', { bind: 'no-such-host.invalid:0' })))?.code,
      /^(ENOTFOUND|EAI_AGAIN)$/,
    );
  });

  test('localhost, IPv6 and all interfaces can be bound', async (t, kit) => {
    await kit.serving('every', { bind: 'localhost:0' }, async ({ url, address }) => {
      t.match(url, /^http:\/\/localhost:\d+$/);
      t.equal((await kit.get('/hello', '', address)).status, 200);
    });
    await kit.serving('every', { bind: ':0' }, async ({ url, address }) => {
      t.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
      const { port } = address as { port: number };
      t.strictSame(await kit.json('/env?keys=REMOTE_ADDR', '', { host: '127.0.0.1', port }), {
        REMOTE_ADDR: '127.0.0.1',
      });
    });
    if (!existsSync('/proc/net/if_inet6') || readFileSync('/proc/net/if_inet6', 'latin1') === '') {
      t.comment('no IPv6 here');
      return;
    }
    await kit.serving('every', { bind: '[::1]:0' }, async ({ url, address }) => {
      t.match(url, /^http:\/\/\[::1\]:\d+$/);
      t.strictSame(await kit.json('/env?keys=REMOTE_ADDR,SERVER_NAME', '', address), {
        REMOTE_ADDR: '::1',
        SERVER_NAME: '::1',
      });
    });
    await kit.serving('every', { bind: '[::]:0' }, async ({ address }) => {
      const { port } = address as { port: number };
      t.strictSame(await kit.json('/env?keys=REMOTE_ADDR', '', { host: '::1', port }), {
        REMOTE_ADDR: '::1',
      });
      t.strictSame(
        await kit.json('/env?keys=REMOTE_ADDR', '', { host: '127.0.0.1', port }),
        { REMOTE_ADDR: '127.0.0.1' },
        'an IPv4 client of an IPv6 socket',
      );
    });
  });

  test('another limit of heads in one process is refused on uws, which has one', async (t, kit) => {
    const attempt = kit.listen('every', { maxHeadBytes: LIMITS.maxHeadBytes * 2 });
    if (gateway === 'uws') {
      t.equal((await refusal(attempt))?.code, 'ERR_UWS_HEAD_LIMIT');
      return;
    }
    const { server } = await attempt;
    await kit.call('close', { server });
  });

  test('a unix socket serves, and its file goes with the server', async (t, kit) => {
    const path = freshPath('serves');
    const { server, address, url } = await kit.listen('every', { bind: `unix:${path}` });
    t.equal(url, `unix:${path}`);
    t.strictSame(
      await kit.json(
        '/env?keys=REMOTE_ADDR,REMOTE_PORT,SERVER_NAME,SERVER_PORT,wsgi.url_scheme',
        '',
        address,
      ),
      {
        REMOTE_ADDR: '',
        REMOTE_PORT: null,
        SERVER_NAME: 'localhost',
        SERVER_PORT: '80',
        'wsgi.url_scheme': 'http',
      },
    );
    t.equal((await kit.get('/form/async-generator', '', address)).body.toString(), 'one two three');
    if (hasCommand('curl')) {
      const { stdout } = spawnSync(
        'curl',
        ['-s', '--max-time', '5', '--unix-socket', path, 'http://a/hello'],
        { encoding: 'utf8' },
      );
      t.equal(stdout, 'ok', 'curl agrees');
    }
    await kit.call('close', { server });
    t.equal(existsSync(path), false);
  });

  test('a unix socket that another server answers on is not taken over', async (t, kit) => {
    const path = freshPath('live');
    const { server, address } = await kit.listen('every', { bind: `unix:${path}` });
    for (const other of ['uws', 'node'] as const) {
      t.equal(
        (await refusal(kit.listen('every', { bind: `unix:${path}`, gateway: other })))?.code,
        'EADDRINUSE',
        other,
      );
    }
    t.equal((await kit.get('/hello', '', address)).status, 200, 'it goes on');
    await kit.call('close', { server });
    const foreign = createServer((socket) => socket.on('error', () => {}).end('foreign')).listen(path);
    await once(foreign, 'listening');
    t.equal(
      (await refusal(kit.listen('every', { bind: `unix:${path}` })))?.code,
      'EADDRINUSE',
      'of another process',
    );
    t.equal(existsSync(path), true);
    foreign.close();
    await once(foreign, 'close');
  });

  test('a file that is no socket is left alone', async (t, kit) => {
    const path = freshPath('file');
    writeFileSync(path, 'precious');
    const error = await refusal(kit.listen('every', { bind: `unix:${path}` }));
    t.equal(error?.code, 'EADDRINUSE');
    t.match(error?.message, path);
    t.equal(readFileSync(path, 'utf8'), 'precious');
  });

  test('a stale unix socket is replaced', async (t, kit) => {
    const path = freshPath('stale');
    const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.stdout.write('up'))`;
    const child = spawn(process.execPath, ['-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env.PATH },
    });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    t.equal(existsSync(path), true, 'it is there, and nobody answers');
    const { server, address } = await kit.listen('every', { bind: `unix:${path}` });
    t.equal((await kit.get('/hello', '', address)).status, 200);
    await kit.call('close', { server });
  });

  test('a unix socket in a folder that is not there is a clear error', async (t, kit) => {
    const path = join(folder.path, 'no-such-folder', 'socket');
    const error = await refusal(kit.listen('every', { bind: `unix:${path}` }));
    t.ok(error, 'it is refused');
    t.match(error?.message, path);
    t.match(error?.code, /^E(NOENT|ACCES|ADDRNOTAVAIL)$/);
  });

  test('a unix socket whose path is too long for the system is a clear error', async (t, kit) => {
    const error = await refusal(kit.listen('every', { bind: `unix:${join(folder.path, 'x'.repeat(120))}` }));
    t.ok(error, 'it is refused');
  });

  const tls = certificates;
  if (tls === undefined) {
    test('TLS', (t) => t.comment('openssl is not here'));
  } else {
    const ca = [tls.main, tls.other, tls.wildcard, tls.secret].map(({ certFile }) => readFileSync(certFile));
    const open = (address: WireAddress, servername = 'a.example') => Wire.open(address, { servername, ca });
    const subject = (wire: Wire) => (wire.socket as TLSSocket).getPeerCertificate().subject.CN;

    test('TLS serves, and the environ says so', async (t, kit) => {
      await kit.serving('every', tls.main, async ({ address, url }) => {
        t.match(url, /^https:/);
        const wire = await open(address);
        t.equal(subject(wire), 'a.example');
        wire.write(get('/env?keys=HTTPS,wsgi.url_scheme,SERVER_PORT,REMOTE_ADDR'));
        t.strictSame(JSON.parse((await wire.response()).body.toString()), {
          HTTPS: 'on',
          'wsgi.url_scheme': 'https',
          SERVER_PORT: String((address as { port: number }).port),
          REMOTE_ADDR: '127.0.0.1',
        });
        for (const path of ['/form/async-generator', '/form/array', '/form/write-with-waits']) {
          wire.write(get(path));
          t.equal((await wire.response()).body.toString(), 'one two three', path);
        }
        wire.write(get('/stream/known-length?bytes=3000000'));
        t.equal((await wire.response()).body.length, 3_000_000);
        wire.write(get('/stream/async-generator?bytes=3000000'));
        t.equal((await wire.response()).body.length, 3_000_000);
        wire.write(
          `POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(1_000_000)}`,
        );
        t.equal(JSON.parse((await wire.response()).body.toString()).body.length, 1_000_000);
        wire.write(get('/env-in?keys=HTTPS'));
        t.strictSame(JSON.parse((await wire.response()).body.toString()), [true]);
        wire.destroy();
        if (hasCommand('curl')) {
          const { port } = address as { port: number };
          const { stdout } = spawnSync(
            'curl',
            [
              '-s',
              '--max-time',
              '5',
              '--cacert',
              tls.main.certFile,
              '--resolve',
              `a.example:${port}:127.0.0.1`,
              `https://a.example:${port}/hello`,
            ],
            { encoding: 'utf8' },
          );
          t.equal(stdout, 'ok', 'curl trusts it');
        }
      });
    });

    test('a client of TLS that leaves aborts its request', async (t, kit) => {
      await kit.serving('every', tls.main, async ({ address }) => {
        const ids = [kit.id(), kit.id()] as const;
        const waiting = await open(address);
        waiting.write(get(`/wait-for-abort?id=${ids[0]}`));
        await kit.note(ids[0], 'called');
        waiting.destroy();
        await kit.note(ids[0], 'close');
        const reading = await open(address);
        reading.write(get(`/endless/async-generator-at-full-speed?id=${ids[1]}`));
        await reading.until(() => reading.received.length > 0, 'the beginning');
        reading.destroy();
        await kit.note(ids[1], 'finally');
        t.match(await kit.notes(ids[0]), ['called', 'signal ERR_CLIENT_ABORTED']);
      });
    });

    test('a response of TLS that fails is cut', async (t, kit) => {
      await kit.serving('every', tls.main, async ({ address }) => {
        const wire = await open(address);
        wire.write(get('/bad/throws-after-a-sent-chunk'));
        await wire.closed();
        if (wire.received.length > 0) t.equal((await wire.response()).isComplete, false);
        wire.destroy();
      });
    });

    test('SNI chooses among certificates', async (t, kit) => {
      const sni = [
        { hostname: 'b.example', ...tls.other },
        { hostname: '*.c.example', ...tls.wildcard },
      ];
      await kit.serving('every', { ...tls.main, sni }, async ({ address }) => {
        // uws compares names as they are spelt; clients send them in lower case.
        const shouted = gateway === 'uws' ? 'a.example' : 'b.example';
        for (const [name, expected] of [
          ['a.example', 'a.example'],
          ['b.example', 'b.example'],
          ['B.EXAMPLE', shouted],
          ['x.c.example', '*.c.example'],
        ] as const) {
          const wire = await Wire.open(address, { servername: name, rejectUnauthorized: false });
          t.equal(subject(wire), expected, name);
          for (const path of ['/hello', '/form/async-generator', '/bad/throws', '/hello']) {
            wire.write(get(path));
            t.equal((await wire.response()).status, path.startsWith('/bad') ? 500 : 200, `${name} ${path}`);
          }
          wire.write(`PROPFIND /echo HTTP/1.1\r\nHost: a\r\n\r\n`);
          t.equal((await wire.response()).status, 200);
          wire.destroy();
        }
        const unknown = await Wire.open(address, { servername: 'z.example', rejectUnauthorized: false });
        t.equal(subject(unknown), 'a.example', 'an unknown name gets the first');
        unknown.write(get('/hello'));
        t.equal((await unknown.response()).status, 200);
        unknown.destroy();
        const nameless = await Wire.open(address, { rejectUnauthorized: false });
        t.equal(subject(nameless), 'a.example', 'no name gets the first');
        nameless.destroy();
      });
    });

    test('an encrypted key is opened by its passphrase', async (t, kit) => {
      await kit.serving('every', { ...tls.secret, passphrase: 'open sesame' }, async ({ address }) => {
        const wire = await open(address, 'd.example');
        wire.write(get('/hello'));
        t.equal((await wire.response()).status, 200);
        wire.destroy();
      });
    });

    test('wrong TLS settings are clear errors', async (t, kit) => {
      const garbage = freshPath('garbage.pem');
      writeFileSync(garbage, 'not a certificate');
      const missing = join(folder.path, 'no-such.pem');
      const attempts = {
        'a certificate that is not there': { certFile: missing, keyFile: tls.main.keyFile },
        'a key that is not there': { certFile: tls.main.certFile, keyFile: missing },
        'a certificate without its key': { certFile: tls.main.certFile },
        'a key without its certificate': { keyFile: tls.main.keyFile },
        'a certificate that is none': { certFile: garbage, keyFile: tls.main.keyFile },
        'a key that is none': { certFile: tls.main.certFile, keyFile: garbage },
        'a key of another certificate': { certFile: tls.main.certFile, keyFile: tls.other.keyFile },
        'an encrypted key without its passphrase': tls.secret,
        'an encrypted key with a wrong passphrase': { ...tls.secret, passphrase: 'open barley' },
        'an SNI certificate that is not there': {
          ...tls.main,
          sni: [{ hostname: 'b.example', certFile: missing, keyFile: missing }],
        },
        'an SNI certificate that is none': {
          ...tls.main,
          sni: [{ hostname: 'b.example', certFile: garbage, keyFile: garbage }],
        },
        'an SNI key of another certificate': {
          ...tls.main,
          sni: [{ hostname: 'b.example', certFile: tls.other.certFile, keyFile: tls.main.keyFile }],
        },
        'an SNI certificate without a first one': { sni: [{ hostname: 'b.example', ...tls.other }] },
      };
      for (const [what, options] of Object.entries(attempts)) {
        const error = await refusal(
          kit.listen('every', options).then(async (served) => {
            await kit.call('close', { server: served.server, timeoutMs: 0 });
          }),
        );
        t.equal(error?.code, 'ERR_CONFIG_INVALID', what);
        t.match(error?.message, /certFile|keyFile|passphrase/, `${what}: ${error?.message}`);
        t.notMatch(error?.message, '\n', 'one line');
      }
    });

    test('TLS errors name option, file and remedy', async (t, kit) => {
      const garbage = freshPath('garbage.pem');
      writeFileSync(garbage, 'not a certificate');
      const empty = freshPath('empty.pem');
      writeFileSync(empty, '');
      const damaged = freshPath('damaged.pem');
      writeFileSync(damaged, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
      const { main, other, secret } = tls;
      const sni = (certFile: string, keyFile: string) => ({
        ...main,
        sni: [{ hostname: 'b.example', certFile, keyFile }],
      });
      const attempts: [ServerOptions, file: string, message: RegExp][] = [
        [
          { ...main, certFile: '/none.pem' },
          '/none.pem',
          /^Option "certFile" must be a file that can be read/,
        ],
        [
          { ...main, certFile: garbage },
          garbage,
          /^Option "certFile" must be .* PEM; .* no line .*openssl x509/,
        ],
        [{ ...main, certFile: empty }, empty, /^Option "certFile" must be a certificate in PEM/],
        [{ ...main, certFile: damaged }, damaged, /^Option "certFile" .*it is damaged .*make the file anew$/],
        [
          { ...main, certFile: main.keyFile },
          main.keyFile,
          /it holds a private key: exchange certFile and keyFile/,
        ],
        [
          { ...main, keyFile: garbage },
          garbage,
          /^Option "keyFile" must be .* PEM; .* no line .*openssl pkey/,
        ],
        [{ ...main, keyFile: empty }, empty, /^Option "keyFile" must be a private key in PEM/],
        [
          { ...main, keyFile: main.certFile },
          main.certFile,
          /it holds a certificate: exchange certFile and keyFile/,
        ],
        [
          { ...main, keyFile: other.keyFile },
          other.keyFile,
          /^Option "keyFile" must be the key of option "certFile"/,
        ],
        [secret, secret.keyFile, /^Option "passphrase" must be given.*is encrypted; or openssl pkey/],
        [
          { ...secret, passphrase: 'no' },
          secret.keyFile,
          /^Option "passphrase" must be the one.*does not open it$/,
        ],
        [sni(garbage, main.keyFile), garbage, /^Option "sni\.certFile" must be a certificate in PEM/],
        [sni(main.certFile, garbage), garbage, /^Option "sni\.keyFile" must be a private key in PEM/],
        [
          sni(secret.certFile, secret.keyFile),
          secret.keyFile,
          /^Option "sni\.keyFile" must be a key without pass/,
        ],
        [
          sni(main.certFile, other.keyFile),
          other.keyFile,
          /^Option "sni\.keyFile" must be the key of option/,
        ],
      ];
      for (const [options, file, message] of attempts) {
        const error = await refusal(
          kit.listen('every', options).then(async (served) => {
            await kit.call('close', { server: served.server, timeoutMs: 0 });
          }),
        );
        t.equal(error?.code, 'ERR_CONFIG_INVALID');
        t.match(error?.message, message);
        t.match(error?.message, file);
      }
    });

    test('what is no TLS does a TLS server no harm', async (t, kit) => {
      await kit.serving('every', tls.main, async ({ address }) => {
        const plain = await kit.open(address);
        plain.write(get('/hello'));
        await plain.closed();
        const half = await kit.open(address);
        half.write('\x16\x03\x01\x02\x00\x01');
        await kit.turn();
        half.destroy();
        const old = connectTls({
          ...(address as { port: number }),
          rejectUnauthorized: false,
          maxVersion: 'TLSv1.1',
          minVersion: 'TLSv1',
          ciphers: 'DEFAULT@SECLEVEL=0',
        });
        await new Promise((resolve) => {
          old.once('error', resolve).once('secureConnect', () => {
            t.fail('TLS 1.1 is refused');
            old.destroy();
            resolve(undefined);
          });
        });
        const wire = await open(address);
        wire.write(get('/hello'));
        t.equal((await wire.response()).status, 200, 'others are served');
        wire.destroy();
      });
    });

    test('TLS over a unix socket', async (t, kit) => {
      const path = freshPath('tls');
      await kit.serving('every', { ...tls.main, bind: `unix:${path}` }, async () => {
        const wire = await open({ path });
        wire.write(get('/env?keys=wsgi.url_scheme,REMOTE_ADDR,SERVER_PORT'));
        t.strictSame(JSON.parse((await wire.response()).body.toString()), {
          'wsgi.url_scheme': 'https',
          REMOTE_ADDR: '',
          SERVER_PORT: '443',
        });
        wire.destroy();
      });
    });

    test('close() of a TLS server completes what is under way', async (t, kit) => {
      const { server, address } = await kit.listen('every', tls.main);
      const id = kit.id();
      const wire = await open(address);
      wire.write(get(`/wait-at-gate?id=${id}`));
      await kit.note(id, 'called');
      const closed = kit.call('close', { server });
      await kit.until(
        () => isRefused(address),
        () => 'new connections to be refused',
      );
      await kit.call('openGate', { id });
      t.equal((await wire.response()).body.toString(), 'through the gate');
      await closed;
      wire.destroy();
    });
  }

  test('tunnels are for the node gateway', async (t, kit) => {
    const attempt = kit.listen('tunnels', { allowTunnels: true });
    if (gateway === 'uws') {
      const error = await refusal(attempt);
      t.equal(error?.code, 'ERR_CONFIG_INVALID');
      t.match(error?.message, /node/);
      return;
    }
    const { server } = await attempt;
    await kit.call('close', { server });
  });

  test('gateway "auto" picks uws, and node for tunnels', async (t, kit) => {
    for (const [options, expected] of [
      [{}, 'uws'],
      [{ allowTunnels: true }, 'node'],
    ] as const) {
      await kit.serving('every', { ...options, gateway: 'auto' }, async ({ address }) => {
        t.match(await kit.json('/env/all', '', address), { SERVER_PROTOCOL: 'HTTP/1.1' });
        const { 'vela.connection': _, ...all } = await kit.json('/env/all', '', address);
        t.equal('REMOTE_PORT' in all, expected === 'node', expected);
      });
    }
  });

  if (gateway === 'node') tunnels(test);
});

/** CONNECT and Upgrade, where they can be. */
function tunnels(test: (fact: string, body: (t: import('tap').Test, kit: Kit) => unknown) => void): void {
  const connectTo = (headers = '') =>
    `CONNECT b.example:443 HTTP/1.1\r\nHost: b.example:443\r\n${headers}\r\n`;
  const upgrade = (headers = '') =>
    `GET /x HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n${headers}\r\n`;
  const serve = (kit: Kit, run: (address: WireAddress) => Promise<void>) =>
    kit.serving('tunnels', { allowTunnels: true }, ({ address }) => run(address));

  for (const app of ['tunnel', 'tunnel-later']) {
    test(`CONNECT is taken by ${app}, both ways, with what was sent early`, async (t, kit) => {
      await serve(kit, async (address) => {
        for (const early of ['', 'early bird ']) {
          const wire = await kit.open(address);
          wire.write(connectTo(`X-App: ${app}\r\n`) + early);
          await wire.until(() => wire.received.includes('\r\n\r\n'), 'the answer');
          wire.write('hello');
          const expected = `HTTP/1.1 200 Connection Established\r\n\r\n${early}hello`;
          await wire.until(() => wire.received.length >= expected.length, 'the echo');
          t.equal(wire.received.toString(), expected);
          const big = Buffer.alloc(3_000_000, 'x');
          wire.received = Buffer.alloc(0);
          wire.write(big);
          await wire.until(() => wire.received.length >= big.length, 'a large echo', 10_000);
          wire.socket.end();
          await wire.closed();
        }
      });
    });

    test(`an Upgrade is taken by ${app}`, async (t, kit) => {
      await serve(kit, async (address) => {
        const wire = await kit.open(address);
        wire.write(`${upgrade(`X-App: ${app}\r\n`)}early `);
        const expected =
          'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nearly hello';
        wire.write('hello');
        await wire.until(() => wire.received.length >= expected.length, 'the echo');
        t.equal(wire.received.toString(), expected);
        wire.destroy();
      });
    });
  }

  test('an Upgrade can be answered in HTTP', async (t, kit) => {
    await serve(kit, async (address) => {
      for (const [app, status] of [
        ['hello', 200],
        ['record-later', 200],
        ['whole-with-signal', 200],
        ['error', 500],
        ['never-known', 500],
      ] as const) {
        const wire = await kit.open(address);
        wire.write(upgrade(`X-App: ${app}\r\n`));
        const response = await wire.response();
        t.equal(response.status, status, app);
        t.equal(response.isComplete, true, app);
        t.equal(headerValue(response, 'connection'), 'close', app);
        await wire.closed();
        t.equal(wire.received.length, 0);
        wire.destroy();
      }
    });
  });

  test('CONNECT can be refused in HTTP', async (t, kit) => {
    await serve(kit, async (address) => {
      const wire = await kit.open(address);
      wire.write(connectTo('X-App: error\r\n'));
      t.equal((await wire.response({ method: 'POST' })).status, 500);
      await wire.closed();
    });
  });

  test('an ordinary request has no tunnel', async (t, kit) => {
    await serve(kit, async (address) => {
      const response = await kit.get('/x', '', address);
      t.equal(`${response.status} ${response.body}`, '400 no tunnel here');
    });
  });

  test('a connection can be taken once', async (t, kit) => {
    await serve(kit, async (address) => {
      const id = kit.id();
      const wire = await kit.open(address);
      wire.write(upgrade('X-App: tunnel-twice\r\n').replace('/x', `/x?id=${id}`));
      await kit.note(id, 'ERR_CONTRACT_TAKEN');
      await wire.closed();
      t.match(wire.received.toString(), /bye$/);
    });
  });

  test('a client that leaves a tunnel, and one that leaves before it is taken, do no harm', async (t, kit) => {
    await serve(kit, async (address) => {
      const inside = await kit.open(address);
      inside.write(upgrade());
      await inside.until(() => inside.received.length > 0, 'the answer');
      inside.socket.resetAndDestroy();
      const before = await kit.open(address);
      before.write(upgrade('X-App: tunnel-later\r\n'));
      before.socket.resetAndDestroy();
      const id = kit.id();
      const waiting = await kit.open(address);
      waiting.write(upgrade('X-App: wait-for-abort\r\n').replace('/x', `/x?id=${id}`));
      await kit.note(id, 'called');
      waiting.destroy();
      await kit.note(id, 'signal ERR_CLIENT_ABORTED');
      t.equal((await kit.get('/x', 'X-App: hello\r\n', address)).status, 200);
    });
  });

  test('an Upgrade that is never answered is 504', async (t, kit) => {
    await kit.serving('tunnels', { allowTunnels: true, requestTimeoutMs: 100 }, async ({ address }) => {
      const wire = await kit.open(address);
      wire.write(upgrade('X-App: never\r\n'));
      t.equal((await wire.response()).status, 504);
      await wire.closed();
    });
  });

  test('close() does not wait for tunnels, and ends them', async (t, kit) => {
    const { server, address } = await kit.listen('tunnels', { allowTunnels: true });
    const wire = await kit.open(address);
    wire.write(upgrade());
    await wire.until(() => wire.received.length > 0, 'the answer');
    const closed = kit.call('close', { server, timeoutMs: 100 }).then(() => 'closed');
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve('still waiting'), 2000);
    });
    t.equal(await Promise.race([closed, late]), 'closed');
    clearTimeout(timer);
    if (!wire.isEnded) await wire.closed(500).catch(() => t.fail('the tunnel is ended'));
    wire.destroy();
  });

  test('an Upgrade without allowTunnels is an ordinary request', async (t, kit) => {
    const expected = '200 open';
    t.equal(
      await kit.outcome(
        'GET /hello HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
        expected,
      ),
      expected,
    );
  });

  test('a body after an Upgrade or CONNECT is not taken for one', async (t, kit) => {
    await serve(kit, async (address) => {
      const id = kit.id();
      const wire = await kit.open(address);
      wire.write(`${upgrade('X-App: hello\r\n')}GET /record?id=${id} HTTP/1.1\r\nHost: a\r\n\r\n`);
      t.equal((await wire.response()).status, 200);
      await wire.closed();
      t.equal(wire.received.length, 0);
      t.strictSame(await kit.notes(id), []);
    });
  });
}
