import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LocalSide } from '../adapters/request-socket.js';

/**
 * What a server knows of its own side of connections.
 * @param readAddress - asks for the server's address, at any time
 */
export function createLocalSide(server: Server, readAddress: () => AddressInfo | string | null): LocalSide {
  const bound = (): AddressInfo | undefined => {
    const address = readAddress();
    return typeof address === 'object' ? (address ?? undefined) : undefined;
  };
  const isDualStack = () => bound()?.address === '::';
  return {
    server,
    get localPort() {
      return bound()?.port;
    },
    /** Of all interfaces nobody knows which. */
    get localAddress() {
      const address = bound()?.address;
      return address === '::' || address === '0.0.0.0' ? undefined : address;
    },
    peer: (address) => (isDualStack() && !address.includes(':') ? `::ffff:${address}` : address),
  };
}
