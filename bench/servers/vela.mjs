import { serve, WsgiHandler, waitForBody } from '../../dist/index.js';
import { ACCEPT, chunks, FIXED_HEADERS, HELLO, LARGE, LIMIT_BYTES, nextRequestId, USER_AGENT } from '../lib/answers.mjs';
import { runRow } from '../lib/child.mjs';

function hello(_environ, startResponse) {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [HELLO];
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

async function helloAfterAwait(environ, startResponse) {
  await null;
  if (environ.HTTP_USER_AGENT !== USER_AGENT || environ.HTTP_ACCEPT !== ACCEPT) {
    return refuse(startResponse, '400 Bad Request');
  }
  return hello(environ, startResponse);
}

if (process.argv[3] === 'declared-headers') helloAfterAwait.headers = ['user-agent', 'accept'];

function echo(environ, startResponse) {
  const body = environ['wsgi.input'].readSync();
  startResponse('200 OK', [['Content-Type', 'application/octet-stream']]);
  return [body];
}

const apps = {
  hello,

  middleware: new WsgiHandler([refuseTrace, refuseAdmin, refuseNoHost, hello]),

  async: helloAfterAwait,

  post: new WsgiHandler([waitForBody({ limitBytes: LIMIT_BYTES }), echo]),

  headers(_environ, startResponse) {
    startResponse('200 OK', [...FIXED_HEADERS, ['X-Request-Id', nextRequestId()]]);
    return [HELLO];
  },

  large(_environ, startResponse) {
    startResponse('200 OK', [['Content-Type', 'application/octet-stream']]);
    return [LARGE];
  },

  stream(_environ, startResponse) {
    startResponse('200 OK', [['Content-Type', 'application/octet-stream']]);
    return chunks();
  },
};

async function listen(app) {
  const server = await serve(app, { bind: '127.0.0.1:0', gateway: 'uws' });
  return server.address.port;
}

await runRow(apps, listen);
