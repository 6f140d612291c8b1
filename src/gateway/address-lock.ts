import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ListenAddress } from './gateway.js';

/** How long another server that starts there is waited for, and how often it is looked, in ms. */
const WAIT_MS = 10_000;
const LOOK_MS = 25;

/**
 * Makes others that start on the same addresses wait, until it is released: whether an address is free can be seen only
 * once the one who has it listens. It is a socket in Linux's abstract namespace, which ends with its process and belongs to
 * the same network as a port does; elsewhere there is none, and it does nothing. After 10 seconds nobody is waited for.
 * @returns releases it; idempotent
 */
export async function lockAddresses(addresses: readonly ListenAddress[]): Promise<() => void> {
  const held: Server[] = [];
  if (process.platform === 'linux') {
    // All take them in the same order.
    for (const name of [...new Set(addresses.flatMap(nameLock))].sort()) {
      const server = await hold(`\0${name}`);
      if (server !== undefined) held.push(server);
    }
  }
  return () => {
    for (const server of held.splice(0)) server.close();
  };
}

/** Of a TCP address the port: one that takes all interfaces takes each. None of a port that is picked. */
function nameLock(address: ListenAddress): string[] {
  if (!('path' in address)) return address.port === 0 ? [] : [`vela starts on port ${address.port}`];
  // The name of a socket has room for some hundred bytes; the end of a path tells more.
  return [`vela starts on ${resolve(address.path).slice(-80)}`];
}

async function hold(path: string): Promise<Server | undefined> {
  for (const deadlineMs = performance.now() + WAIT_MS; performance.now() < deadlineMs; await sleep(LOOK_MS)) {
    const server = createServer().unref();
    try {
      await once(server.listen({ path, exclusive: true }), 'listening');
      return server;
    } catch (error) {
      // Where such sockets are forbidden there is no lock.
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return undefined;
    }
  }
  return undefined;
}
