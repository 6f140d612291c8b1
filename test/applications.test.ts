/** Applications of a script: hooks, several in one, messages between them, and what an operator sees of them. */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Application, getApplication, WsgiServer } from '../src/index.js';
import { eventually } from './support/eventually.js';
import { runProgram, type Served } from './support/run-example.js';
import { makeFolder } from './support/run-in-folder.js';

const SCRIPT = 'test/support/applications.mjs';

type Program = Omit<Served, 'url'>;

async function startBoth(
  t: Test,
  flags: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<Program & { ask: (path: string) => Promise<unknown> }> {
  const program = runProgram(t, [SCRIPT, ...flags], env);
  const [, url = ''] = await program.said(/^vela: ready.* site on (\S+)/m);
  await program.said(/^started$/m);
  return { ...program, ask: (path) => askJson(`${url}${path}`) };
}

async function askJson(url: string): Promise<unknown> {
  const [response] = (await once(get(url, { agent: false }), 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return JSON.parse(text);
}

/** Lines about hooks, with `main` for the main process and without the pids of the others. */
function hooksOf({ lines, pid }: Program): string[] {
  return lines
    .filter((line) => /^(given )?(on|monitor|worker|when)[A-Z]/.test(line))
    .map((line) => line.replace(` ${pid}`, ' main').replace(/ \d+$/, ''));
}

t.test('hooks come in their order, in the process that is theirs', async (t) => {
  const program = await startBoth(t);
  t.match(
    program.lines.find((line) => line.startsWith('vela: ready')),
    new RegExp(
      `^vela: ready: ticker \\(2 workers, pid ${program.pid}\\), site on http://127\\.0\\.0\\.1:\\d+ \\(uws, 1 worker, pid ${program.pid}\\)$`,
    ),
  );
  await program.said(/"actor":"ticker-1","ticks":2/);
  t.equal(await program.stop(), 0);
  const hooks = hooksOf(program);
  t.same(hooks.slice(0, 2), ['onConfig arbiter main', 'monitorStart ticker main']);
  t.same(hooks.slice(2, 4).sort(), ['workerStart ticker-1', 'workerStart ticker-2']);
  // Given hooks come before those of the class at the start, and after them at the end.
  t.same(hooks.slice(4, 6), ['given whenReady  main', 'whenReady  main']);
  const stops = hooks.slice(6);
  t.same(
    stops.filter((line) => line.includes('ticker-1')),
    ['workerStop ticker-1', 'given workerStop ticker-1'],
  );
  t.same(
    stops.filter((line) => line.includes('ticker-2')),
    ['workerStop ticker-2', 'given workerStop ticker-2'],
  );
  t.equal(stops[0], 'monitorStop ticker main');
  t.equal(stops.length, 5);
  t.equal(
    program.lines.filter((line) => line === 'started').length,
    1,
    'what stands behind the start is for one process',
  );
});

t.test('applications send messages to each other, and know of each other', async (t) => {
  const { ask, said, stop, lines } = await startBoth(t);
  const [tick] = await said(/.*"actor":"ticker-2","ticks":1.*/);
  await said(/"actor":"ticker-1","ticks":1/);
  const started = lines.find((line) => line.startsWith('workerStart ticker-2 '));
  t.same(tick.match(/"pid":\d+/g), [`"pid":${started?.split(' ')[2]}`], 'a line of a worker has its pid');
  t.equal(await ask('/worker'), 'hello Ann, from ticker-1 to site-1');
  t.equal(await ask('/monitor'), 'hello Ann, from ticker to site-1');
  t.equal(await ask('/own'), 'hello Ann, from site to site-1');
  t.equal(await ask('/nobody'), 'ERR_ACTOR_DIED');
  t.same(await ask('/settings'), [2, 1]);
  t.equal(await ask('/self'), true);
  const { extra, workers } = (await ask('/info')) as {
    extra: object;
    workers: { extra: { ticks: number } }[];
  };
  t.same(extra, { told: 'ticker', known: 'ticker' });
  t.match(workers, [{ extra: { known: 'ticker-1' } }, { extra: { known: 'ticker-2' } }]);
  t.ok(workers.every((worker) => worker.extra.ticks >= 1));
  t.equal(await stop(), 0);
});

t.test('all of them log by the settings, also where the script has called arbiter()', async (t) => {
  const file = join(makeFolder(t), 'app.log');
  const program = await startBoth(t, ['--log-file', file]);
  const logged = (pattern: RegExp) => () => pattern.test(readFileSync(file, 'utf8'));
  await eventually('the monitor and a worker have logged', () =>
    [/"msg":"the monitor has a turn"/, /"actor":"ticker-2","ticks":1,"msg":"tick"/].every((line) =>
      logged(line)(),
    ),
  );
  const worker = Number(program.lines.find((line) => line.startsWith('workerStart ticker-1'))?.split(' ')[2]);
  process.kill(worker, 'SIGKILL');
  await eventually(
    'its end is logged',
    logged(new RegExp(`"actor":"ticker-1","processId":${worker},"reason":"killed"`)),
  );
  await eventually(
    'it is there again',
    logged(/"actor":"ticker-1","processId":\d+,"msg":"the actor \\"ticker-1\\" is there again"/),
  );
  t.equal(await program.stop(), 0);
  t.equal(program.log(), '', 'nothing is on standard error');

  const own = await startBoth(t, [], { GIVEN_LOGGER: '1' });
  await own.said(/^own info tick$/m);
  t.equal(await own.stop(), 0);
});

t.test('an application that onConfig leaves out is not started', async (t) => {
  const program = runProgram(t, [SCRIPT], { LEFT_OUT: '1' });
  await program.said(/^started$/m);
  t.match(
    program.lines.find((line) => line.startsWith('vela: ready')),
    /^vela: ready on http:\S+ \(uws, 1 worker, pid \d+\)$/,
  );
  t.equal(await program.stop(), 0);
  t.same(hooksOf(program), ['onConfig arbiter main']);
});

t.test('a program of which nothing runs ends, and says why', async (t) => {
  const app = 'const app = () => [];';
  const imports = "import { WsgiServer } from 'vela'; import { arbiter } from 'vela/actors';";
  const out = `${imports} ${app} await new WsgiServer(app, { bind: 0, hooks: { onConfig: () => false } }).start();`;
  const left = runProgram(t, ['--input-type=module', '-e', out]);
  t.equal(await left.ended, 0);
  t.match(left.log(), /nothing runs: the hook onConfig has left out all applications/);
  const twins = `new WsgiServer(app, { bind: 0 }); new WsgiServer(app, { bind: 0 });`;
  const twice = runProgram(t, [
    '--input-type=module',
    '-e',
    `${imports} ${app} ${twins} await arbiter().start();`,
  ]);
  t.equal(await twice.ended, 2);
  t.match(
    twice.log(),
    /^vela: Two applications are called "wsgi", and each needs a name of its own: [^\n]*\n$/,
  );
});

for (const [hook, text] of [
  ['onConfig', /^Error: onConfig has failed\n {4}at /m],
  [
    'monitorStart',
    /"stack":"Error: monitorStart has failed\\n {4}at [\s\S]*^vela: The application "ticker" did not start: monitorStart has failed$/m,
  ],
  [
    'workerStart',
    /"stack":"Error: workerStart has failed\\n {4}at [\s\S]*^vela: The application "ticker" did not start: workerStart has failed$/m,
  ],
] as const) {
  t.test(`what ${hook} throws ends the program, and is told`, async (t) => {
    const program = runProgram(t, [SCRIPT], { FAILS: hook });
    t.equal(await program.ended, 1);
    t.match(program.log(), text);
    t.notOk(program.lines.some((line) => line.startsWith('vela: ready')));
  });
}

t.test('what a task throws is logged, and the task goes on', async (t) => {
  const program = await startBoth(t, [], { FAILS: 'workerTask' });
  await program.said(/workerTask has failed[\s\S]*"ticks":2/);
  t.equal(await program.stop(), 0);
});

t.test('signals are answered in the log', async (t) => {
  const program = await startBoth(t);
  process.kill(program.pid, 'SIGTTOU');
  await program.said(/"ticker\\" has 1 worker from now on/);
  await program.said(/"site\\" has 1 worker, the least that it can have/);
  process.kill(program.pid, 'SIGUSR2');
  await program.said(/SIGUSR2 does nothing here: SIGHUP reloads/);
  t.equal(await program.ask('/worker'), 'hello Ann, from ticker-1 to site-1', 'it serves on');
  t.equal(await program.stop(), 0);
});

t.test('a reload names the settings that need a restart', async (t) => {
  const file = join(makeFolder(t, { 'vela.json': '{}' }), 'vela.json');
  const program = await startBoth(t, ['-c', file]);
  writeFileSync(file, JSON.stringify({ workerTimeoutMs: 5000, pidFile: `${file}.pid`, maxBodyBytes: 5 }));
  process.kill(program.pid, 'SIGHUP');
  await program.said(/^vela: reloaded$/m);
  t.match(
    program.log(),
    /"settings":\["workerTimeoutMs","pidFile"\],"msg":"\\"site\\" is reloaded without workerTimeoutMs, pidFile: /,
  );
  t.equal(await program.stop(), 0);
});

t.test('workers: 0 says what it cannot do', async (t) => {
  const program = await startBoth(t, ['--workers', '0', '--reload']);
  await program.said(/Option \\"reload\\" does nothing with workers: 0/);
  process.kill(program.pid, 'SIGTTIN');
  await program.said(/"ticker\\" has no workers of its own, and cannot be given more or fewer/);
  t.equal(await program.stop(), 0);
});

t.test('flags of gunicorn and puma are told their names here', async (t) => {
  const flags = ['--timeout', '30', '--daemon', '--pid', 'x', '--access-logfile', '-', '-t', '30'];
  const program = runProgram(t, [SCRIPT, ...flags]);
  t.equal(await program.ended, 2);
  t.same(program.log().trimEnd().split('\n'), [
    'vela: There is no flag --timeout (did you mean --worker-timeout-ms, in milliseconds?); --help lists the flags',
    'vela: There is no flag --daemon: the program stays in the foreground, and what starts it, such as systemd, looks after it; --help lists the flags',
    'vela: There is no flag --pid (did you mean --pid-file?); --help lists the flags',
    'vela: There is no flag --access-logfile (did you mean --access-log?); --help lists the flags',
    'vela: --worker-timeout-ms must be 0 or a whole number of ms from 500 to 2147483647; received 30',
  ]);
});

t.test('mistakes are told when they are made', (t) => {
  t.throws(
    () => new WsgiServer(() => [], { nam: 'x' } as object),
    /no option "nam" \(did you mean "name"\?\)/,
  );
  t.throws(
    () => new Application({ bind: 1 } as object),
    /no option "bind"; the options are name, prefix, hooks, workers/,
  );
  t.throws(
    () => new Application({ hooks: { whenRedy() {} } as object }),
    /no hook "whenRedy" \(did you mean "whenReady"\?\)/,
  );
  t.throws(
    () => getApplication(undefined as unknown as string),
    new TypeError('getApplication takes the name of an application; received undefined'),
  );
  t.throws(() => getApplication('nobody'), { code: 'ERR_APP_NONE' });
  const made = new Application({ name: 'made' });
  t.equal(getApplication('made'), made);
  t.throws(() => made.settings, { code: 'ERR_APP_NOT_STARTED' });
  t.end();
});
