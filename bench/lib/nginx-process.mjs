import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onCores } from './cores.mjs';
import { startProgram, withTimeout } from './processes.mjs';

const START_TIMEOUT_MS = 10_000;
const POLL_MS = 20;

/** Gives nginx's version, or undefined when it is not installed (or there is no /proc to read its CPU time from). */
export async function findNginx() {
  if (process.platform !== 'linux') return undefined;
  const nginx = startProgram('nginx', ['-v'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  nginx.stderr.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  try {
    await once(nginx, 'close');
    return /nginx\/(\S+)/.exec(text)?.[1];
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Starts nginx with one worker and a configuration of its own, for the files in `folder`. */
export async function startNginx(server, _row, { cores, folder }) {
  // Within the suite's folder, which goes when the run ends, however it ends.
  const place = await mkdtemp(join(folder, '.nginx-'));
  const port = await findFreePort();
  const config = join(place, 'nginx.conf');
  await writeFile(config, makeConfig(place, port, folder));
  const [program, ...args] = onCores(cores?.servers, ['nginx', '-p', place, '-e', 'stderr', '-c', config]);
  // Its master ends the worker on SIGTERM; killed, it would leave it behind.
  const nginx = startProgram(program, args, { stdio: ['ignore', 2, 2] }, 'SIGTERM');
  const stop = async () => {
    if (nginx.exitCode === null && nginx.signalCode === null) {
      const exit = once(nginx, 'exit');
      nginx.kill('SIGTERM');
      await exit;
    }
    await rm(place, { recursive: true, force: true });
  };
  try {
    const worker = await withTimeout(findWorker(nginx, port), START_TIMEOUT_MS, () => new Error('nginx did not start'));
    return { server, url: `http://127.0.0.1:${port}/`, readUsage: () => readCpu(worker), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function makeConfig(place, port, folder) {
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `${process.getuid() === 0 ? 'user root;\n' : ''}daemon off;
worker_processes 1;
pid ${place}/nginx.pid;
events { worker_connections 1024; }
http {
  ${folders.map((name) => `${name}_temp_path ${place}/${name};`).join('\n  ')}
  default_type application/octet-stream;
  access_log off;
  sendfile on;
  keepalive_requests 1000000000;
  server {
    listen 127.0.0.1:${port};
    root ${folder};
    add_header Cache-Control "public, max-age=0";
  }
}
`;
}

async function findFreePort() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** The id of the worker, once the port is open. */
async function findWorker(nginx, port) {
  for (;;) {
    if (nginx.exitCode !== null) throw new Error(`nginx ended with code ${nginx.exitCode}; its output is above`);
    const [worker] = (await readFile(`/proc/${nginx.pid}/task/${nginx.pid}/children`, 'latin1')).split(' ').filter(Boolean);
    if (worker !== undefined && (await isOpen(port))) return worker;
    await sleep(POLL_MS);
  }
}

async function isOpen(port) {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Time on a processor of the worker, which has one thread. */
async function readCpu(worker) {
  const [nanoseconds] = (await readFile(`/proc/${worker}/schedstat`, 'latin1')).split(' ');
  return { cpuUs: Number(nanoseconds) / 1000 };
}
