import { describeValue, ImproperlyConfigured } from '../core/errors.js';
import type { ListenAddress } from '../gateway/gateway.js';

const LOOPBACK = '127.0.0.1';
const ANY = '0.0.0.0';
const LAST_PORT = 65_535;
const NAME = 'Option "bind"';
/** What is meant by a text that is no address, and what to write instead; the first that matches. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^.*,.*$/, 'several addresses are a list, one each'],
  [/^unix:$/, 'a path follows, such as unix:/run/app.sock'],
  [/^[a-z]+:\/\/([^/\s]{1,60}).*$/i, 'leave the scheme out: $1'],
  [/^(\.{0,2}\/.*)$/, 'a unix socket is unix:$1'],
  [/^\*:?(\d*)$/, 'all IPv4 interfaces are :$1'],
  [/^[\dA-Fa-f.]*:[\dA-Fa-f.]*:[\dA-Fa-f:.]*$/, 'an IPv6 address stands in brackets: [::1]:8060'],
  [/^(\[[\dA-Fa-f:.]+\]|(?!-?[\d.]+:?$)[^:\s/[\]*]{1,60}|\d+(?:\.\d+){3}):?$/, 'add a port: $1:8060'],
];
/** What `sockaddr_un` holds, less the final NUL. */
const LONGEST_PATH_BYTES = process.platform === 'linux' ? 107 : 103;

/**
 * Reads one address to listen on, or a list of them.
 * @param name - what the user calls it
 * @throws {ImproperlyConfigured} for what {@link parseAddress} refuses, for an empty list, and for an address that is there twice
 */
export function parseAddresses(
  bind: string | number | readonly (string | number)[],
  name = NAME,
): ListenAddress[] {
  if (!Array.isArray(bind)) return [parseAddress(bind as string | number, name)];
  if (bind.length === 0) throw addressError(name, bind, '');
  const addresses = bind.map((one: string | number) => parseAddress(one, name));
  const texts = addresses.map(formatAddress);
  // Port 0 is another port each time.
  const again = texts.findIndex((text, index) => !text.endsWith(':0') && texts.indexOf(text) !== index);
  if (again === -1) return addresses;
  throw new ImproperlyConfigured(
    `${name} must have each address once; received ${texts[again]} twice: leave one out`,
  );
}

/**
 * Reads an address to listen on: `host:port`, `:port` (0.0.0.0, all IPv4 interfaces), a port alone (loopback),
 * `[v6]:port`, or `unix:/path`.
 * @param name - what the user calls it
 * @throws {ImproperlyConfigured}
 */
function parseAddress(bind: string | number, name = NAME): ListenAddress {
  if (typeof bind !== 'string' && typeof bind !== 'number') throw addressError(name, bind, '');
  const text = String(bind).trim();
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    if (path === '') throw addressError(name, bind, text);
    if (Buffer.byteLength(path) > LONGEST_PATH_BYTES) {
      throw new ImproperlyConfigured(
        `${name} has a unix socket path of ${Buffer.byteLength(path)} bytes; the system takes ${LONGEST_PATH_BYTES} at the most`,
      );
    }
    return { path };
  }
  const match = /^(?:(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s/*]*)):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > LAST_PORT) throw addressError(name, bind, text);
  const [, ipv6, host] = match;
  return { host: ipv6 ?? (host === undefined ? LOOPBACK : host === '' ? ANY : host), port };
}

/** An address as a URL's origin, or as `unix:/path`. A wildcard address is shown as one that can be opened. */
export function formatUrl(address: ListenAddress, scheme: 'http' | 'https'): string {
  if ('path' in address) return `unix:${address.path}`;
  const host = address.host === ANY ? LOOPBACK : address.host === '::' ? '[::1]' : address.host;
  return `${scheme}://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${address.port}`;
}

/** Where a server listens beside the URL that is shown of a wildcard address: ` and all ...`; `''` for other addresses. */
export function describeReach(address: ListenAddress): string {
  if ('path' in address) return '';
  const { host, port } = address;
  if (host === ANY) return ` and all IPv4 interfaces, ${ANY}:${port}`;
  return /^[0:]*:[0:]*$/.test(host) ? ` and all interfaces, [::]:${port}` : '';
}

function formatAddress(address: ListenAddress): string {
  return 'path' in address ? `unix:${address.path}` : `${address.host}:${address.port}`;
}

function addressError(name: string, bind: unknown, text: string): ImproperlyConfigured {
  const found = HINTS.find(([pattern]) => pattern.test(text));
  const isPort = /(?:^|:)\d+$/.test(text) && Number(/\d+$/.exec(text)) <= LAST_PORT;
  const hint =
    found !== undefined
      ? `: ${text.replace(...found)}`
      : isPort
        ? ''
        : `: a port is a whole number from 0 to ${LAST_PORT}`;
  return new ImproperlyConfigured(
    `${name} must be host:port, :port, a port, [v6]:port or unix:/path, such as 127.0.0.1:8060; received ${describeValue(bind)}${hint}`,
  );
}
