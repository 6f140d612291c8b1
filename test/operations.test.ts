/** The samples of docs/operations, run by the programs that they are for. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type App, eventStream, Router, serve, WsgiHandler } from '../src/index.js';
import { proxyHeaders } from '../src/middleware/index.js';
import { eventually } from './support/eventually.js';
import { makeFolder } from './support/run-in-folder.js';
import { startScript } from './support/script.js';

function has(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
}

function missing(command: string): string | false {
  if (has(command)) return false;
  if (process.env.CI !== undefined) throw new Error(`${command} is not installed`);
  return `${command} is not installed`;
}

/** The first block of a page in a language. */
function readSample(page: string, language: string): string {
  const text = readFileSync(new URL(`../docs/operations/${page}.md`, import.meta.url), 'utf8');
  const block = new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(text)?.[1];
  if (block === undefined) throw new Error(`${page}.md has no block of ${language}`);
  return block;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** Runs nginx with the sample, whose paths, port and limits are those given. */
async function startNginx(
  t: Test,
  folder: string,
  replace: readonly (readonly [string, string])[],
): Promise<string> {
  const port = await freePort();
  let sample = readSample('nginx', 'nginx');
  for (const [text, by] of [...replace, ['listen 80;', `listen 127.0.0.1:${port};`] as const]) {
    if (!sample.includes(text)) throw new Error(`the sample has no ${text}`);
    sample = sample.replace(text, () => by);
  }
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const config = join(folder, 'nginx.conf');
  writeFileSync(
    config,
    `daemon off; ${process.getuid?.() === 0 ? 'user root;' : ''} worker_processes 1; error_log stderr; pid ${folder}/nginx.pid;
     events {} http { access_log off; ${paths.join(' ')} ${sample} }`,
  );
  const tried = spawnSync('nginx', ['-t', '-c', config, '-p', folder], { encoding: 'utf8' });
  t.match(tried.stderr, /syntax is ok[\s\S]*test is successful/, 'nginx -t');
  t.notMatch(tried.stderr, /\[(?:warn|emerg)\]/);
  const nginx: ChildProcess = spawn('nginx', ['-c', config, '-p', folder], { stdio: 'ignore' });
  const exited = once(nginx, 'exit');
  t.teardown(async () => {
    nginx.kill('SIGTERM');
    await exited;
  });
  await eventually('nginx listens', () => isOpen(port));
  return `http://127.0.0.1:${port}`;
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const isConnected = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  });
  socket.destroy();
  return isConnected;
}

t.test('nginx in front', { skip: missing('nginx') }, async (t) => {
  let next = () => {};
  const router = new Router()
    .get('/who', ({ environ }) => ({
      address: environ.REMOTE_ADDR,
      scheme: environ['wsgi.url_scheme'],
      host: environ.HTTP_HOST,
      port: environ.SERVER_PORT,
      protocol: environ.SERVER_PROTOCOL,
    }))
    .get('/events', () =>
      eventStream(
        (async function* () {
          yield { data: 'one' };
          await new Promise<void>((resolve) => {
            next = resolve;
          });
          yield { data: 'two' };
        })(),
      ),
    );
  const app: App = new WsgiHandler([
    proxyHeaders({ trusted: ['loopback'] }),
    (environ, start) => {
      if (environ.PATH_INFO !== '/report') return;
      start('200 OK', [
        ['Content-Type', 'application/pdf'],
        ['X-Accel-Redirect', '/protected/report.pdf'],
      ]);
      return [];
    },
    (environ, start) => {
      if (environ.REQUEST_METHOD !== 'POST') return;
      start('200 OK', [['Content-Type', 'text/plain']]);
      return ['taken'];
    },
    router,
  ]);
  for (const over of ['unix', 'tcp']) {
    const folder = makeFolder(t);
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, 'files'));
    writeFileSync(join(folder, 'files/report.pdf'), 'the report');
    const socket = join(folder, 'shop.sock');
    const server = await serve(app, {
      bind: over === 'unix' ? `unix:${socket}` : '127.0.0.1:0',
      logLevel: 'silent',
    });
    t.teardown(() => server.close({ timeoutMs: 0 }));
    const upstream = over === 'unix' ? `unix:${socket}` : server.url.slice('http://'.length);
    const url = await startNginx(t, folder, [
      ['unix:/run/shop/shop.sock', upstream],
      ['/srv/shop/files/', `${folder}/files/`],
    ]);
    const { host, port } = new URL(url);
    const who = { address: '127.0.0.1', scheme: 'http', host, port, protocol: 'HTTP/1.1' };
    t.same(await (await fetch(`${url}/who`)).json(), who, `${over}: who asks`);
    const forged = {
      'X-Forwarded-For': '6.6.6.6',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': 'evil.example',
      'X-Forwarded-Port': '1',
    };
    // Who asks is of loopback, which is trusted here; so what stands left of it counts.
    const expected = { ...who, address: '6.6.6.6' };
    t.same(
      await (await fetch(`${url}/who`, { headers: forged })).json(),
      expected,
      'scheme, host and port are those of nginx',
    );
    for (let i = 0; i < 50; i++) await (await fetch(`${url}/who`)).arrayBuffer();
    t.ok(server.connections <= 3, `connections are kept: ${server.connections}`);

    const events = await fetch(`${url}/events`);
    const reader = (events.body as ReadableStream<Uint8Array>).getReader();
    const first = await reader.read();
    t.match(Buffer.from(first.value ?? []).toString(), /data: ?one/, 'an event comes before the end');
    next();
    let rest = '';
    for (let part = await reader.read(); !part.done; part = await reader.read())
      rest += Buffer.from(part.value).toString();
    t.match(rest, /data: ?two/);

    const report = await fetch(`${url}/report`);
    t.same(
      [report.headers.get('content-type'), await report.text()],
      ['application/pdf', 'the report'],
      'X-Accel-Redirect',
    );
    t.equal((await fetch(`${url}/protected/report.pdf`)).status, 404, 'which no client reaches');
    const body = Buffer.alloc(1 << 20);
    t.equal(await (await fetch(`${url}/`, { method: 'POST', body })).text(), 'taken');
    const large = await fetch(`${url}/`, { method: 'POST', body: Buffer.alloc(17 << 20) }).catch(
      () => undefined,
    );
    t.ok(large === undefined || large.status === 413, 'nginx refuses what is too large');
    await server.close({ timeoutMs: 0 });
    t.equal((await fetch(`${url}/who`)).status, 502, 'nobody there');
  }
});

t.test('nginx without proxy_http_version is refused', { skip: missing('nginx') }, async (t) => {
  const folder = makeFolder(t);
  const server = await serve(() => [], { bind: '127.0.0.1:0', logLevel: 'silent' });
  t.teardown(() => server.close({ timeoutMs: 0 }));
  const url = await startNginx(t, folder, [
    ['unix:/run/shop/shop.sock', server.url.slice('http://'.length)],
    ['    proxy_http_version 1.1;\n', ''],
  ]);
  const { status } = await fetch(`${url}/`);
  t.ok(status >= 500, `HTTP/1.0: ${status}`);
});

t.test('nginx passes upgrades on', { skip: missing('nginx') }, async (t) => {
  const folder = makeFolder(t);
  // As a server of WebSockets takes the connection over.
  const upstream = createServer((socket) => {
    socket.once('data', (head) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
      socket.write(/^connection: upgrade\r$/im.test(String(head)) ? 'upgraded ' : 'not ');
      socket.on('data', (bytes) => socket.write(bytes));
    });
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  t.teardown(() => upstream.close());
  const { port } = upstream.address() as AddressInfo;
  const url = await startNginx(t, folder, [['unix:/run/shop/shop.sock', `127.0.0.1:${port}`]]);
  const client = connect(Number(new URL(url).port), '127.0.0.1');
  t.teardown(() => client.destroy());
  client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
  let text = '';
  client.on('data', (bytes) => {
    text += String(bytes);
    if (text.endsWith('upgraded ')) client.write('hello');
  });
  await eventually('an echo', () => text.endsWith('upgraded hello'));
  t.match(text, /^HTTP\/1\.1 101 /);
});

t.test('the systemd unit', { skip: missing('systemd-analyze') }, (t) => {
  const folder = makeFolder(t);
  const unit = join(folder, 'shop.service');
  const verify = (text: string) => {
    writeFileSync(unit, text);
    // A user that there is, as verify looks.
    return spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
  };
  const sample = readSample('systemd', 'ini').replace('/usr/bin/node', process.execPath);
  const { status, stderr } = verify(sample);
  const ours = (text: string) => text.split('\n').filter((line) => line.includes('shop.service'));
  t.equal(status, 0, stderr);
  t.same(ours(stderr), []);
  t.ok(
    ours(verify(sample.replace('KillMode=mixed', 'KillMode=mixt')).stderr).length > 0,
    'it would say what is wrong',
  );
  t.end();
});

t.test('process 1 obeys signals', { skip: process.getuid?.() !== 0 && 'needs root' }, async (t) => {
  const folder = makeFolder(t);
  const source = `import { spawn } from 'node:child_process';
    import { writeFileSync } from 'node:fs';
    writeFileSync('server.mjs', \`import { WsgiServer } from 'DIST/index.js';
      console.log('pid', process.pid);
      await new WsgiServer((environ, start) => { start('200 OK', []); return ['hello']; }).start();\`);
    const child = spawn('unshare', ['--pid', '--fork', '--kill-child', process.execPath, 'server.mjs', '--bind', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (bytes) => {
      text += bytes;
      if (String(bytes).includes('ready on')) process.send({ unshare: child.pid });
    });
    child.on('close', (code) => process.send({ code, text }, () => process.disconnect()));`;
  const script = startScript(t, folder, source);
  const { unshare } = (await script.next()) as { unshare: number };
  const child = readFileSync(`/proc/${unshare}/task/${unshare}/children`, 'utf8').trim();
  process.kill(Number(child), 'SIGTERM');
  const { code, text } = (await script.next()) as { code: number; text: string };
  t.match(text, /^pid 1$/m);
  t.match(text, /bye/);
  t.equal(code, 0);
  await script.ended;
});
