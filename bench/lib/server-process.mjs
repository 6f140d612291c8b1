import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onCores } from './cores.mjs';
import { startModule, withTimeout } from './processes.mjs';

const START_TIMEOUT_MS = 20_000;
const ANSWER_TIMEOUT_MS = 5_000;

/** Starts one server with one row's app in a process of its own and waits until it listens. `folder` is its last argument. */
export async function startServer(server, row, { cores, folder }) {
  const file = fileURLToPath(new URL(`../servers/${server.file}`, import.meta.url));
  const [execPath, ...execArgv] = onCores(cores?.servers, [process.execPath, ...(server.nodeArgs ?? [])]);
  const child = startModule(file, [row.id, ...server.args, ...(folder === undefined ? [] : [folder])], {
    execPath,
    execArgv,
    env: { ...process.env, NODE_ENV: 'production' },
    // Its standard output goes to our standard error, so that ours holds the table alone.
    stdio: ['ignore', 2, 2, 'ipc'],
  });
  const { port } = await ask(child, server, undefined, START_TIMEOUT_MS);
  return {
    server,
    pid: child.pid,
    url: `http://127.0.0.1:${port}/`,
    readUsage: () => ask(child, server, 'usage', ANSWER_TIMEOUT_MS),
    stop: () => stop(child),
  };
}

/** Sends a question, if there is one, and waits for the server's next message. */
async function ask(child, server, question, timeoutMs) {
  if (child.exitCode !== null || child.signalCode !== null) throw ended(child, server);
  const waiting = new AbortController();
  const { signal } = waiting;
  try {
    const answer = Promise.race([
      once(child, 'message', { signal }).then(([message]) => message),
      once(child, 'exit', { signal }).then(() => Promise.reject(ended(child, server))),
    ]);
    if (question !== undefined) child.send(question);
    return await withTimeout(answer, timeoutMs, () => new Error(`${server.title} did not answer in ${timeoutMs} ms`));
  } finally {
    waiting.abort();
  }
}

function ended(child, server) {
  return new Error(`${server.title} ended with ${child.signalCode ?? `code ${child.exitCode}`}; its output is above`);
}

async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}
