import uWS from 'uWebSockets.js';
import { runRow } from '../../lib/child.mjs';
import { ROUTES, STATIC_ANSWER } from '../../lib/router-answers.mjs';

function answer(res, value) {
  res.writeHeader('Content-Type', 'application/json');
  res.end(JSON.stringify(value));
}

function refuse(res, status) {
  res.writeStatus(status);
  res.end();
  return true;
}

const refuseTrace = (req, res) => req.getMethod() === 'trace' && refuse(res, '405 Method Not Allowed');
const refuseAdmin = (req, res) => req.getUrl().startsWith('/admin') && refuse(res, '403 Forbidden');
const refuseNoHost = (req, res) => req.getHeader('host') === '' && refuse(res, '400 Bad Request');

const apps = {
  routes(server) {
    server.get('/', (res) => answer(res, STATIC_ANSWER));
    for (const path of ROUTES) server.get(path, (res, req) => answer(res, { id: req.getParameter(0) }));
  },

  stack(server) {
    server.get('/', (res) => answer(res, STATIC_ANSWER));
    for (const path of ROUTES) {
      server.get(path, (res, req) => {
        if (refuseTrace(req, res) || refuseAdmin(req, res) || refuseNoHost(req, res)) return;
        answer(res, { id: req.getParameter(0) });
      });
    }
  },
};

function listen(app) {
  // Leaves out the uWebSockets response header, as the servers built on it do.
  uWS._cfg('silent');
  const server = uWS.App();
  app(server);
  return new Promise((resolve, reject) => {
    server.listen('127.0.0.1', 0, (socket) => {
      if (socket === false) reject(new Error('Could not listen on 127.0.0.1'));
      else resolve(uWS.us_socket_local_port(socket));
    });
  });
}

await runRow(apps, listen);
