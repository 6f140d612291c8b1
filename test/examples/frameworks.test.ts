/** Examples of Express, Koa, Fastify and Hono answer on Vela as they do on node:http, byte for byte. */
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { example } from '../support/example.js';
import { FLOWS } from '../support/framework-flows.js';
import { type Answer, runFlow } from '../support/framework-servers.js';
import { runProgram, type Served, startExample } from '../support/run-example.js';
import { Wire } from '../support/wire.js';

type Name = keyof typeof FLOWS;
type Part = Exclude<keyof Answer, 'request'>;

const NAMES = Object.keys(FLOWS) as Name[];
const PARTS: readonly Part[] = ['statusLine', 'headers', 'length', 'framing', 'isComplete', 'body'];

/** What may differ, and why. Everything else is the same. */
const KNOWN: readonly {
  readonly of?: Name;
  readonly request: RegExp;
  readonly parts: readonly Part[];
  readonly why: string;
}[] = [
  {
    request: /^GET (?:\/files\/words\.txt .*99999|\/admin \{\})/,
    parts: ['length', 'framing'],
    why: 'writeHead() and then end(text): node:http has written its head by then, and sends chunks; Vela knows the length',
  },
  {
    of: 'hono',
    request: /^(?:GET \/text|GET \/admin \{"auth|PUT \/api\/echo)/,
    parts: ['headers'],
    why: '@hono/node-server says text/plain; charset=UTF-8 where the platform says text/plain;charset=UTF-8, or for bytes nothing',
  },
];

/** A server, and its lines of output. */
type Server = Pick<Served, 'lines' | 'stop'> & { readonly url: string };

for (const name of NAMES) {
  t.test(name, async (t) => {
    const servers = {
      'node:http': await startOnNode(t, name),
      uws: await startExample(t, name, ['--gateway', 'uws']),
      node: await startExample(t, name, ['--gateway', 'node']),
      'vela/http/register': await startOnNode(t, name, ['--import', 'vela/http/register']),
    };
    const { 'node:http': original, ...others } = servers;
    t.equal(await statusOfOldRequest(servers['vela/http/register'].url), '505', 'uWebSockets.js serves it');
    const answers = await runFlow(original.url, FLOWS[name]);
    t.ok(answers.length > 50, `${answers.length} answers`);
    await leave(original.url);
    for (const [how, server] of Object.entries(others)) {
      const found = (await runFlow(server.url, FLOWS[name])).flatMap((answer, at) =>
        compare(name, answers[at], answer),
      );
      t.same(found, [], `${how} answers as node:http does`);
      await leave(server.url);
    }
    for (const [how, server] of Object.entries(others)) {
      const isLogged = () => logOf(server).length >= logOf(original).length;
      for (let tries = 0; tries < 300 && !isLogged(); tries++) await sleep(10);
      t.same(logOf(server), logOf(original), `${how} logs as node:http does`);
    }
    for (const how of ['uws', 'node'] as const) t.equal(await servers[how].stop(), 0, `${how} stops with 0`);
  });
}

example('express', async (t, { url }) => {
  let isDone = false;
  const report = fetch(`${url}/reports/primes?rounds=20`).finally(() => {
    isDone = true;
  });
  // An error is told below, once the pings have ended.
  report.catch(() => {});
  let pings = 0;
  while (!isDone) if ((await (await fetch(`${url}/ping`)).text()) === 'pong\n') pings++;
  const response = await report;
  t.equal(response.status, 200);
  const { primes, threadId } = (await response.json()) as { primes: number; threadId: number };
  t.equal(primes, 148_933);
  t.not(threadId, 0);
  t.ok(pings > 5, `${pings} answers of the native route while Express was blocked`);
  t.equal((await fetch(`${url}/reports/missing`)).status, 404);
});

t.test('on node:http the same runs on the loop', async (t) => {
  const { url } = await startOnNode(t, 'express');
  t.match(await (await fetch(`${url}/reports/primes`)).json(), { primes: 148_933, threadId: 0 });
});

/** Starts the example's node.ts. */
async function startOnNode(t: Test, name: Name, flags: readonly string[] = []): Promise<Server> {
  const args = ['--import', './scripts/tsx.mjs', ...flags, 'scripts/example.mjs', `${name}/node`];
  const program = runProgram(t, args, { PORT: '0' });
  const [, url = ''] = await program.said(/^ready on (\S+)$/m);
  return { ...program, url };
}

/** What a request of HTTP/1.0 is answered with: uWebSockets.js refuses it, before any application. */
async function statusOfOldRequest(url: string): Promise<string | undefined> {
  const { hostname: host, port } = new URL(url);
  const wire = await Wire.open({ host, port: Number(port) });
  wire.write('GET /large/1 HTTP/1.0\r\nHost: app.example\r\n\r\n');
  await wire.until(() => wire.received.length > 12, 'a status line');
  wire.destroy();
  return /^HTTP\/1\.1 (\d+) /.exec(wire.received.toString('latin1'))?.[1];
}

/** A client that leaves in the midst of an answer. */
async function leave(url: string): Promise<void> {
  const { hostname: host, port } = new URL(url);
  const wire = await Wire.open({ host, port: Number(port) });
  wire.write('GET /large/100 HTTP/1.1\r\nHost: app.example\r\n\r\n');
  await wire.until(() => wire.received.length > 0, 'the first bytes');
  wire.destroy();
}

/** What tells two answers apart, and is not known to. */
function compare(name: Name, expected: Answer | undefined, answer: Answer): string[] {
  return PARTS.filter((part) => {
    const [one, other] = [expected?.[part], answer[part]];
    const isSame = Buffer.isBuffer(one) ? one.equals(other as Buffer) : String(one) === String(other);
    return (
      !isSame &&
      !KNOWN.some(
        ({ of = name, request, parts }) =>
          of === name && request.test(answer.request) && parts.includes(part),
      )
    );
  }).map((part) => `${answer.request}: ${part} is ${show(answer[part])}, not ${show(expected?.[part])}`);
}

function show(value: unknown): string {
  return String(value).slice(0, 300);
}

/** What the application has logged, without times and the like. */
function logOf({ lines }: Server): string[] {
  return lines
    .filter((line) => !/^(?:vela: |ready on )|Server listening/.test(line))
    .map((line) => (line.startsWith('{') ? JSON.stringify(JSON.parse(line, withoutChances)) : line));
}

/** Errors have stacks, and uWebSockets.js knows no port of its peer. */
function withoutChances(key: string, value: unknown): unknown {
  return ['time', 'pid', 'responseTime', 'remotePort', 'stack'].includes(key) ? undefined : value;
}
