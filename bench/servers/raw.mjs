import uWS from 'uWebSockets.js';
import { ACCEPT, CHUNK, CHUNK_COUNT, FIXED_HEADERS, HELLO, LARGE, LIMIT_BYTES, nextRequestId, USER_AGENT } from '../lib/answers.mjs';
import { runRow } from '../lib/child.mjs';

function answerHello(res) {
  res.writeHeader('Content-Type', 'text/plain');
  res.end(HELLO);
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
  hello: (res) => answerHello(res),

  middleware(res, req) {
    if (refuseTrace(req, res) || refuseAdmin(req, res) || refuseNoHost(req, res)) return;
    answerHello(res);
  },

  async async(res, req) {
    let aborted = false;
    res.onAborted(() => {
      aborted = true;
    });
    const userAgent = req.getHeader('user-agent');
    const accept = req.getHeader('accept');
    await null;
    if (aborted) return;
    res.cork(() => {
      if (userAgent !== USER_AGENT || accept !== ACCEPT) refuse(res, '400 Bad Request');
      else answerHello(res);
    });
  },

  post(res) {
    let parts;
    let size = 0;
    res.onAborted(() => {});
    res.onData((part, isLast) => {
      size += part.byteLength;
      if (size > LIMIT_BYTES) return res.close();
      if (isLast && parts === undefined) return answerBytes(res, part);
      // The view dies with this callback.
      parts = [...(parts ?? []), Buffer.from(part.slice(0))];
      if (isLast) answerBytes(res, Buffer.concat(parts, size));
    });
  },

  headers(res) {
    for (const [name, value] of FIXED_HEADERS) res.writeHeader(name, value);
    res.writeHeader('X-Request-Id', nextRequestId());
    res.end(HELLO);
  },

  large(res) {
    res.onAborted(() => {});
    res.onWritable((offset) => res.tryEnd(LARGE.subarray(offset), LARGE.length)[0]);
    res.writeHeader('Content-Type', 'application/octet-stream');
    res.tryEnd(LARGE, LARGE.length);
  },

  stream(res) {
    let left = CHUNK_COUNT;
    function writeOn() {
      while (left > 0) {
        left -= 1;
        if (!res.write(CHUNK)) return true;
      }
      res.end();
      return true;
    }
    res.onAborted(() => {});
    res.onWritable(writeOn);
    res.writeHeader('Content-Type', 'application/octet-stream');
    writeOn();
  },

  upload(res) {
    let size = 0;
    res.onAborted(() => {});
    res.onData((part, isLast) => {
      size += part.byteLength;
      if (!isLast) return;
      res.writeHeader('Content-Type', 'text/plain');
      res.end(String(size));
    });
  },
};

function answerBytes(res, bytes) {
  res.writeHeader('Content-Type', 'application/octet-stream');
  res.end(bytes);
}

function listen(app) {
  // Leaves out the uWebSockets response header, as the servers built on it do.
  uWS._cfg('silent');
  const server = uWS.App();
  server.any('/', app);
  return new Promise((resolve, reject) => {
    server.listen('127.0.0.1', 0, (socket) => {
      if (socket === false) reject(new Error('Could not listen on 127.0.0.1'));
      else resolve(uWS.us_socket_local_port(socket));
    });
  });
}

await runRow(apps, listen);
