/**
 * A report of megabytes, computed in a thread and streamed from there: row by row, as fast as the client takes it, and no
 * further when the client leaves. The page shows how far it is; curl does as well.
 */
import {
  createExecutor,
  type Middleware,
  middlewareInExecutor,
  WsgiHandler,
  WsgiResponse,
  WsgiServer,
} from 'vela';
import { mount, secureHeaders } from 'vela/middleware';
import { reportPage } from './page.js';

/** A pool of their own: reports are long, and nobody else shall wait for them. */
const reports = createExecutor({
  name: 'reports',
  maxThreads: 2,
  ahead: 0,
  maxQueue: 10,
  retryAfterSeconds: 30,
});
const ledger = middlewareInExecutor(new URL('./ledger.ts', import.meta.url), {
  name: 'ledger',
  executor: reports,
  headers: [],
  clientAddress: false,
});

const home: Middleware = (environ) =>
  environ.PATH_INFO === '/' ? new WsgiResponse({ content: reportPage(environ) }) : undefined;

const site = new WsgiHandler([
  secureHeaders({
    contentSecurityPolicy: { directives: { 'script-src': ["'nonce'"], 'style-src': ["'nonce'"] } },
  }),
  mount('/ledger.csv', ledger),
  home,
  { handle: () => undefined, stop: () => reports.close() },
]);

await new WsgiServer(site).start();
