import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeFolder } from './support/run-in-folder.js';
import { runScript, startScript } from './support/script.js';

/** Takes the pid file that a message names, and says what came of it. */
const TAKE = `
import { takePidFile } from 'MODULES/app/pid-file.js';
let release = () => {};
process.on('message', async ({ path, uid, isLast }) => {
  if (isLast) { process.disconnect(); return; }
  if (path === undefined) { release(); release = () => {}; process.send('released'); return; }
  if (uid !== undefined) process.setuid(uid);
  try {
    release = await takePidFile(path, '--pid-file');
    process.send('taken');
  } catch (error) {
    process.send(error.code + ' ' + error.message);
  }
});
process.send('ready');
`;
const ONCE = `
import { takePidFile } from 'MODULES/app/pid-file.js';
await takePidFile(process.argv[2]);
`;

/** The number of a process that has ended. */
async function endedPid(): Promise<number> {
  const child = spawn('true');
  await once(child, 'exit');
  return child.pid as number;
}

t.test('one of many processes has it, whatever was there before', async (t) => {
  const folder = makeFolder(t);
  const stale = await endedPid();
  const BEFORE: readonly (readonly [string, string | undefined])[] = [
    ['nothing', undefined],
    ['of a process that has ended', `${stale}\n`],
    ['garbled', 'no number'],
    ['empty', ''],
  ];
  const scripts = Array.from({ length: 6 }, () => startScript(t, folder, TAKE));
  for (const script of scripts) t.equal(await script.next(), 'ready');
  const ROUNDS = 60;
  const wrong: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const path = join(folder, `${round}.pid`);
    const [what, content] = BEFORE[round % BEFORE.length] as (typeof BEFORE)[number];
    if (content !== undefined) writeFileSync(path, content);
    // A lock of a process that was killed.
    if (round % 3 === 0) writeFileSync(`${path}.lock`, `${stale}`);
    for (const { child } of scripts) child.send({ path });
    const said = await Promise.all(scripts.map((script) => script.next()));
    const winners = scripts.filter((_, index) => said[index] === 'taken');
    const holder = winners[0]?.pid;
    const refusal = `ERR_CONFIG_INVALID --pid-file names ${path}, which the living process ${holder} holds: stop that one, or give this server a pid file of its own`;
    if (winners.length !== 1 || said.some((one) => one !== 'taken' && one !== refusal))
      wrong.push(`${what}: ${said.join(', ')}`);
    if (readFileSync(path, 'utf8') !== `${holder}\n`) wrong.push(`${what}: ${readFileSync(path, 'utf8')}`);
    for (const script of scripts) {
      script.child.send({});
      await script.next();
    }
    if (existsSync(path)) wrong.push(`${what}: not removed`);
  }
  t.same(wrong, []);
  // Those of rounds that needed no lock are still what they were.
  const left = readdirSync(folder).filter((name) => !name.endsWith('.mjs'));
  t.ok(
    left.every((name) => /^\d+\.pid\.lock$/.test(name) && Number.parseInt(name, 10) % 12 === 0),
    left.join(' '),
  );
  for (const { child } of scripts) child.send({ isLast: true });
  for (const { ended } of scripts) t.match(await ended, { code: 0 });
});

t.test('the file', async (t) => {
  const folder = makeFolder(t);
  const path = join(folder, 'a.pid');
  const script = startScript(t, folder, `process.umask(0o077);${TAKE}`);
  await script.next();
  script.child.send({ path });
  t.equal(await script.next(), 'taken');
  t.equal(readFileSync(path, 'utf8'), `${script.pid}\n`);
  t.equal(statSync(path).mode & 0o777, 0o644, 'whatever the umask is');
  t.match(await runScript(t, folder, ONCE, { args: [path] }), {
    code: 1,
    stderr: /the living process \d+ holds/,
  });
  script.child.send({ path });
  t.match(await script.next(), /which this process holds already$/);
  t.same(
    readdirSync(folder).filter((name) => name.startsWith('a.pid')),
    ['a.pid'],
    'nothing beside it',
  );
  script.child.send({ isLast: true });
  await script.ended;
  t.notOk(existsSync(path), 'is removed at exit');

  for (const [how, code] of [
    ['process.exit()', 'process.exit(3);'],
    ['an uncaught error', "throw new Error('uncaught');"],
  ] as const) {
    t.not((await runScript(t, folder, `${ONCE}${code}`, { args: [path] })).code, 0);
    t.notOk(existsSync(path), `and at ${how}`);
  }
  const other = `import { renameSync, writeFileSync } from 'node:fs';${ONCE}writeFileSync(process.argv[2] + '.new', '1\\n'); renameSync(process.argv[2] + '.new', process.argv[2]);`;
  await runScript(t, folder, other, { args: [path] });
  t.equal(readFileSync(path, 'utf8'), '1\n', "another one's stays");
});

t.test('who holds it', { skip: process.platform !== 'linux' && 'reads /proc' }, async (t) => {
  const folder = makeFolder(t);
  const path = join(folder, 'a.pid');
  const take = async (content: string | number, more = '') => {
    writeFileSync(path, String(content));
    return runScript(t, folder, `${more}${ONCE}`, { args: [path] });
  };
  const server = startScript(t, folder, TAKE);
  await server.next();
  t.match(await take(server.pid), { code: 1, stderr: new RegExp(`process ${server.pid} holds`) });
  const sleeper = spawn('sleep', ['60']);
  t.teardown(() => sleeper.kill('SIGKILL'));
  await once(sleeper, 'spawn');
  t.match(await take(sleeper.pid as number), { code: 0 }, 'another program has the number now');
  const thread = readdirSync(`/proc/${server.pid}/task`).find((id) => Number(id) !== server.pid) as string;
  t.match(await take(thread), { code: 0 }, 'a thread has it');
  const own = "import { writeFileSync } from 'node:fs'; writeFileSync(process.argv[2], String(process.pid));";
  t.match(await take('', own), { code: 0 }, 'this process has it, as in a container that was started again');
  // The parent of a zombie does not ask for it.
  const parent = spawn('sh', ['-c', 'true & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.teardown(() => parent.kill('SIGKILL'));
  const zombie = Number(String((await once(parent.stdout, 'data'))[0]));
  t.match(await take(zombie), { code: 0 }, 'it has ended, and waits for its parent');
  for (const number of [0, 4194305, 9999999999])
    t.match(await take(number), { code: 0 }, `no process is ${number}`);

  server.child.send({ isLast: true });
});

t.test('of another user', { skip: process.getuid?.() !== 0 && 'needs root' }, async (t) => {
  const folder = makeFolder(t);
  const open = join(folder, 'open');
  mkdirSync(open);
  chmodSync(folder, 0o755);
  chmodSync(open, 0o1777);
  const [roots, users] = [1, 2].map(() => startScript(t, folder, TAKE));
  if (roots === undefined || users === undefined) throw new Error('not started');
  await Promise.all([roots.next(), users.next()]);
  const path = join(open, 'a.pid');
  roots.child.send({ path });
  t.equal(await roots.next(), 'taken');
  users.child.send({ path, uid: 65534 });
  t.match(await users.next(), /the living process \d+ holds/, 'whom it may send no signal: EPERM');
  users.child.send({ path: join(folder, 'b.pid') });
  t.match(
    await users.next(),
    /^ERR_CONFIG_INVALID --pid-file must be a file that can be written; received "\S+": this user may not write to \/\S+$/,
  );
  for (const { child } of [roots, users]) child.send({ isLast: true });
});

t.test('what is no pid file stays', async (t) => {
  const folder = makeFolder(t, { 'server.js': '// '.padEnd(100, 'x') });
  mkdirSync(join(folder, 'folder'));
  symlinkSync('nowhere', join(folder, 'link.pid'));
  for (const [name, pattern] of [
    [
      'server.js',
      /^Option "pidFile" must be a pid file; \S+ is a file of 100 bytes, and stays as it is: give another path$/m,
    ],
    ['folder', /^Option "pidFile" must be a pid file; \S+ is no file/m],
    ['none/a.pid', /received "\S+none\/a\.pid": there is no folder \S+none: make it first$/m],
  ] as const) {
    const message = `${ONCE.replace('await', 'try { await')}} catch (error) { console.error(error.message); process.exit(2); }`;
    const { code, stderr } = await runScript(t, folder, message, { args: [join(folder, name)] });
    t.equal(code, 2, name);
    t.match(stderr, pattern);
  }
  t.equal(statSync(join(folder, 'server.js')).size, 100);
  t.match(
    await runScript(t, folder, ONCE, { args: [join(folder, 'link.pid')] }),
    { code: 0 },
    'a link to nowhere is replaced',
  );
});
