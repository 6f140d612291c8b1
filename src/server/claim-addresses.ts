import { lookup } from 'node:dns/promises';
import net from 'node:net';
import { getSystemErrorName } from 'node:util';
import { parseAddresses } from '../app/address.js';
import { resolveIdentity } from '../app/process-identity.js';
import type { ResolvedSettings } from '../app/resolve-settings.js';
import { atExit } from '../core/at-exit.js';
import { ImproperlyConfigured } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { lockAddresses } from '../gateway/address-lock.js';
import type { ListenAddress } from '../gateway/gateway.js';
import { explainListenError } from '../gateway/listen-error.js';
import { probeTcp, probeUnix } from '../gateway/probe-address.js';
import { closeUnixSocket } from '../gateway/uws-listen.js';
import { chooseGateway } from './open-listeners.js';

/** Addresses that the workers of a server are to listen on, as the main process has them. */
export interface ClaimedAddresses {
  readonly gateway: 'uws' | 'node';
  /** Concrete: the port that was picked when 0 was asked for. */
  readonly addresses: readonly ListenAddress[];
  /** Of sockets that are bound to them, in their order, on the node gateway; the workers listen on these. */
  readonly descriptors: readonly number[];
  /** The workers listen: others that start there need wait no longer. Idempotent. */
  taken(): void;
  release(): void;
}

/** A socket of Node's that is bound, and does not listen. */
interface BoundHandle {
  readonly fd: number;
  close(): void;
}

/** In Node since 0.12, and what its own `cluster` is made with. An error is a negative number. */
type CreateHandle = (host: string, port: number, family: number) => BoundHandle | number;
const createHandle = (net as typeof net & { readonly _createServerHandle: CreateHandle })._createServerHandle;

/**
 * Finds out whether the addresses can be had, and picks ports. On uWebSockets.js each worker then binds them by itself, side
 * by side (SO_REUSEPORT); on node:http they are bound here once, and the workers inherit the sockets.
 * @throws {ImproperlyConfigured} for what workers cannot share; errors of listening with their `code`
 */
export async function claimAddresses(settings: ResolvedSettings, logger: Logger): Promise<ClaimedAddresses> {
  const { gateway } = await chooseGateway(settings, logger);
  const wanted = parseAddresses(settings.bind);
  const unix = wanted.find((address) => 'path' in address);
  if (gateway === 'uws' && unix !== undefined && settings.workers > 1)
    throw new ImproperlyConfigured(
      `Option "bind" has a unix socket, which ${settings.workers} workers can share on the node gateway only: give it a TCP address, workers: 1, or gateway: "node" (--gateway node)`,
    );
  const identity = resolveIdentity(settings);
  const addresses: ListenAddress[] = [];
  const handles: BoundHandle[] = [];
  const unlock = await lockAddresses(wanted);
  const release = () => {
    unlock();
    forget();
    for (const handle of handles) handle.close();
    if (gateway === 'uws') for (const one of addresses) if ('path' in one) closeUnixSocket(one.path);
  };
  // A second signal does not wait for the end of all, and no file of a socket is to stay behind either.
  const forget = atExit(release);
  try {
    for (const address of wanted) {
      try {
        const concrete = await probe(address);
        if (gateway === 'node') {
          handles.push(await bindHandle(concrete));
          if ('path' in concrete) identity.give(concrete.path);
        }
        addresses.push(concrete);
      } catch (error) {
        throw explainListenError(error, address);
      }
    }
  } catch (error) {
    release();
    throw error;
  }
  return { gateway, addresses, descriptors: handles.map(({ fd }) => fd), taken: unlock, release };
}

async function probe(address: ListenAddress): Promise<ListenAddress> {
  if ('path' in address) {
    await probeUnix(address.path);
    return address;
  }
  return { host: address.host, port: await probeTcp(address) };
}

async function bindHandle(address: ListenAddress): Promise<BoundHandle> {
  if ('path' in address) return requireHandle(createHandle(address.path, -1, -1), address.path);
  const { address: host, family } = await lookup(address.host);
  return requireHandle(createHandle(host, address.port, family), `${address.host}:${address.port}`);
}

function requireHandle(handle: BoundHandle | number, where: string): BoundHandle {
  if (typeof handle !== 'number') return handle;
  const code = getSystemErrorName(handle);
  throw Object.assign(new Error(`listen ${code}: cannot bind ${where}`), { code, syscall: 'listen' });
}
