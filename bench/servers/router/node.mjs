import { createServer } from 'node:http';
import findMyWay from 'find-my-way';
import { runRow } from '../../lib/child.mjs';
import { ROUTES, STATIC_ANSWER } from '../../lib/router-answers.mjs';

function answer(res, value) {
  const body = JSON.stringify(value);
  res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
  res.end(body);
}

function refuse(res, status) {
  res.writeHead(status);
  res.end();
  return true;
}

const refuseTrace = (req, res) => req.method === 'TRACE' && refuse(res, 405);
const refuseAdmin = (req, res) => req.url.startsWith('/admin') && refuse(res, 403);
const refuseNoHost = (req, res) => req.headers.host === undefined && refuse(res, 400);

function makeRouter() {
  const router = findMyWay();
  router.on('GET', '/', (_req, res) => answer(res, STATIC_ANSWER));
  for (const path of ROUTES) router.on('GET', path, (_req, res, { id }) => answer(res, { id }));
  return router;
}

const apps = {
  routes() {
    const router = makeRouter();
    return (req, res) => router.lookup(req, res);
  },

  stack() {
    const router = makeRouter();
    return (req, res) => {
      if (refuseTrace(req, res) || refuseAdmin(req, res) || refuseNoHost(req, res)) return;
      router.lookup(req, res);
    };
  },
};

function listen(makeApp) {
  const server = createServer(makeApp());
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
}

await runRow(apps, listen);
