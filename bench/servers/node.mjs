import { createServer } from 'node:http';
import { pipeline } from 'node:stream';
import { ACCEPT, chunks, FIXED_HEADERS, HELLO, LARGE, LIMIT_BYTES, nextRequestId, USER_AGENT } from '../lib/answers.mjs';
import { runRow } from '../lib/child.mjs';
import { countBytes } from '../lib/count-bytes.mjs';

const text = { 'Content-Type': 'text/plain', 'Content-Length': HELLO.length };

function answerHello(res) {
  res.writeHead(200, text);
  res.end(HELLO);
}

function refuse(res, status) {
  res.writeHead(status);
  res.end();
  return true;
}

const refuseTrace = (req, res) => req.method === 'TRACE' && refuse(res, 405);
const refuseAdmin = (req, res) => req.url.startsWith('/admin') && refuse(res, 403);
const refuseNoHost = (req, res) => req.headers.host === undefined && refuse(res, 400);

const apps = {
  hello: (_req, res) => answerHello(res),

  middleware(req, res) {
    if (refuseTrace(req, res) || refuseAdmin(req, res) || refuseNoHost(req, res)) return;
    answerHello(res);
  },

  async async(req, res) {
    await null;
    if (req.headers['user-agent'] !== USER_AGENT || req.headers.accept !== ACCEPT) refuse(res, 400);
    else answerHello(res);
  },

  post(req, res) {
    const parts = [];
    let size = 0;
    req.on('data', (part) => {
      size += part.length;
      if (size > LIMIT_BYTES) return req.destroy();
      parts.push(part);
    });
    req.on('end', () => {
      res.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': size });
      res.end(parts.length === 1 ? parts[0] : Buffer.concat(parts, size));
    });
  },

  headers(_req, res) {
    for (const [name, value] of FIXED_HEADERS) res.setHeader(name, value);
    res.setHeader('X-Request-Id', nextRequestId());
    res.setHeader('Content-Length', HELLO.length);
    res.end(HELLO);
  },

  large(_req, res) {
    res.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': LARGE.length });
    res.end(LARGE);
  },

  stream(_req, res) {
    res.writeHead(200, { 'Content-Type': 'application/octet-stream' });
    pipeline(chunks(), res, () => {});
  },

  upload(req, res) {
    countBytes(req, (size) => {
      res.writeHead(200, { 'Content-Type': 'text/plain' });
      res.end(String(size));
    });
  },
};

function listen(app) {
  const server = createServer(app);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
}

await runRow(apps, listen);
