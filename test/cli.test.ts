import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { makeFolder } from './support/run-in-folder.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const { bin, version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  bin: { vela: string };
  version: string;
};

const HELLO = `export default (environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return ['hello from ' + environ.SERVER_SOFTWARE];
};
`;

/** The environment of a process that neither tap nor tsx watches. It has no workers, which start as the main process does. */
const env = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([key]) => key !== 'NODE_OPTIONS' && !/^_?TAP|^VELA_/.test(key)),
  ),
  VELA_WORKERS: '0',
};

/** A folder outside of this repository, with modules and the package. */
function makeProject(
  t: Test,
  files: Readonly<Record<string, string>>,
  packages: readonly string[] = [],
): string {
  const folder = makeFolder(t);
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules', 'vela'));
  for (const name of packages) symlinkSync(`${root}node_modules/${name}`, join(folder, 'node_modules', name));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

/** Runs the built command to its end. */
function vela(cwd: string, ...args: string[]): { stdout: string; stderr: string; status: number | null } {
  return spawnSync(process.execPath, [`${root}${bin.vela}`, ...args], { cwd, env, encoding: 'utf8' });
}

/** Starts `vela serve`, and waits until it is ready. */
async function serve(t: Test, cwd: string, ...args: string[]): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [`${root}${bin.vela}`, 'serve', ...args], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { child, url: /^vela: ready on (\S+)/.exec(line)?.[1] ?? line };
}

t.test('vela serve', async (t) => {
  const folder = makeProject(t, {
    'hello.js': HELLO,
    'typed.ts': `import { type App, WsgiHandler } from 'vela';
const one: App = (_environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return ['typed'];
};
export const site = new WsgiHandler([one]);
`,
    'old.cjs': "exports.app = (environ, start) => (start('200 OK', []), ['old']);",
    'vela.config.json': '{ "gateway": "node" }',
  });
  for (const [module, text] of [
    ['hello.js', /^hello from vela\//],
    ['./hello', /^hello from vela\//],
    ['typed.ts:site', /^typed$/],
    ['old.cjs', /^old$/],
  ] as const) {
    const workers = module === 'typed.ts:site' ? '2' : '0';
    const flags = ['--log-level', 'warn', '--workers', workers];
    const { child, url } = await serve(t, folder, '-b', '127.0.0.1:0', module, ...flags);
    t.match(await (await fetch(url)).text(), text, module);
    child.kill('SIGTERM');
    t.same(await once(child, 'exit'), [0, null]);
  }
  const { stdout } = vela(folder, 'serve', 'hello.js', '-b', ':1', '--print-config');
  t.match(stdout, /^bind +:1 +--bind$/m);
  t.match(stdout, /^gateway +node +vela\.config\.json$/m);
  const help = vela(folder, 'serve', '--help');
  t.match(help.stdout, /^Usage: vela serve <module> \[flags\]\n/);
  t.match(help.stdout, /^Listening:\n +-b, --bind <address>/m);
});

t.test('vela serve knows applications of other kinds', async (t) => {
  const folder = makeProject(
    t,
    {
      'express.js': `import express from 'express';
export const app = express();
app.get('/', (request, response) => response.send('express on ' + request.socket.remoteAddress));`,
      'koa.cjs': `const Koa = require('koa');
module.exports = new Koa().use((context) => { context.body = 'koa'; });`,
      'fastify.js': `import fastify from 'fastify';
const app = fastify();
app.register(async (scope) => { scope.get('/', async () => ({ name: 'fastify' })); });
app.addHook('onClose', async () => console.log('fastify is closed'));
export default app;`,
      'server.js': `import { createServer } from 'node:http';
export default createServer((request, response) => response.end('server ' + request.method));`,
      'hono.js':
        "import { Hono } from 'hono';\nexport default new Hono().get('/', (context) => context.text('hono'));",
      'handler.js': "export default (request) => new Response('fetch ' + new URL(request.url).pathname);",
      'listener.js': "export default async (request, response) => response.end('listener ' + request.url);",
    },
    ['express', 'koa', 'fastify', 'hono'],
  );
  for (const [args, text] of [
    [['express.js'], 'express on 127.0.0.1'],
    [['express.js', '--workers', '2'], 'express on 127.0.0.1'],
    [['koa.cjs'], 'koa'],
    [['fastify.js'], '{"name":"fastify"}'],
    [['server.js'], 'server GET'],
    [['hono.js'], 'hono'],
    [['handler.js', '--interface', 'fetch'], 'fetch /'],
    [['listener.js', '--interface', 'node'], 'listener /'],
  ] as const) {
    const { child, url } = await serve(t, folder, '-b', '127.0.0.1:0', ...args, '--log-level', 'warn');
    const lines: string[] = [];
    child.stdout?.on('data', (bytes) => lines.push(String(bytes)));
    t.equal(await (await fetch(url)).text(), text, args.join(' '));
    child.kill('SIGTERM');
    t.same(await once(child, 'exit'), [0, null]);
    if (args[0] === 'fastify.js') t.match(lines.join(''), /^fastify is closed$/m);
  }
  const { stdout, status } = vela(folder, 'check', 'listener.js', '--interface', 'node');
  t.match(stdout, /^ok +GET \/ was answered 200 OK, 10 bytes$/m);
  t.equal(status, 0);
});

t.test('vela serve tells what cannot be served', async (t) => {
  const folder = makeProject(t, {
    'none.js': '',
    'other.js': 'export const start = 5, site = {}; export class App {}',
    'class.js': 'export default class Site { handle() {} }',
    'starts.js': "import { WsgiServer } from 'vela';\nawait new WsgiServer(() => []).start();",
    'program.js': "import { WsgiServer } from 'vela';\nexport default new WsgiServer(() => []);",
  });
  for (const [args, pattern] of [
    [[], /^vela serve takes a module, as in vela serve \.\/server\.js:app --bind :8060; none came$/],
    [['none.js', 'x.js'], /^vela serve takes one module.*received x\.js too$/],
    [['gone.js'], /^There is no module "gone\.js": no file \/.*gone\.js, nor one that ends in/],
    [
      ['none.js'],
      /^none\.js has no export "default" or "app"; it exports nothing: name one as in none\.js:NAME; a program that listens by itself is run with node --import vela\/http\/register none\.js$/,
    ],
    [['other.js'], /it exports "App" \(a class\), "site" \(an object \(Object\)\), "start" \(5\): name one/],
    [['other.js:sit'], /^other\.js has no export "sit" \(did you mean "site"\?\)/],
    [
      ['other.js:start'],
      /^The export "start" of other\.js is no application, but 5; it exports .*with handle$/,
    ],
    [['class.js'], /is no application, but a class/],
    [['other.js', '--interface', 'cgi'], /^--interface takes wsgi, node, fetch; received "cgi"$/],
    [['program.js'], /exports a WsgiServer, which is a program of its own: run it with node program\.js/],
    [['none.js', '--bnd', '1'], /^There is no flag --bnd \(did you mean --bind\?\)/],
    [
      ['starts.js'],
      /^"serve" belongs to no flag: a module that calls \.start\(\) is a program of its own, so run it with/,
    ],
  ] as const) {
    const { stdout, stderr, status } = vela(folder, 'serve', ...args);
    t.same([stdout, status], ['', 2], args.join(' '));
    t.match(stderr.replace(/^vela: /, '').trimEnd(), pattern);
    t.notMatch(stderr.trimEnd(), '\n', 'one line');
  }
  writeFileSync(join(folder, 'broken.js'), 'throw new RangeError("it broke")');
  const broken = vela(folder, 'serve', 'broken.js');
  t.equal(broken.status, 1);
  t.match(
    broken.stderr,
    /^vela: RangeError: it broke\n +at .*broken\.js:1/,
    "a module's own error keeps its stack",
  );
});

t.test('vela check', async (t) => {
  const folder = makeProject(t, {
    'hello.js': HELLO,
    'parts.js': `import { WsgiHandler } from 'vela';
const part = Object.assign((environ, start) => (start('204 No Content', []), []), { stop: () => console.log('stopping') });
export default new WsgiHandler([part]);
`,
    'breach.js': 'export default (environ, start) => (start("200", []), ["x"]);',
    'fails.js': "export default () => { throw new Error('it broke') };",
    'unready.js':
      "export default Object.assign(() => [], { start: () => Promise.reject(new Error('no database')) });",
    'hangs.js':
      'setInterval(() => {}, 1000); export default Object.assign(() => [], { start: () => new Promise(() => {}) });',
    'router.js': "import { Router } from 'vela';\nexport default new Router().get('/a', () => 'a');",
    'open.js': `setInterval(() => {}, 1000);\n${HELLO}`,
  });
  const good = vela(folder, 'check', 'hello.js');
  t.same([good.stderr, good.status], ['', 0]);
  t.strictSame(good.stdout.replace(/\d+ bytes/, 'N bytes').split('\n'), [
    'ok     the settings of environment and config file are good',
    'ok     hello.js exports an application, "default"',
    'ok     it started',
    'ok     GET / was answered 200 OK, N bytes',
    'ok     it stopped',
    '',
  ]);
  t.match(
    vela(folder, 'check', 'parts.js', '--path', '/a').stdout,
    /GET \/a .*\nstopping\nok +it stopped\n$/,
  );
  const unknown = vela(folder, 'check', 'router.js', '--path', '/b');
  t.match(unknown.stdout, /^ok +GET \/b was answered 404 Not Found/m, 'a Router alone');
  t.same([unknown.stderr, unknown.status], ['', 0]);
  t.equal(vela(folder, 'check', 'open.js').status, 0, 'what is still open does not hold it');
  for (const [args, pattern] of [
    [['breach.js'], /^error {2}head-status\b|^error {2}\S+: /m],
    [['fails.js'], /^error {2}GET \/ was answered 500 /m],
    [['unready.js'], /^error {2}no database$/m],
    [['hangs.js', '--timeout-ms', '300'], /^error {2}it was not answered in time: see --timeout-ms$/m],
  ] as const) {
    const { stdout, status } = vela(folder, 'check', ...args);
    t.match(stdout, pattern);
    t.equal(status, 1, args[0]);
  }
  const wrong = vela(folder, 'check', 'hello.js', '--timeout-ms', 'long');
  t.match(wrong.stderr, /^vela: --timeout-ms must be a whole number of ms.*received "long"\n$/);
  t.equal(wrong.status, 2);
});

t.test('vela routes', async (t) => {
  const folder = makeProject(t, {
    'hello.js': HELLO,
    'site.js': `import { Router, WsgiHandler } from 'vela';
import { mount } from 'vela/middleware';
const router = new Router();
router.get('/users/:id', { name: 'user' }, function showUser() {});
export default new WsgiHandler([mount('/api', router)]);
`,
  });
  const { stdout, status } = vela(folder, 'routes', 'site.js');
  t.equal(status, 0);
  t.match(stdout, /^METHODS +PATH +NAME +HANDLER\n\S*GET\S* +\/api\/users\/:id +user +showUser\n$/);
  const none = vela(folder, 'routes', 'hello.js');
  t.match(none.stderr, /^vela: The export "default" of hello\.js tells of no routes: a Router does/);
  t.equal(none.status, 1);
});

t.test('vela doctor', async (t) => {
  const folder = makeProject(t, {});
  const { stdout, stderr, status } = vela(folder, 'doctor');
  t.equal(stderr, '');
  const states = new Map<string, string>();
  for (const [, state, name] of stdout.matchAll(/^(ok|warning|error) +(\S+(?: \w+)?) {2}/gm))
    states.set(name as string, state as string);
  t.strictSame(
    [...states.keys()],
    ['settings', 'Node', 'libc', 'uWebSockets.js', 'open files', 'tcp_migrate_req', 'port range'],
  );
  t.equal(status, [...states.values()].includes('error') ? 1 : 0);
  t.equal(
    stdout.match(/what to do:/g)?.length ?? 0,
    [...states.values()].filter((one) => one !== 'ok').length,
  );
  if (process.platform === 'linux' && process.arch === 'x64' && process.versions.modules === '115')
    t.match(stdout, /uWebSockets\.js +\/.*uws\.node, sha256 as it should be$/m);
  const checksum = /'([0-9a-f]{64})'/.exec(readFileSync(`${root}src/cli/check-uws-build.ts`, 'utf8'))?.[1];
  t.match(readFileSync(`${root}README.md`, 'utf8'), checksum, 'README has the same checksum');

  writeFileSync(join(folder, 'vela.config.json'), '{ "gatewy": "uws" }');
  const bad = vela(folder, 'doctor');
  t.match(bad.stdout, /^error +settings +There is no setting "gatewy".*\n +what to do: /m);
  t.equal(bad.status, 1);
});

t.test('vela itself', async (t) => {
  const folder = makeProject(t, {});
  t.match(vela(folder, '--version'), { stdout: `vela ${version}\n`, stderr: '', status: 0 });
  const help = vela(folder);
  t.equal(help.status, 0);
  for (const name of ['serve', 'check', 'routes', 'doctor'])
    t.match(help.stdout, new RegExp(`^  ${name} `, 'm'));
  for (const [args, pattern] of [
    [['sreve', 'a.js'], /^vela: Unknown command 'sreve' \(Did you mean serve\?\); vela --help lists/],
    [['check'], /^vela: Missing required argument 'module'; vela --help/],
    [['doctor', '--fix'], /^vela: Unknown option '--fix'/],
  ] as const) {
    const { stdout, stderr, status } = vela(folder, ...args);
    t.same([stdout, status], ['', 2]);
    t.match(stderr, pattern);
    t.equal(stderr.trimEnd().split('\n').length, 1, 'one line');
  }
});
