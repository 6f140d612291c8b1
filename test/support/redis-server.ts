/** Debian's redis-server on a port of this machine, which can be killed and started again there. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import type { Test } from 'tap';
import type { CertificateFiles } from './certificates.js';
import { needsClient } from './run-client.js';

export interface RedisServer {
  readonly url: string;
  readonly client: Redis;
  /** kill -9. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** It answers nothing, and its connections stay. */
  pause(): void;
  resume(): void;
}

/** @returns undefined where there is none: the test is skipped, or fails in CI */
export async function startRedis(
  t: Test,
  flags: readonly string[] = [],
  tls?: CertificateFiles & { readonly caFile: string },
): Promise<RedisServer | undefined> {
  if (!needsClient(t, 'redis-server', 'redis-server', '--version')) return undefined;
  const port = await freePort();
  const folder = t.testdir({});
  const password = flags[flags.indexOf('--requirepass') + 1];
  const auth = flags.includes('--requirepass') ? { password: password as string } : {};
  const client = new Redis({
    host: '127.0.0.1',
    port,
    ...auth,
    ...(tls && { tls: readTls(tls) }),
    retryStrategy: () => 20,
    maxRetriesPerRequest: null,
    lazyConnect: true,
  });
  client.on('error', () => undefined);
  let server: ChildProcess | undefined;
  const start = async () => {
    server = spawn(
      'redis-server',
      [...portFlags(port, tls), '--save', '', '--appendonly', 'no', '--dir', folder, ...flags],
      { stdio: 'ignore', cwd: folder },
    );
    await client.ping();
  };
  const kill = async () => {
    const running = server;
    server = undefined;
    if (running === undefined) return;
    running.kill('SIGKILL');
    await once(running, 'exit');
  };
  t.teardown(async () => {
    client.disconnect();
    await kill();
  });
  await start();
  return {
    url: `${tls ? 'rediss' : 'redis'}://${password === undefined || flags.length === 0 ? '' : `:${password}@`}127.0.0.1:${port}/0?namespace=test`,
    client,
    kill,
    start,
    pause: () => void server?.kill('SIGSTOP'),
    resume: () => void server?.kill('SIGCONT'),
  };
}

function portFlags(port: number, tls: Parameters<typeof startRedis>[2]): string[] {
  if (tls === undefined) return ['--port', String(port)];
  const files = [
    '--tls-cert-file',
    tls.certFile,
    '--tls-key-file',
    tls.keyFile,
    '--tls-ca-cert-file',
    tls.caFile,
  ];
  return ['--port', '0', '--tls-port', String(port), ...files];
}

function readTls({ caFile, certFile, keyFile }: CertificateFiles & { readonly caFile: string }) {
  return { ca: readFileSync(caFile), cert: readFileSync(certFile), key: readFileSync(keyFile) };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
