/**
 * Two applications in one program, a site and its API, each with an address, workers and flags of its own. The page of the site
 * shows who answers: npm run example -- multi --workers 2 --api-bind :9070, and http://127.0.0.1:8060.
 */
import { getApplication, html, json, Router, WsgiHandler, WsgiServer } from 'vela';
import { arbiter } from 'vela/actors';

const site = new Router();
site.get('/', () => {
  const { settings } = getApplication('api');
  return html`<!doctype html>
    <title>Two applications</title>
    <h1>The site, answered by process ${process.pid}</h1>
    <p>The API is another application of the same program, at <code>${String(settings.bind)}</code>.</p>`;
});

const api = new Router();
api.get('/', () => json({ application: 'api', pid: process.pid }));

new WsgiServer(new WsgiHandler([site]), { name: 'site', bind: '127.0.0.1:8060', workers: 2 });
new WsgiServer(new WsgiHandler([api]), { prefix: 'api', bind: '127.0.0.1:8070' });
await arbiter().start();
