import type { Environ } from '../core/contract.js';
import { describeValue } from '../core/errors.js';
import { type HostPattern, matchHost, parseHostPattern } from './host-pattern.js';
import type { Params } from './params.js';

/** Where a route is there at all: elsewhere it does not match. */
export interface RouteSite {
  /** The route's and those of the routers around it: all must fit. */
  readonly hosts: readonly HostPattern[];
  readonly scheme: 'http' | 'https' | undefined;
}

/** The `host` and `scheme` of a route or router; undefined for neither. @throws {TypeError} for what is no such thing */
export function resolveSite(owner: string, host: unknown, scheme: unknown): RouteSite | undefined {
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https')
    throw new TypeError(
      `Option "scheme" of ${owner} must be 'http' or 'https'; received ${describeValue(scheme)}`,
    );
  if (host === undefined && scheme === undefined) return undefined;
  return { hosts: host === undefined ? [] : [parseHostPattern(host)], scheme };
}

/** Both. @throws {TypeError} where no request can be for both */
export function joinSites(
  outer: RouteSite | undefined,
  inner: RouteSite | undefined,
  path: string,
): RouteSite | undefined {
  if (outer === undefined || inner === undefined) return outer ?? inner;
  if (outer.scheme !== undefined && inner.scheme !== undefined && outer.scheme !== inner.scheme)
    throw new TypeError(
      `The route '${path}' is for ${inner.scheme} in a router for ${outer.scheme}: no request fits`,
    );
  const known = outer.hosts.map(({ source }) => source);
  const more = inner.hosts.filter(({ source }) => !known.includes(source));
  const hosts = [...outer.hosts, ...more];
  const fixed = hosts.filter(({ regexp }) => regexp === undefined);
  const [one] = fixed;
  for (const host of hosts) {
    if (one === undefined || matchHost(host, one.source, {})) continue;
    throw new TypeError(
      `The route '${path}' is for the hosts '${one.source}' and '${host.source}': no request fits`,
    );
  }
  return { hosts, scheme: inner.scheme ?? outer.scheme };
}

/** Whether a request is for this site. @param params - takes the parameters of the host */
export function fitsSite({ hosts, scheme }: RouteSite, environ: Environ, params: Params): boolean {
  if (scheme !== undefined && environ['wsgi.url_scheme'] !== scheme) return false;
  if (hosts.length === 0) return true;
  const name = hostName(environ);
  for (let i = 0; i < hosts.length; i++) if (!matchHost(hosts[i] as HostPattern, name, params)) return false;
  return true;
}

/** What two routes have in common when they are for the same requests. */
export function formatSite(site: RouteSite | undefined): string {
  if (site === undefined) return '';
  return `${site.scheme ?? ''}//${site.hosts.map(({ source }) => source).join(' ')}`;
}

/** The one host that a site is for, as {@link toHostKey} has it; undefined where it has parameters, or none. */
export function findFixedHost(site: RouteSite | undefined): string | undefined {
  const host = site?.hosts.find(({ regexp }) => regexp === undefined);
  return host === undefined ? undefined : toHostKey(host.source);
}

/** Hosts that may be the same have one key: a dot at the end says nothing more (RFC 1034 §3.1). */
export function toHostKey(host: string): string {
  return host.endsWith('.') ? host.slice(0, -1) : host;
}

/** The host that a request is for, without its port, in lower case; that of the server where the client names none. */
export function hostName({ HTTP_HOST, SERVER_NAME }: Environ): string {
  if (HTTP_HOST === undefined) return SERVER_NAME.toLowerCase();
  const colon = HTTP_HOST.startsWith('[') ? HTTP_HOST.indexOf(']') + 1 : HTTP_HOST.indexOf(':');
  return (colon === -1 ? HTTP_HOST : HTTP_HOST.slice(0, colon)).toLowerCase();
}
