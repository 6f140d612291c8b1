import proxyAddr from 'proxy-addr';
import type { Environ, MiddlewareFunction } from '../core/contract.js';
import { refuseUnknown, requireOptions } from '../core/errors.js';
import { formatAddress } from '../core/ip-address.js';
import {
  checkHost,
  checkPort,
  checkScheme,
  type Hop,
  malformed,
  parseForwarded,
  parseForwardedFor,
} from './forwarded.js';
import { optionError, requireBoolean } from './option-error.js';

/** Options of {@link proxyHeaders}. */
export interface ProxyHeadersOptions {
  /**
   * The proxies that are believed: addresses and CIDR ranges, `10.0.0.0/8`, and the names `loopback`, `linklocal` and
   * `uniquelocal` for the ranges that go by them.
   */
  trusted: readonly string[];
  /**
   * Which headers your proxies set: `X-Forwarded-For`, `-Proto`, `-Host` and `-Port`, or `Forwarded` (RFC 7239). Never
   * both, as the one that a proxy does not know it passes on as the client wrote it. @defaultValue `x-forwarded`
   */
  use?: 'x-forwarded' | 'forwarded';
  /** Whether whoever connects to a unix socket is believed. @defaultValue true */
  trustUnixSocket?: boolean;
  /** Whether the host is taken too; only for proxies that set it always. @defaultValue true */
  takeHost?: boolean;
}

const OWNER = 'proxyHeaders';
const X_HEADERS = ['X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Forwarded-Port'];
/** How many trusted addresses are remembered. */
const REMEMBERED = 1024;
const DEFAULT_PORTS = { http: '80', https: '443' } as const;

/**
 * Behind a proxy: takes the client's address, scheme, host and port from what trusted proxies say, and puts them into
 * `REMOTE_ADDR`, `wsgi.url_scheme`, `HTTPS`, `HTTP_HOST` and `SERVER_PORT`. The address is the rightmost that is not of a
 * trusted proxy, so that what a client writes itself, further left, has no effect. Of a peer that is not trusted nothing is
 * taken. What a trusted proxy says and cannot be read is answered with 400: any guess would be an address that somebody
 * else may have chosen.
 * @example new WsgiHandler([accessLog(), secureHeaders(), proxyHeaders({ trusted: ['10.0.0.0/8'] }), app])
 */
export function proxyHeaders(options: ProxyHeadersOptions): MiddlewareFunction {
  const {
    trusted,
    use = 'x-forwarded',
    trustUnixSocket = true,
    takeHost = true,
    ...unknown
  } = requireOptions(OWNER, options);
  refuseUnknown(OWNER, unknown, ['trusted', 'use', 'trustUnixSocket', 'takeHost']);
  const isTrustedAddress = compileTrust(trusted);
  if (use !== 'x-forwarded' && use !== 'forwarded')
    throw optionError(OWNER, 'use', "'x-forwarded' or 'forwarded'", use);
  requireBoolean(OWNER, 'trustUnixSocket', trustUnixSocket);
  requireBoolean(OWNER, 'takeHost', takeHost);
  const isTrusted = (address: string) => (address === '' ? trustUnixSocket : isTrustedAddress(address, 0));

  const proxyHeadersMiddleware: MiddlewareFunction = (environ) => {
    const peer = environ.REMOTE_ADDR;
    if (!isTrusted(peer)) return;
    const said =
      use === 'forwarded'
        ? readForwarded(environ, isTrustedAddress)
        : readXForwarded(environ, isTrustedAddress);
    if (said !== undefined) apply(environ, takeHost ? said : { ...said, host: undefined }, use);
  };
  proxyHeadersMiddleware.headers = use === 'forwarded' ? ['Forwarded', 'Host'] : [...X_HEADERS, 'Host'];
  proxyHeadersMiddleware.runsOn = 'request';
  return proxyHeadersMiddleware;
}

type Trust = (address: string, index: number) => boolean;

function compileTrust(trusted: unknown): Trust {
  const isList = Array.isArray(trusted) && trusted.every((one: unknown) => typeof one === 'string');
  if (!isList)
    throw optionError(OWNER, 'trusted', "a list of addresses and ranges, such as ['10.0.0.0/8']", trusted);
  try {
    return remember(proxyAddr.compile([...(trusted as string[])]));
  } catch (cause) {
    throw new TypeError(
      `Option "trusted" of proxyHeaders() must have addresses and ranges, such as '10.0.0.0/8': ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** Proxies are few and come again, and to parse an address takes a microsecond. */
function remember(trust: Trust): Trust {
  const known = new Map<string, boolean>();
  return (address, index) => {
    const answer = known.get(address);
    if (answer !== undefined) return answer;
    const isTrusted = trust(address, index);
    if (isTrusted && known.size < REMEMBERED) known.set(address, true);
    return isTrusted;
  };
}

/** What is believed. */
interface Said extends Hop {
  readonly serverPort: string | undefined;
}

/**
 * How many hops from the right the client is: the walk ends at the first that no trusted proxy is.
 * @returns 1 for the last
 */
function countHops(hops: readonly Hop[], isTrusted: Trust): number {
  let count = 1;
  while (count < hops.length) {
    const { address } = hops[hops.length - count] as Hop;
    if (address === undefined || address === '' || !isTrusted(address, 0)) break;
    count++;
  }
  return count;
}

function readForwarded(environ: Environ, isTrusted: Trust): Said | undefined {
  const header = environ.HTTP_FORWARDED;
  if (header === undefined) return undefined;
  const hops = parseForwarded(header);
  const hop = hops[hops.length - countHops(hops, isTrusted)] as Hop;
  if (hop.address === '') throw malformed('Forwarded');
  return { ...hop, serverPort: undefined };
}

function readXForwarded(environ: Environ, isTrusted: Trust): Said | undefined {
  const { HTTP_X_FORWARDED_FOR, HTTP_X_FORWARDED_PROTO, HTTP_X_FORWARDED_HOST, HTTP_X_FORWARDED_PORT } =
    environ;
  let count = 1;
  let hop: Hop | undefined;
  if (HTTP_X_FORWARDED_FOR !== undefined) {
    const hops = parseForwardedFor(HTTP_X_FORWARDED_FOR);
    count = countHops(hops, isTrusted);
    hop = hops[hops.length - count];
    if (hop?.address === '') throw malformed('X-Forwarded-For');
  }
  return {
    address: hop?.address,
    port: hop?.port,
    scheme: pick(HTTP_X_FORWARDED_PROTO, count),
    host: pick(HTTP_X_FORWARDED_HOST, count),
    serverPort: pick(HTTP_X_FORWARDED_PORT, count),
  };
}

/** The element that the client's own proxy added; the first where the proxies do not keep a list. */
function pick(header: string | undefined, count: number): string | undefined {
  if (header === undefined || !header.includes(',')) return header?.trim();
  const elements = header.split(',');
  return (elements[Math.max(0, elements.length - count)] as string).trim();
}

/** Checks all before it changes anything. */
function apply(environ: Environ, said: Said, use: 'x-forwarded' | 'forwarded'): void {
  const name = (header: string) => (use === 'forwarded' ? 'Forwarded' : header);
  const { address, port, host } = said;
  const scheme = said.scheme === undefined ? undefined : checkScheme(said.scheme, name('X-Forwarded-Proto'));
  const hostPort = host === undefined ? undefined : checkHost(host, name('X-Forwarded-Host'));
  const givenPort =
    said.serverPort === undefined ? undefined : checkPort(said.serverPort, 'X-Forwarded-Port');
  const serverPort = givenPort ?? hostPort;
  if (address !== undefined) {
    // The port is the client's, or not known: that of the proxy means nothing.
    environ.REMOTE_ADDR = formatAddress(address);
    environ.REMOTE_PORT = port;
  }
  if (scheme !== undefined) {
    environ['wsgi.url_scheme'] = scheme;
    environ.HTTPS = scheme === 'https' ? 'on' : undefined;
  }
  const known = DEFAULT_PORTS[scheme ?? (environ['wsgi.url_scheme'] as 'http' | 'https')];
  if (host !== undefined) {
    // The port that the proxy states counts, as that of its Host is the client's word.
    const name = hostPort === undefined ? host : host.slice(0, -hostPort.length - 1);
    const port = givenPort === known ? '' : `:${givenPort}`;
    environ.HTTP_HOST = givenPort === undefined ? host : `${name}${port}`;
  }
  if (serverPort !== undefined) environ.SERVER_PORT = serverPort;
  else if (scheme !== undefined || host !== undefined) environ.SERVER_PORT = known;
}
