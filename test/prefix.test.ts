import { spawnSync } from 'node:child_process';
import t, { type Test } from 'tap';
import { ImproperlyConfigured, WsgiServer } from '../src/index.js';
import { plainEnvironment, runProgram } from './support/run-example.js';
import { makeFolder } from './support/run-in-folder.js';

const SCRIPT = new URL('./support/prefixes.mjs', import.meta.url).pathname;
const app = () => [];

/** Runs the script to its end, in a folder with a config file. */
function run(t: Test, args: readonly string[], env: NodeJS.ProcessEnv = {}, config: object = {}) {
  const cwd = makeFolder(t, { 'vela.config.json': JSON.stringify(config) });
  const given = ['-u', 'NODE_OPTIONS', process.execPath, SCRIPT, ...args];
  const { status, stdout, stderr } = spawnSync('env', given, {
    cwd,
    env: { ...plainEnvironment(), ...env },
    encoding: 'utf8',
  });
  return { status, stdout, stderr: stderr.trimEnd().split('\n') };
}

t.test('each application has its own settings, from all places', async (t) => {
  const flags = ['--workers', '0', '--api-workers', '2', '--log-level', 'warning', '--no-debug'];
  const program = runProgram(t, [SCRIPT, ...flags], {
    VELA_MAX_BODY_BYTES: '11',
    VELA_API_MAX_BODY_BYTES: '21',
  });
  const [, site = '', api = ''] = await program.said(
    /^vela: ready: site on (\S+) \(uws, pid \d+\), api on (\S+) \(uws, 2 workers, pid \d+\), ticker \(1 worker, /m,
  );
  const shared = { bind: '127.0.0.1:0', debug: false };
  const settingsAt = async (url: string) => (await fetch(url)).json() as Promise<Record<string, unknown>>;
  const [atSite, atApi] = [await settingsAt(site), await settingsAt(api)];
  t.match(atSite, { ...shared, workers: 0, maxBodyBytes: 11 });
  t.match(atApi, { ...shared, workers: 2, maxBodyBytes: 21 });
  t.match(JSON.stringify(atSite.logLevel), /"warning"/);
  t.same(atApi.logLevel, atSite.logLevel);
  t.equal(await program.stop(), 0);
});

t.test('what they came to is printed by keys', (t) => {
  const config = { workers: 3, apiGateway: 'node', tickWorkers: 5, logFormat: 'json' };
  const { status, stdout } = run(
    t,
    ['--api-bind', ':9', '--print-config'],
    { VELA_API_WORKERS: '4' },
    config,
  );
  t.equal(status, 0);
  const [, site = '', api = '', ticker = ''] = stdout.split(/^# \w+\n/m);
  for (const [text, rows] of [
    [site, { workers: '3 vela.config.json', gateway: 'uws default', bind: '127.0.0.1:0 code' }],
    [
      api,
      {
        apiWorkers: '4 VELA_API_WORKERS',
        apiGateway: 'node vela.config.json',
        apiBind: ':9 --api-bind',
        logFormat: 'json vela.config.json',
      },
    ],
    [ticker, { tickWorkers: '5 vela.config.json', logFormat: 'json vela.config.json' }],
  ] as const)
    for (const [key, row] of Object.entries(rows))
      t.equal(new RegExp(`^${key} +(.*)$`, 'm').exec(text)?.[1]?.replace(/ +/g, ' '), row, key);
  t.notMatch(ticker, /tickBind/, 'only its own');
  t.end();
});

t.test('help has a section for each prefix', (t) => {
  const { stdout } = run(t, ['--help']);
  const [plain = '', ...prefixed] = stdout.split(/^With the prefix /m);
  t.match(plain, /^Listening:\n +-b, --bind <address>/m);
  t.match(prefixed[0], /^api:\n +--api-bind <address>/);
  t.match(prefixed[0], /--api-workers/);
  t.notMatch(prefixed[0], /-log-level|-pid-file|-reload/, 'what is the whole program has no prefix');
  t.match(prefixed[1], /^tick:\n +--tick-workers/);
  t.notMatch(prefixed[1], /--tick-bind/);
  t.end();
});

t.test('mistakes are told with the prefix, all at once', (t) => {
  const config = { apiGateway: 'usw', rpcBind: ':1', apiBnd: ':1', apiLogLevel: 'info' };
  const flags = [
    '--api-workers',
    'many',
    '--rpc-bind',
    ':1',
    '--api-bnd',
    ':1',
    '--api-pid-file',
    'x',
    '--tick-bind',
    ':1',
  ];
  const env = {
    VELA_API_MAX_BODY_BYTES: '1MB',
    VELA_RPC_WORKERS: '1',
    VELA_API_WORKER: '1',
    VELA_API_USER: 'me',
  };
  const { status, stderr } = run(t, [...flags, '--api-bind', '--api-gateway'], env, config);
  t.equal(status, 2);
  const prefixes = '"api", "tick"';
  t.same(stderr.sort(), [
    'vela: "apiGateway" in vela.config.json must be one of uws, node, auto; received "usw" (did you mean "uws"?)',
    'vela: --api-bind takes a value, as in --api-bind <address>; received the flag --api-gateway',
    'vela: --api-workers must be a whole number from 0 to 1024, or auto; received "many"',
    'vela: There is no flag --api-bnd (did you mean --api-bind?); --help lists the flags',
    'vela: There is no flag --api-pid-file: "pidFile" is the whole program\'s, and has no prefix; --help lists the flags',
    `vela: There is no flag --rpc-bind: no application of this program has the prefix "rpc"; there is ${prefixes}; --help lists the flags`,
    'vela: There is no flag --tick-bind: what has the prefix "tick" has no "bind"; --help lists the flags',
    'vela: There is no setting "apiBnd" in vela.config.json (did you mean "apiBind"?)',
    'vela: There is no setting "apiLogLevel" in vela.config.json: "logLevel" is the whole program\'s, and has no prefix',
    `vela: There is no setting "rpcBind" in vela.config.json: no application of this program has the prefix "rpc"; there is ${prefixes}`,
    'vela: There is no setting for the variable VELA_API_USER: "user" is the whole program\'s, and has no prefix',
    'vela: There is no setting for the variable VELA_API_WORKER (did you mean VELA_API_WORKERS?); variables of Vela begin with VELA_, and docs/settings.md lists them: unset it, or give it another name',
    `vela: There is no setting for the variable VELA_RPC_WORKERS: no application of this program has the prefix "rpc"; there is ${prefixes}`,
    'vela: VELA_API_MAX_BODY_BYTES must be a whole number of bytes from 0 to 9007199254740991; received "1MB"',
  ]);
  const [tls] = run(t, ['--api-cert-file', SCRIPT]).stderr;
  t.match(tls, /^vela: Options "certFile" and "keyFile" go together.*give "keyFile" \(--api-key-file\) too$/);
  const [late] = run(t, ['--api-cert-file', SCRIPT, '--api-key-file', SCRIPT, '--check-config']).stderr;
  t.match(late, /^vela: Option "certFile" \(--api-cert-file\) must be a certificate in PEM/);
  t.end();
});

t.test('there need not be one without prefix', (t) => {
  const { status, stdout } = run(t, ['--api-bind', ':9', '--log-level', 'info', '--print-config'], {
    WITHOUT_MAIN: '1',
  });
  t.equal(status, 0);
  t.match(stdout, /^# api\napiBind +:9 +--api-bind$/m);
  const [refused] = run(t, ['--bind', ':9'], { WITHOUT_MAIN: '1' }).stderr;
  t.match(refused, /^vela: There is no flag --bind/);
  t.end();
});

t.test('WEB_CONCURRENCY is for the server without prefix', (t) => {
  const { stdout } = run(t, ['--print-config'], { WEB_CONCURRENCY: '3' });
  t.match(stdout, /^workers +3 +WEB_CONCURRENCY$/m);
  t.match(stdout, /^apiWorkers +1 +default$/m);
  t.match(stdout, /^tickWorkers +1 +default$/m);
  t.end();
});

t.test('a prefix is a word of its own', (t) => {
  for (const prefix of ['', 'Api', 'a-b', '1a', 'no', 7, null])
    t.throws(
      () => new WsgiServer(app, { prefix: prefix as string }),
      new ImproperlyConfigured(
        `Option "prefix" of WsgiServer must be a word of small letters and digits, such as 'api' for the flag --api-bind; received ${JSON.stringify(prefix)}`,
      ),
    );
  t.end();
});
