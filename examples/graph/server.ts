/**
 * A live plot over WebSockets: sixty points a second for every page that looks. One point is made for all of them, sixteen
 * bytes; a page that cannot follow misses points, and nobody waits for it.
 */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { Router, WsgiHandler, WsgiResponse, WsgiServer } from 'vela';
import { secureHeaders } from 'vela/middleware';
import { MediaRouter } from 'vela/static';
import { websocket } from 'vela/websocket';
import { graphPage } from './page.js';
import { signal } from './signal.js';

const POINTS_PER_SECOND = 60;

/** What the timer needs of a page. */
type Viewer = { send(point: Float64Array): unknown };

const viewers = new Set<Viewer>();
let timer: NodeJS.Timeout | undefined;

function sendPoint(): void {
  const at = Date.now() / 1000;
  const point = Float64Array.of(at, signal(at), viewers.size);
  for (const viewer of viewers) viewer.send(point);
}

const graph = websocket(
  '/graph',
  {
    open(socket) {
      viewers.add(socket);
      timer ??= setInterval(sendPoint, 1000 / POINTS_PER_SECOND);
    },
    close(socket) {
      viewers.delete(socket);
      if (viewers.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    },
  },
  { onBackpressure: 'drop', maxBackpressureBytes: 65_536 },
);

const uplot = dirname(createRequire(import.meta.url).resolve('uplot'));
const pages = new Router().get('/', ({ environ }) => new WsgiResponse({ content: graphPage(environ) }));

const site = new WsgiHandler([
  secureHeaders({
    contentSecurityPolicy: {
      // The plot gives its elements styles of their own.
      directives: { 'script-src': ["'self'", "'nonce'"], 'style-src': ["'self'", "'unsafe-inline'"] },
    },
  }),
  graph,
  new MediaRouter({ root: uplot, prefix: '/uplot' }),
  pages,
]);

await new WsgiServer(site).start();
