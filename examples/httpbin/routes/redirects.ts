/** Redirects: one after the other, and to wherever is asked for. */
import { BadRequest, type RouteRequest, Router, redirect, WsgiResponse } from 'vela';
import { findArg, readWhole } from '../query-args.js';
import { ANY_METHOD, type RouteGroup } from '../route-group.js';

type Kind = 'relative-redirect' | 'absolute-redirect';

/** To the one before, and from the first to /get. */
function goOn(request: RouteRequest<{ n: number }>, kind: Kind): WsgiResponse | undefined {
  const { n } = request.params;
  // There is no redirect that nothing leads to.
  if (n === 0) return undefined;
  const path = request.environ.SCRIPT_NAME + (n === 1 ? '/get' : router.url(kind, { n: n - 1 }));
  return kind === 'absolute-redirect'
    ? redirect(request.origin + path, { allowExternal: true })
    : redirect(path);
}

/** Anywhere, as the client wants it: what redirect() refuses, as it is what attackers ask for, is the purpose here. */
function redirectTo(request: RouteRequest): WsgiResponse {
  const url = findArg(request, 'url');
  if (url === undefined) throw new BadRequest('The query needs the parameter "url"');
  const asked = readWhole(request, 'status_code', { fallback: 302, least: 0, most: 999 });
  // Escaped, so that nothing in it can end the header.
  const location = url.replaceAll(/[^\x21-\x7e]+/gu, encodeURIComponent);
  return new WsgiResponse({
    status: asked >= 300 && asked <= 399 ? asked : 302,
    headers: [['Location', location]],
  });
}

const n = { n: 'int' } as const;
const router: Router = new Router()
  .get('/redirect/:n', { params: n }, (request) => {
    const isAbsolute = request.query.get('absolute')?.toLowerCase() === 'true';
    return goOn(request, isAbsolute ? 'absolute-redirect' : 'relative-redirect');
  })
  .get('/relative-redirect/:n', { name: 'relative-redirect', params: n }, (request) =>
    goOn(request, 'relative-redirect'),
  )
  .get('/absolute-redirect/:n', { name: 'absolute-redirect', params: n }, (request) =>
    goOn(request, 'absolute-redirect'),
  )
  .on(ANY_METHOD)('/redirect-to', redirectTo);

export const redirects: RouteGroup = {
  title: 'Redirects',
  prefix: '/',
  router,
  routes: [
    { method: 'GET', path: '/redirect/:n', text: 'So many, and then /get', example: '/redirect/3' },
    { method: 'GET', path: '/relative-redirect/:n', text: 'To paths', example: '/relative-redirect/3' },
    { method: 'GET', path: '/absolute-redirect/:n', text: 'To whole URLs', example: '/absolute-redirect/3' },
    {
      method: 'ANY',
      path: '/redirect-to',
      text: 'To where you want, with the status that you want',
      example: '/redirect-to?url=%2Fuuid&status_code=307',
    },
  ],
};
