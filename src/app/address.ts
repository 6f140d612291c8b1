import { describeValue, ImproperlyConfigured } from '../core/errors.js';
import type { ListenAddress } from '../gateway/gateway.js';

const LOOPBACK = '127.0.0.1';
const ANY = '0.0.0.0';
/** What `sockaddr_un` holds, less the final NUL. */
const LONGEST_PATH_BYTES = process.platform === 'linux' ? 107 : 103;

/**
 * Reads an address to listen on: `host:port`, `:port` (all interfaces), a port alone (loopback), `[v6]:port`, or
 * `unix:/path`.
 * @throws {ImproperlyConfigured}
 */
export function parseAddress(bind: string | number): ListenAddress {
  const text = String(bind).trim();
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    if (path === '') throw addressError(bind);
    if (Buffer.byteLength(path) > LONGEST_PATH_BYTES) {
      throw new ImproperlyConfigured(
        `Option "bind" has a unix socket path of ${Buffer.byteLength(path)} bytes; the system takes ${LONGEST_PATH_BYTES} at the most`,
      );
    }
    return { path };
  }
  const match = /^(?:(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]*)):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw addressError(bind);
  const [, ipv6, name] = match;
  return { host: ipv6 ?? (name === undefined ? LOOPBACK : name === '' ? ANY : name), port };
}

/** An address as a URL's origin, or as `unix:/path`. A wildcard address is shown as one that can be opened. */
export function formatUrl(address: ListenAddress, scheme: 'http' | 'https'): string {
  if ('path' in address) return `unix:${address.path}`;
  const host = address.host === ANY ? LOOPBACK : address.host === '::' ? '[::1]' : address.host;
  return `${scheme}://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${address.port}`;
}

function addressError(bind: unknown): ImproperlyConfigured {
  return new ImproperlyConfigured(
    `Option "bind" must be host:port, :port, a port, [v6]:port or unix:/path, such as 127.0.0.1:8060; received ${describeValue(bind)}`,
  );
}
