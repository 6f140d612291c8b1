/**
 * A small site behind the middleware of the toolkit: logs, ids, limits, safe headers, health. Open / for a page that
 * shows them; /api/echo takes a POST from scripts of other origins.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Http404, html, json, type Middleware, requestOf, WsgiHandler, WsgiResponse, WsgiServer } from 'vela';
import {
  accessLog,
  bodyLimit,
  cleanPath,
  cors,
  type ErrorRenderer,
  errorPage,
  health,
  mount,
  proxyHeaders,
  requestId,
  secureHeaders,
  serverTiming,
  timeout,
  timing,
} from 'vela/middleware';

const home: Middleware = async (environ) => {
  if (environ.PATH_INFO !== '/') return undefined;
  const request = requestOf(environ);
  const end = timing(environ, 'work', 'what the page waits for');
  await sleep(5);
  end();
  const content = html`<!doctype html>
<html lang="en">
<title>Toolkit</title>
<style nonce="${String(environ['vela.csp_nonce'])}">body { font: 1rem/1.5 system-ui; margin: 4rem auto; max-width: 40rem }</style>
<h1>Toolkit</h1>
<p>Request <code>${request.id}</code> from <code>${request.clientAddress}</code> over ${request.scheme}.</p>
<p>Try <a href="/missing">a page that is not there</a>, <a href="//a//b">a path that is not clean</a>,
<a href="/slow">a handler that is too slow</a>, <a href="/readyz">the state of the server</a>.</p>
</html>
`;
  return new WsgiResponse({ content });
};

const slow: Middleware = async (environ) => {
  await sleep(10_000, undefined, { signal: environ['vela.signal'] }).catch(() => undefined);
  return new WsgiResponse({ content: 'nobody reads this\n' });
};

const echo: Middleware = async (environ) => {
  if (environ.PATH_INFO !== '/echo') throw new Http404();
  const body = await environ['wsgi.input'].read();
  return json({ bytes: body.length, mountedAt: environ.SCRIPT_NAME });
};

const page: ErrorRenderer = ({ status, reason, message, requestId: id }) => html`<!doctype html>
<html lang="en">
<title>${status} ${reason}</title>
<h1>${status} ${reason}</h1>
<p>${message}</p>
<p>Tell us the id of this request: <code>${id}</code></p>
</html>
`;

const api = new WsgiHandler([
  cors({ origins: ['https://app.example'], headers: ['Content-Type'] }),
  bodyLimit({ limitBytes: 1000 }),
  echo,
]);

const site = new WsgiHandler(
  [
    health({ checks: { loop: () => sleep(1) }, timeoutMs: 500 }),
    requestId(),
    accessLog(),
    secureHeaders({ contentSecurityPolicy: { directives: { 'style-src': ["'nonce'"] } } }),
    proxyHeaders({ trusted: ['loopback'] }),
    serverTiming(),
    timeout({ timeoutMs: 500 }),
    cleanPath(),
    mount('/api', api),
    mount('/slow', slow),
    home,
  ],
  { responseMiddleware: [errorPage({ pages: { default: { 'text/html': page } } })] },
);

await new WsgiServer(site).start();
