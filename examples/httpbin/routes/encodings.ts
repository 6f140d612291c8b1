/** Compressed whether the client takes it or not, as httpbin.org does: compress() would ask first. */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { Router, WsgiResponse } from 'vela';
import { describeHeaders } from '../describe-request.js';
import { formatJson } from '../pretty-json.js';
import type { RouteGroup } from '../route-group.js';

const ENCODINGS = [
  { path: '/gzip', coding: 'gzip', mark: 'gzipped', encode: gzipSync },
  { path: '/brotli', coding: 'br', mark: 'brotli', encode: brotliCompressSync },
  { path: '/deflate', coding: 'deflate', mark: 'deflated', encode: deflateSync },
];

const router = new Router();
for (const { path, coding, mark, encode } of ENCODINGS)
  router.get(path, (request) => {
    const { clientAddress: origin, method } = request;
    const text = formatJson({ headers: describeHeaders(request), method, origin, [mark]: true });
    return new WsgiResponse({
      content: encode(text),
      contentType: 'application/json',
      headers: [['Content-Encoding', coding]],
    });
  });

export const encodings: RouteGroup = {
  title: 'Compression',
  prefix: '/',
  router,
  routes: ENCODINGS.map(({ path, coding }) => ({
    method: 'GET',
    path,
    text: `JSON, encoded with ${coding}`,
  })),
};
