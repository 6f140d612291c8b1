import cluster from 'node:cluster';
import type { AddressInfo } from 'node:net';
import type { ListenAddress, Listener } from '../gateway/gateway.js';
import { probeTcp } from '../gateway/probe-address.js';
import { listenUws, listenUwsNow } from '../gateway/uws.js';
import type { ListenTarget } from './listen-target.js';
import type { RequestService } from './request-service.js';

export type TcpTarget = Pick<ListenTarget, 'host' | 'port' | 'isShared'>;

/** Listens at once. @returns undefined where the address cannot be had: {@link explainRefusal} tells why */
export function openNow(
  { service, config }: RequestService,
  { host, port, isShared }: TcpTarget,
): Listener | undefined {
  const shared = isShared || cluster.isWorker;
  if (host !== undefined) return listenUwsNow(service, config, { host, port }, shared);
  return (
    listenUwsNow(service, config, { host: '::', port }, shared) ??
    listenUwsNow(service, config, { host: '0.0.0.0', port }, shared)
  );
}

/** Listens on a unix socket, the way to which is cleared first. */
export function openPath({ service, config }: RequestService, path: string): Promise<Listener> {
  return listenUws(service, config, { path });
}

/** uWebSockets.js does not say why an address cannot be had; node does. */
export async function explainRefusal({ host = '::', port }: TcpTarget): Promise<unknown> {
  const inUse = Object.assign(new Error(`listen EADDRINUSE: address already in use ${host}:${port}`), {
    code: 'EADDRINUSE',
    errno: -98,
    syscall: 'listen',
    address: host,
    port,
  });
  return probeTcp({ host, port }).then(
    () => inUse,
    (error: unknown) => error,
  );
}

/** An address as node:net tells it. */
export function toAddressInfo(address: ListenAddress): AddressInfo | string {
  if ('path' in address) return address.path;
  return { address: address.host, family: address.host.includes(':') ? 'IPv6' : 'IPv4', port: address.port };
}
