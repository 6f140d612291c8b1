/** Examples with threads or processes beside the server, started as README says, driven from outside, and stopped. */
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { example, until } from '../support/example.js';
import { Exposition } from '../support/exposition.js';
import { runProgram } from '../support/run-example.js';

example('blocking', async (t, { url }) => {
  const hash = (where: string, rounds: number) =>
    fetch(`${url}/${where}/hash?rounds=${rounds}`, { method: 'POST' }).then(
      async (response) => (await response.json()) as { hash: string; threadId: number },
    );
  t.match(await hash('thread', 1), { hash: /^[0-9a-f]{64}$/, threadId: /^[1-9]/ });
  let isDone = false;
  const long = hash('thread', 5).then((answer) => {
    isDone = true;
    return answer;
  });
  let pings = 0;
  while (!isDone) if ((await (await fetch(`${url}/ping`)).text()) === 'pong') pings++;
  t.ok(pings > 5, `${pings} answers while a thread was blocked`);
  t.not((await long).threadId, 0);
  t.match(await hash('loop', 1), { hash: /^[0-9a-f]{64}$/, threadId: 0 });
  t.match(await (await fetch(url)).text(), '<h1>Who waits for a password hash?</h1>');
});

example('report', async (t, { url, log }) => {
  const whole = await (await fetch(`${url}/ledger.csv?rows=50000`)).text();
  t.equal(whole.split('\n').length, 50_002);
  t.match(whole, /^row,amount,balance,seal\n1,-2081,-2081,[0-9a-f]{64}\n/);
  t.equal((await fetch(`${url}/ledger.csv?rows=0`)).status, 400);
  const aborter = new AbortController();
  const { body, headers } = await fetch(`${url}/ledger.csv?rows=10000000`, { signal: aborter.signal });
  t.equal(headers.get('x-rows'), '10000000');
  await body?.getReader().read();
  aborter.abort();
  for (let tries = 0; tries < 1000 && !log().includes('the client left after'); tries++) await sleep(10);
  t.match(log(), /the client left after \d+ of 10000000 rows/);
  t.match(await (await fetch(url)).text(), '<h1>A report, streamed from a thread</h1>');
});

example('metrics', async (t, { url }) => {
  const curl = (...flags: string[]) =>
    spawnSync('curl', ['-s', ...flags], { encoding: 'utf8', timeout: 10_000 }).stdout;
  const status = (...flags: string[]) => curl('-o', '/dev/null', '-w', '%{http_code}', ...flags);
  const read = () => new Exposition(curl(`${url}/metrics`));
  t.match(curl(url), '<h1>Metrics for Prometheus</h1>');
  t.equal(curl(`${url}/greet/de/Ada`), 'Guten Tag, Ada\n');
  t.equal(curl(`${url}/greet/de/Bob`), 'Guten Tag, Bob\n');
  t.equal(status(`${url}/greet/xx/Ada`), '404');
  t.same(JSON.parse(curl(`${url}/primes?limit=100`)), { limit: 100, primes: 25 });
  t.equal(status('-X', 'PROPFIND', `${url}/wp-login.php`), '404');
  const count = 'http_server_request_duration_seconds_count';
  await until(() => read().value(count, { method: '_OTHER', route: '', status: '404' }) === 1);
  const metrics = read();
  t.equal(metrics.value(count, { method: 'GET', route: '/greet/:language/:name', status: '200' }), 2);
  t.equal(metrics.value('example_greetings_total', { language: 'de' }), 2);
  t.same(metrics.labelValues('example_greetings_total', 'language'), ['de']);
  t.equal(metrics.value('vela_executor_completed_calls_total', { executor: 'executor' }), 1);
  t.equal(metrics.value('vela_executor_call_run_seconds_count', { export: 'countPrimes' }), 1);
  t.ok((metrics.value('process_resident_memory_bytes') as number) > 1_000_000);
  const head = curl('-I', `${url}/metrics`);
  t.match(head, /^HTTP\/1\.1 200 OK\r\n/);
  t.match(head, /^content-type: text\/plain; version=0\.0\.4; charset=utf-8\r$/im);
  t.equal(status('-d', 'x', `${url}/metrics`), '405');
});

example('philosophers', async (t, { url }) => {
  const look = async () => {
    const { philosophers } = (await (await fetch(`${url}/info`)).json()) as {
      philosophers: { name: string; pid: number; eaten: number }[];
    };
    return philosophers;
  };
  const wait = async (what: string, condition: (all: Awaited<ReturnType<typeof look>>) => boolean) => {
    const end = Date.now() + 30_000;
    for (let all = await look(); !condition(all); all = await look()) {
      if (Date.now() > end) throw new Error(`never: ${what}`);
      await sleep(20);
    }
  };
  await wait('all have eaten', (all) => all.length === 5 && all.every(({ eaten }) => eaten > 2));
  const [first] = await look();
  t.equal((await fetch(`${url}/kill/${first?.name}`, { method: 'POST' })).status, 200);
  await wait('the one that was killed has eaten again', (all) =>
    all.some(({ name, pid, eaten }) => name === first?.name && pid !== first.pid && eaten > 0),
  );
  const before = await look();
  await wait('all eat on', (all) => all.every(({ eaten }, at) => eaten > (before[at]?.eaten ?? 0) + 1));
  t.match(await (await fetch(url)).text(), '<h1>Dining philosophers</h1>');
});

example('remote', async (t, { url }) => {
  const ask = async (path: string) =>
    (await (await fetch(`${url}${path}`)).json()) as { actor: string; pid: number };
  const [one, two] = await Promise.all([ask('/fibonacci/20'), ask('/fibonacci/20')]);
  t.match([one, two], [{ value: 6765 }, { value: 6765 }]);
  t.same([one, two].map(({ actor }) => actor).sort(), ['worker-1', 'worker-2']);
  t.not(one.pid, two.pid);
  t.same(
    [await ask('/count/a'), await ask('/count/a'), await ask('/count/b')],
    [{ count: 1 }, { count: 2 }, { count: 1 }],
  );
  const broken = await fetch(`${url}/divide/1/0`);
  t.same([broken.status, /nobody divides by zero/.test(await broken.text())], [400, true]);
  t.match(await ask('/workers'), [{ actor: { name: 'worker-1' } }, { actor: { name: 'worker-2' } }]);
});

t.test('multi: two applications, two addresses', async (t) => {
  const any = '127.0.0.1:0';
  const args = ['--import', './scripts/tsx.mjs', 'scripts/example.mjs', 'multi', '--bind', any];
  const program = runProgram(t, args, { VELA_API_BIND: any });
  const [, site = '', api = ''] = await program.said(/^vela: ready: site on (\S+) .*, api on (\S+) /m);
  t.match(await (await fetch(site)).text(), /The site, answered by process \d+/);
  t.match(await (await fetch(api)).json(), { application: 'api', pid: Number });
  t.equal(await program.stop(), 0);
});
