import { Router, serve, WsgiHandler } from '../../../dist/index.js';
import { runRow } from '../../lib/child.mjs';
import { ROUTES, routesOf, STATIC_ANSWER } from '../../lib/router-answers.mjs';

function makeRouter(paths) {
  const router = new Router();
  router.get('/', () => STATIC_ANSWER);
  for (const path of paths) router.get(path, ({ params }) => ({ id: params.id }));
  return router;
}

function refuse(startResponse, status) {
  startResponse(status, []);
  return [];
}

function refuseTrace(environ, startResponse) {
  if (environ.REQUEST_METHOD === 'TRACE') return refuse(startResponse, '405 Method Not Allowed');
}

function refuseAdmin(environ, startResponse) {
  if (environ.PATH_INFO.startsWith('/admin')) return refuse(startResponse, '403 Forbidden');
}

function refuseNoHost(environ, startResponse) {
  if (environ.HTTP_HOST === undefined) return refuse(startResponse, '400 Bad Request');
}

const apps = {
  routes: () => new WsgiHandler([makeRouter(ROUTES)]),
  stack: () => new WsgiHandler([refuseTrace, refuseAdmin, refuseNoHost, makeRouter(ROUTES)]),
  size: () => new WsgiHandler([makeRouter(routesOf(Number(process.argv[3])))]),
};

async function listen(makeApp) {
  const server = await serve(makeApp(), { bind: '127.0.0.1:0', gateway: 'uws' });
  return server.address.port;
}

await runRow(apps, listen);
