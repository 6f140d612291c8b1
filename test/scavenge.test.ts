import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { WebSocket } from 'ws';

const WARM_UP = 200;
const ROUNDS = 15;
const REQUESTS = 20;
const ATTEMPTS = 3;
/** A request that scavenges do not find keeps 3,000 and more; what V8 learns of warm code came to 860. */
const KEPT_BYTES = 1500;

const FORM = 'a=1&b=2';
const CALL = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'add', params: [1, 2] });
const BODIES: Record<string, [type: string, body: string]> = {
  '/json': ['application/json', '{"a":1}'],
  '/fetch': ['application/json', '{"a":1}'],
  '/rpc': ['application/json', CALL],
  '/form': ['application/x-www-form-urlencoded', FORM],
  '/multipart': [
    'multipart/form-data; boundary=b',
    `--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n`,
  ],
};
const PATHS = [
  '/plain',
  '/later',
  '/read',
  '/iterated',
  '/lines',
  '/json',
  '/form',
  '/multipart',
  '/fetch',
  '/streamed',
  '/rpc',
  '/node/awaited',
  '/node/flowing',
  '/node/paused',
  '/node/unread',
];

/** Starts the server that tells of its heap. */
async function start(t: Test, gateway: string): Promise<URL> {
  const program = new URL('./support/scavenged.mjs', import.meta.url);
  const child: ChildProcess = fork(program, [gateway], { execArgv: ['--expose-gc', '--no-opt'] });
  t.teardown(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`The server ended with ${code}`);
  });
  const [url] = await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => {});
  return new URL(String(url));
}

/** Asks over one connection, one request after the other. */
function createAsk(t: Test, server: URL): (method: string, path: string) => Promise<string> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  return async (method, path) => {
    const [type, body] = BODIES[path] ?? ['text/plain', 'a body of some words'];
    const asked = request(new URL(path, server), { agent, method, headers: { 'Content-Type': type } });
    asked.end(method === 'POST' ? body : undefined);
    const [response] = await once(asked, 'response');
    const answer = await text(response);
    if (response.statusCode !== 200) throw new Error(`${path}: ${response.statusCode} ${answer}`);
    return answer;
  };
}

/** What one `step` leaves that scavenges do not find, in bytes: at least, as what V8 learns meanwhile is not learned again. */
async function measure(
  step: () => Promise<unknown>,
  used: (path: string) => Promise<string>,
): Promise<number> {
  for (let i = 0; i < WARM_UP; i++) await step();
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < ATTEMPTS && least >= KEPT_BYTES; attempt++)
    least = Math.min(least, await measureOnce(step, used));
  return least;
}

async function measureOnce(
  step: () => Promise<unknown>,
  used: (path: string) => Promise<string>,
): Promise<number> {
  await used('/clean');
  const before = Number(await used('/used'));
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < REQUESTS; i++) await step();
    await used('/used');
  }
  return (Number(await used('/used')) - before) / (ROUNDS * REQUESTS);
}

for (const gateway of ['uws', 'node'])
  t.test(`what a request leaves is found without a full collection: ${gateway}`, async (t) => {
    const server = await start(t, gateway);
    const ask = createAsk(t, server);
    const used = (path: string) => ask('GET', path);
    for (const path of PATHS) {
      const bytes = await measure(() => ask('POST', path), used);
      t.ok(bytes < KEPT_BYTES, `${path} keeps ${bytes.toFixed(0)} bytes a request`);
    }
    const socket = new WebSocket(new URL('/echo', server));
    t.teardown(() => socket.terminate());
    await once(socket, 'open');
    const bytes = await measure(async () => {
      socket.send('hello');
      await once(socket, 'message');
    }, used);
    t.ok(bytes < KEPT_BYTES, `a message keeps ${bytes.toFixed(0)} bytes`);
  });
