/**
 * A handler that blocks, on the event loop and in a thread: a page plots how long the server takes to answer something else
 * meanwhile. The same function serves both, and warnBlocking tells in the log which one to move.
 */
import { type Middleware, offload, Router, WsgiHandler, WsgiResponse, WsgiServer } from 'vela';
import { secureHeaders, warnBlocking } from 'vela/middleware';
import { blockingPage } from './page.js';
import { hashPassword } from './work.js';

const home: Middleware = (environ) =>
  environ.PATH_INFO === '/' ? new WsgiResponse({ content: blockingPage(environ) }) : undefined;

const router = new Router()
  .get('/ping', () => 'pong')
  .post('/loop/hash', hashPassword)
  .post('/thread/hash', offload(new URL('./work.ts', import.meta.url), { name: 'hashPassword' }));

const site = new WsgiHandler([
  secureHeaders({
    contentSecurityPolicy: { directives: { 'script-src': ["'nonce'"], 'style-src': ["'nonce'"] } },
  }),
  home,
  warnBlocking(router),
]);

await new WsgiServer(site).start();
