/**
 * Proves the package as a user gets it: packs it, checks the tarball, installs it in an empty folder, compiles README's
 * TypeScript there, serves a small app, asks it a few questions, stops it with SIGTERM. Prints `ok`: `npm run smoke`.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const START_MS = 15_000;
const STOP_MS = 10_000;
const CHECKS = ['publint run --strict', 'attw --profile esm-only --no-emoji --no-summary --format ascii'];
/** Need an optional peer, which is not installed here: what they throw without it. */
const WITH_PEER = {
  './opentelemetry': 'ERR_OPENTELEMETRY_MISSING',
  './prometheus': 'ERR_PROMETHEUS_MISSING',
};
const root = fileURLToPath(new URL('..', import.meta.url));
const { name, exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));

const HELLO = `import { WsgiServer } from 'vela';

const hello = (environ, startResponse) => {
  if (environ.REQUEST_METHOD !== 'GET' && environ.REQUEST_METHOD !== 'HEAD') {
    startResponse('405 Method Not Allowed', [['Allow', 'GET, HEAD']]);
    return [];
  }
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return ['Hello World!\\n'];
};
await new WsgiServer(hello).start(['--bind', process.argv[2]]);
`;

const folder = mkdtempSync(join(tmpdir(), 'vela-smoke-'));
try {
  const tarball = pack();
  for (const check of CHECKS) run('npm', ['exec', '--offline', '--', ...check.split(' '), tarball], root);
  const project = install(tarball);
  compile(project);
  await serveFrom(project);
  console.log('ok');
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Packs this repository, which builds it; returns the tarball's path. */
function pack() {
  run('npm', ['pack', '--silent', '--pack-destination', folder], root);
  const [tarball] = readdirSync(folder);
  return join(folder, tarball);
}

/** Installs the tarball in an empty project, imports every entry point, looks at its names, and returns the project's folder. */
function install(tarball) {
  const project = join(folder, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }\n');
  writeFileSync(join(project, 'hello.js'), HELLO);
  run('npm', ['install', '--silent', '--no-audit', '--no-fund', tarball], project);
  const imports = listEntries()
    .map((entry) => `keepsNames(await import('${entry.replace('.', name)}'));`)
    .join(' ');
  const refusals = Object.entries(WITH_PEER).map(
    ([entry, code]) => `await import('${entry.replace('.', name)}').then(
    () => { throw new Error('${entry} loads without its optional peer'); },
    (error) => { if (error.code !== '${code}') throw error; },
  );`,
  );
  const code = `${keepsNames} ${imports} ${refusals.join('')}`;
  run(process.execPath, ['--input-type=module', '--eval', code], project);
  run('npm', ['exec', '--offline', '--', 'vela', '--version'], project);
  return project;
}

/** The bundler is not to rename what errors and the console show. */
function keepsNames(exported) {
  for (const [name, value] of Object.entries(exported))
    if (typeof value === 'function' && value.name !== name && /^_|\d$/.test(value.name))
      throw new Error(`${name} is called ${value.name}`);
}

/**
 * Compiles the server of README with the tsconfig.json of README, and all types that entry points reach, as a project does
 * that has only the packages that README names: a type that comes from a development dependency of ours, or from an optional
 * peer, fails here.
 */
function compile(project) {
  const readme = readFileSync(`${root}README.md`, 'utf8');
  const block = (language) => new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'm').exec(readme)?.[1];
  const [server, tsconfig] = [block('ts'), block('json')];
  assert.match(server ?? '', /new WsgiServer/, 'README.md begins with a server');
  assert.match(tsconfig ?? '', /compilerOptions/, 'README.md has a tsconfig.json');
  for (const types of ['@types/node', 'undici-types'])
    cpSync(join(root, 'node_modules', types), join(project, 'node_modules', types), {
      recursive: true,
      dereference: true,
    });
  const imports = listEntries()
    .map((entry) => `import '${entry.replace('.', name)}';\n`)
    .join('');
  writeFileSync(join(project, 'server.ts'), server);
  writeFileSync(join(project, 'entries.ts'), imports);
  writeFileSync(join(project, 'tsconfig.json'), tsconfig);
  const all = {
    extends: './tsconfig.json',
    compilerOptions: { noEmit: true, skipLibCheck: false },
    include: ['*.ts'],
  };
  writeFileSync(join(project, 'tsconfig.all.json'), JSON.stringify(all));
  const tsc = fileURLToPath(import.meta.resolve('typescript/bin/tsc'));
  for (const config of ['tsconfig.json', 'tsconfig.all.json'])
    run(process.execPath, [tsc, '-p', config], project);
}

/** The entry points that load without optional peers. */
function listEntries() {
  return Object.keys(exports).filter((entry) => !entry.endsWith('.json') && WITH_PEER[entry] === undefined);
}

/** Starts hello.js, asks, stops, and expects a clean exit. */
async function serveFrom(project) {
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}/`;
  const child = spawn(process.execPath, ['hello.js', `127.0.0.1:${port}`], {
    cwd: project,
    stdio: 'inherit',
  });
  const exited = once(child, 'exit');
  try {
    const hello = await fetchWhenUp(url, child);
    assert.equal(hello.status, 200);
    assert.equal(hello.headers.get('content-type'), 'text/plain');
    assert.equal(await hello.text(), 'Hello World!\n');
    const head = await fetch(url, { method: 'HEAD' });
    assert.deepEqual([head.status, await head.text()], [200, '']);
    const post = await fetch(url, { method: 'POST', body: 'x' });
    assert.deepEqual([post.status, post.headers.get('allow')], [405, 'GET, HEAD']);
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    assert.deepEqual(await exited, [0, null], 'expected exit code 0 after SIGTERM');
    clearTimeout(timer);
  } finally {
    child.kill('SIGKILL');
  }
}

/** Asks until the server answers. */
async function fetchWhenUp(url, child) {
  for (const until = Date.now() + START_MS; ; await new Promise((wake) => setTimeout(wake, 50))) {
    const response = await fetch(url).catch(() => undefined);
    if (response !== undefined) return response;
    if (child.exitCode !== null || Date.now() > until) throw new Error(`hello.js did not answer at ${url}`);
  }
}

async function findFreePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  return port;
}

function run(command, args, cwd) {
  const { status } = spawnSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`\`${command} ${args.join(' ')}\` failed`);
}
