/** Vela's side of the rows of the suites core and workers. */
import { WsgiHandler, waitForBody } from '../../dist/index.js';
import { ACCEPT, chunks, FIXED_HEADERS, HELLO, LARGE, LIMIT_BYTES, nextRequestId, USER_AGENT } from './answers.mjs';

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

export const apps = {
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
