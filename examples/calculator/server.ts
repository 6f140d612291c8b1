/**
 * A calculator over JSON-RPC: methods below prefixes, a memory for each visitor, and a page to try it.
 */
import { Router, WsgiHandler, WsgiResponse, WsgiServer } from 'vela';
import { createMemoryStore, mount, secureHeaders, session } from 'vela/middleware';
import { calculator } from './calculator.js';
import { calculatorPage } from './page.js';

const sessions = session({ store: createMemoryStore() });
const pages = new Router().get(
  '/',
  ({ environ }) => new WsgiResponse({ content: calculatorPage(environ, calculator.listMethods()) }),
);

const site = new WsgiHandler(
  [
    secureHeaders({
      contentSecurityPolicy: { directives: { 'script-src': ["'nonce'"], 'style-src': ["'nonce'"] } },
    }),
    sessions,
    mount('/rpc', calculator),
    pages,
  ],
  { responseMiddleware: [sessions.save] },
);

await new WsgiServer(site).start();
