import { existsSync, lstatSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { dirname } from 'node:path';

/**
 * Finds out whether a TCP address can be listened on, by listening on it for a moment without sharing it.
 * @returns its port: the one that was picked, for 0
 * @throws the system's error, with `code`: EADDRINUSE, EACCES, EADDRNOTAVAIL, ENOTFOUND
 */
export async function probeTcp({ host, port }: { host: string; port: number }): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, resolve);
  });
  const address = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return address.port;
}

/**
 * Makes way for a unix socket: a socket file that nobody answers on is removed.
 * @throws an error with the code EADDRINUSE when somebody answers, or when the file is no socket
 */
export async function probeUnix(path: string): Promise<void> {
  const folder = dirname(path);
  if (!existsSync(folder)) {
    const error = new Error(`listen ENOENT: ${path}: the directory ${folder} does not exist`);
    throw Object.assign(error, { code: 'ENOENT', syscall: 'listen', path });
  }
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isSocket()) throw inUse(path, 'there is a file that is no socket');
  if (await isAnswered(path)) throw inUse(path, 'another server answers there');
  rmSync(path, { force: true });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const finish = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', () => finish(true));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      finish(!['ECONNREFUSED', 'ENOENT'].includes(error.code ?? '')),
    );
  });
}

function inUse(path: string, why: string): Error {
  return Object.assign(new Error(`listen EADDRINUSE: ${path}: ${why}`), {
    code: 'EADDRINUSE',
    syscall: 'listen',
    path,
  });
}
