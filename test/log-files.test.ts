import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import { eventually } from './support/eventually.js';
import { makeFolder } from './support/run-in-folder.js';
import { runScript, type ScriptOptions, startScript } from './support/script.js';

/** Opens the logs that the first argument asks for. */
const OPEN = `
import { openLogs, reopenLogs } from 'MODULES/app/open-logs.js';
import { resolveSettings } from 'MODULES/app/resolve-settings.js';
const logs = await openLogs(resolveSettings(JSON.parse(process.argv[2] ?? '{}'))).catch((error) => {
  console.error(error.message);
  process.exit(2);
});
const logger = logs.loggers.named('shop');
`;

/** Serves, and logs a line for each request. */
const SERVE = `${OPEN}
import { serve } from 'DIST/index.js';
const app = (environ, start) => {
  logger.info({ uri: environ.RAW_URI, filler: 'x'.repeat(Number(environ.QUERY_STRING)) }, 'asked');
  start('200 OK', [['Content-Type', 'text/plain']]);
  return ['hello'];
};
const server = await serve(logs.logRequests(app), { bind: '127.0.0.1:0' });
process.on('message', async (message) => {
  if (message === 'reopen') {
    reopenLogs();
    process.send('reopened');
    return;
  }
  await server.close();
  logs.close();
  process.disconnect();
});
process.send(server.address.port);
`;

function run(
  t: Parameters<typeof runScript>[0],
  folder: string,
  settings: object,
  code: string,
  options: ScriptOptions = {},
) {
  return runScript(t, folder, `${OPEN}${code}`, { args: [JSON.stringify(settings)], ...options });
}

function readLines(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  if (text === '') return [];
  if (!text.endsWith('\n')) throw new Error(`${file} ends within a line: ${text.slice(-200)}`);
  return text.slice(0, -1).split('\n');
}

async function get(agent: Agent, port: number, path: string): Promise<void> {
  const sent = request({ agent, host: '127.0.0.1', port, path }).end();
  const [response] = await once(sent, 'response');
  response.resume();
  await once(response, 'end');
}

t.test('files that are renamed while several processes write lose no line, and tear none', async (t) => {
  const folder = makeFolder(t);
  const [access, general] = [join(folder, 'access.log'), join(folder, 'general.log')];
  const settings = { accessLog: access, accessLogFormat: '%(U)s %(q)s.', logFile: general };
  const scripts = [1, 2, 3].map(() => startScript(t, folder, SERVE, { args: [JSON.stringify(settings)] }));
  const ports = await Promise.all(scripts.map((script) => script.next()));
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  t.teardown(() => agent.destroy());
  const REQUESTS = 1500;
  const TURNS = 6;
  /** Of a part at least there are requests for each file. */
  const PARTS = TURNS + 2;
  const PART = REQUESTS / PARTS;
  let turns = 0;
  let answered = 0;
  const sending = ports.flatMap((port, index) =>
    Array.from({ length: 4 }, async (_, lane) => {
      for (let i = lane; i < REQUESTS; i += 4) {
        if (i >= (turns + 2) * PART) await eventually('a turn', () => i < (turns + 2) * PART);
        // Of many lengths, to 9 KiB.
        await get(agent, port as number, `/${index}/${i}?${i % 7 === 0 ? 3000 + i * 4 : i % 50}`);
        answered++;
      }
    }),
  );
  for (let turn = 1; turn <= TURNS; turn++) {
    const before = answered;
    await eventually('so many answers', () => answered >= before + PART);
    // Lines are written together, some time after their answers.
    await eventually('lines', () => statSync(access).size > 0);
    renameSync(access, `${access}.${turn}`);
    renameSync(general, `${general}.${turn}`);
    for (const { child } of scripts) child.send('reopen');
    for (const script of scripts) t.equal(await script.next(), 'reopened');
    t.ok(existsSync(access) && existsSync(general), 'there are new files');
    turns = turn;
  }
  await Promise.all(sending);
  for (const { child } of scripts) child.send('stop');
  for (const { ended } of scripts) t.match(await ended, { code: 0, stderr: '' });

  const expected = ports
    .flatMap((_, index) => Array.from({ length: REQUESTS }, (_, i) => `/${index}/${i}`))
    .sort();
  const files = readdirSync(folder);
  const ofAccess = files
    .filter((name) => name.startsWith('access'))
    .map((name) => readLines(join(folder, name)));
  t.equal(ofAccess.length, TURNS + 1);
  t.ok(
    ofAccess.every((lines) => lines.length > 0),
    'each has lines',
  );
  const seen = ofAccess.flat().map((line) => /^(\/\d\/\d+) \d+\.$/.exec(line)?.[1] ?? `torn: ${line}`);
  t.same(seen.sort(), expected, 'each request is there once');
  const ofGeneral = files
    .filter((name) => name.startsWith('general'))
    .flatMap((name) => readLines(join(folder, name)));
  const uris = ofGeneral.map((line) => String(JSON.parse(line).uri).split('?')[0]);
  t.same(uris.sort(), expected, 'so is each line of the log');
});

t.test('files are made for their user and group, less the umask, and appended to', async (t) => {
  const folder = makeFolder(t);
  const settings = { logFile: 'a.log', accessLog: 'b.log' };
  const say = "logger.info({}, 'one');";
  t.match(await run(t, folder, settings, `process.umask(0); ${say}`), { code: 0 });
  t.equal(statSync(join(folder, 'a.log')).mode & 0o777, 0o640 & ~process.umask(), 'opened before');
  t.match(await run(t, folder, settings, say), { code: 0, stderr: '' });
  t.equal(readLines(join(folder, 'a.log')).length, 2);
  const masked =
    "process.umask(0o077); const { openLogs: open } = await import('MODULES/app/open-logs.js'); await open({ logLevel: 'info', logFormat: 'json', logFile: process.cwd() + '/c.log' });";
  t.match(await run(t, folder, {}, masked), { code: 0 });
  t.equal(statSync(join(folder, 'c.log')).mode & 0o777, 0o600);
});

t.test('nothing is lost at exit', async (t) => {
  for (const [how, code] of [
    ['process.exit()', 'process.exit(3)'],
    ['an uncaught error', "setImmediate(() => { throw new Error('uncaught') })"],
  ] as const) {
    const folder = makeFolder(t);
    const settings = { logFile: 'general.log', accessLog: 'access.log', accessLogFormat: '%(U)s' };
    const source = `${SERVE}
      for (let i = 0; i < 500; i++) logger.info({ i }, 'line');
      for (let i = 0; i < 20; i++) await (await fetch(server.url + '/' + i)).text();
      ${code};`;
    const script = startScript(t, folder, source, { args: [JSON.stringify(settings)] });
    const { code: exit } = await script.ended;
    t.not(exit, 0, how);
    t.equal(readLines(join(folder, 'access.log')).length, 20, how);
    t.equal(readLines(join(folder, 'general.log')).length, 520, how);
  }
  const folder = makeFolder(t);
  const source = `${SERVE}
    for (let i = 0; i < 20; i++) await (await fetch(server.url + '/' + i)).text();
    process.exit(0);`;
  const settings = { accessLog: '-', accessLogFormat: '%(U)s', logLevel: 'silent' };
  const { stdout } = await startScript(t, folder, source, { args: [JSON.stringify(settings)] }).ended;
  t.equal(stdout.split('\n').filter((line) => /^\/\d+$/.test(line)).length, 20, 'on standard output');
});

t.test(
  'a full disk ends nothing and floods nothing',
  { skip: !existsSync('/dev/full') && 'no /dev/full' },
  async (t) => {
    const folder = makeFolder(t);
    symlinkSync('/dev/full', join(folder, 'full.log'));
    const settings = { accessLog: 'full.log', logFile: 'full.log' };
    const script = startScript(t, folder, SERVE, { args: [JSON.stringify(settings)] });
    const port = (await script.next()) as number;
    const agent = new Agent({ keepAlive: true });
    for (let i = 0; i < 200; i++) await get(agent, port, `/${i}?1`);
    t.match(
      script.log(),
      /^vela: lines cannot be written to \S+full\.log, and are lost until they can: ENOSPC.*\n$/,
      'once',
    );
    // Somebody makes room.
    renameSync(join(folder, 'full.log'), join(folder, 'before'));
    script.child.send('reopen');
    await script.next();
    await get(agent, port, '/after?1');
    agent.destroy();
    script.child.send('stop');
    t.match(await script.ended, { code: 0 });
    const lines = readLines(join(folder, 'full.log'));
    t.match(
      lines.filter((line) => line.includes('lines were lost'))[0],
      /"lost":2\d\d\b/,
      'told once there is room',
    );
    t.ok(
      lines.some((line) => line.includes('"GET /after?1 HTTP/1.1" 200')),
      'and it goes on',
    );

    for (const logFormat of ['json', 'text']) {
      const fd = openSync('/dev/full', 'w');
      const code =
        "for (let i = 0; i < 100; i++) logger.info({}, 'line'); setTimeout(() => process.exit(7), 50);";
      t.match(
        await run(t, folder, { logFormat }, code, { stderr: fd }),
        { code: 7 },
        `standard error, ${logFormat}`,
      );
      closeSync(fd);
    }
  },
);

t.test('a file that cannot be written is refused', async (t) => {
  const folder = makeFolder(t, { 'file.log': '' });
  mkdirSync(join(folder, 'folder'));
  for (const [setting, value, pattern] of [
    [
      'logFile',
      'nowhere/a.log',
      /^Option "logFile" must be a file that can be written; received ".*nowhere\/a\.log": there is no folder \S+nowhere: make it first\n$/,
    ],
    ['logFile', 'folder', /: it is a folder\n$/],
    ['accessLog', 'nowhere/a.log', /^Option "accessLog" must be/],
    ['logFile', '-', /^Option "logFile" must be a file path; received "-": a file of that name is \.\/-\n$/],
    [
      'accessLogFormat',
      '%(x)s',
      /^Option "accessLogFormat" must be 'common', 'combined', 'json' or a text with fields/,
    ],
    ['accessLogFormat', '', /^Option "accessLogFormat" must be a format, such as combined; received ""\n$/],
  ] as const) {
    const source = `import { resolveSettings } from 'MODULES/app/resolve-settings.js';
      try { resolveSettings(JSON.parse(process.argv[2])) } catch (error) { console.error(error.message); process.exit(2); }`;
    const { code, stderr } = await runScript(t, folder, source, {
      args: [JSON.stringify({ [setting]: value })],
    });
    t.equal(code, 2, `${setting} ${value}`);
    t.match(stderr, pattern);
  }
});

t.test('the form of the log', async (t) => {
  const folder = makeFolder(t);
  const code =
    "logger.info({ user: 'ada' }, 'hello'); logger.debug({}, 'hidden'); logs.loggers.named('vela.wsgi').debug({}, 'shown');";
  await run(t, folder, { logFile: 'a.log', logLevel: ['info', 'vela.wsgi.debug'] }, code);
  const lines = readLines(join(folder, 'a.log')).map((line) => JSON.parse(line));
  t.match(lines, [
    { logger: 'shop', user: 'ada', msg: 'hello', level: 30 },
    { logger: 'vela.wsgi', msg: 'shown', level: 20 },
  ]);
  await run(t, folder, { logFile: 'b.log', logFormat: 'text' }, code);
  t.match(readLines(join(folder, 'b.log')), [/^\S+Z info {2}shop hello$/]);
});

t.test('logConfig', async (t) => {
  const folder = makeFolder(t, {
    'log.json': JSON.stringify({
      redact: ['password'],
      base: { service: 'shop' },
      timestamp: 'iso',
      messageKey: 'message',
    }),
    'log.mjs': `export default {
      formatters: { level: (severity) => ({ severity }) },
      mixin: () => ({ region: 'north' }),
      serializers: { user: (user) => user.name },
    };`,
    'collect.mjs': `import { appendFileSync } from 'node:fs';
      import { Writable } from 'node:stream';
      export default ({ file }) => new Writable({ write(bytes, _encoding, done) { appendFileSync(file, bytes); done(); } });`,
    'transport.json': JSON.stringify({
      transport: { target: './collect.mjs', options: { file: join('collected') } },
    }),
    'broken.mjs': 'export default () => { throw new Error("no way") };',
    'failing.json': JSON.stringify({ transport: { target: './broken.mjs' } }),
  });
  const say = "logger.warn({ password: 'x', user: { name: 'ada' } }, 'hello');";
  const lineOf = async (logConfig: string, logFormat = 'auto') => {
    const { stderr } = await run(t, folder, { logConfig, logFormat }, say);
    return stderr;
  };
  const line = JSON.parse(await lineOf('log.json'));
  t.match(line, { password: '[Redacted]', service: 'shop', message: 'hello', time: /^\d{4}-.*Z$/ });
  t.notMatch(line, { pid: Number });
  t.match(JSON.parse(await lineOf('log.mjs')), {
    severity: 'warn',
    region: 'north',
    user: 'ada',
    msg: 'hello',
  });
  t.match(await lineOf('log.json', 'text'), /Z warn {2}shop hello\n$/, 'text has its own form');

  const { stderr, code } = await run(t, folder, { logConfig: 'transport.json' }, `${say} process.exit(4);`);
  t.equal(code, 4);
  t.equal(
    readFileSync(join(folder, 'collected'), 'utf8'),
    stderr,
    'a transport gets what the log gets, at exit too',
  );

  const wait =
    "const id = setInterval(() => logger.info({}, 'again'), 5); setTimeout(() => clearInterval(id), 500);";
  const failing = await run(t, folder, { logConfig: 'failing.json', logFile: 'kept.log' }, `${say}${wait}`);
  t.equal(failing.code, 0);
  t.match(
    failing.stderr,
    /^vela: the transport of the log has failed, and gets no more lines: no way\n$/,
    'told once',
  );
  t.ok(readLines(join(folder, 'kept.log')).length > 10, 'the log itself goes on');

  for (const [text, pattern] of [
    [
      '{ "level": "debug" }',
      /^"level" in \S+bad\.json, which Option "logConfig" names, has no place there: the setting logLevel decides it\n$/,
    ],
    ['{ "redac": ["a"] }', /is unknown there \(did you mean "redact"\?\); there may be redact, formatters, /],
    ['{ "redact": "a" }', /"redact" .* must be a list of paths, .*; received "a"\n$/],
    ['{ "redact": ["a["] }', /^Option "logConfig" has what pino refuses: /],
    [
      '{ "transport": { "target": "no-such-package" } }',
      /^The transport "no-such-package" in \S+bad\.json is not to be found from there: install it/,
    ],
    [
      '[]',
      /must give an object of pino's options, as JSON or as the default export; \S+ gives an array of 0\n$/,
    ],
    ['{', /^Option "logConfig" names \S+bad\.json, which cannot be read: /],
  ] as const) {
    writeFileSync(join(folder, 'bad.json'), text);
    const { code: exit, stderr: told } = await run(t, folder, { logConfig: 'bad.json' }, '');
    t.equal(exit, 2, text);
    t.match(told, pattern);
  }
});
