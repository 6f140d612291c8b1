import type { Environ, MiddlewareFunction } from '../core/contract.js';
import { type Authorization, parseAuthorization } from '../request/authorization.js';

const KEY = 'http.authorization';

/**
 * Reads the Authorization header into `environ['http.authorization']`: an {@link Authorization}, or undefined for none,
 * another scheme, and junk. It refuses nobody: that is what {@link authenticate} does.
 * @example new WsgiHandler([authorization(), app])
 */
export function authorization(): MiddlewareFunction {
  const keepAuthorization: MiddlewareFunction = (environ) => {
    const found = parseAuthorization(environ.HTTP_AUTHORIZATION);
    if (found !== undefined) environ[KEY] = found;
  };
  keepAuthorization.headers = ['authorization'];
  keepAuthorization.runsOn = 'request';
  return keepAuthorization;
}

/** What the client says of who it is. Nothing of it is verified. */
export function authorizationOf(environ: Environ): Authorization | undefined {
  return parseAuthorization(environ.HTTP_AUTHORIZATION);
}

/** `authorization()` under the name that it has in pulsar. */
export const authorizationMiddleware: MiddlewareFunction = authorization();
