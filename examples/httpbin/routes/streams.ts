/** Responses that come in pieces. The server asks for the next piece when the client has taken the one before. */
import { type HeaderPair, type RouteRequest, Router, type WsgiRequest, WsgiResponse } from 'vela';
import { describeHead } from '../describe-request.js';
import { atMost, between } from '../path-numbers.js';
import { pause } from '../pause.js';
import { findSeed, readNumber, readWhole } from '../query-args.js';
import { randomChunks } from '../random-bytes.js';
import type { RouteGroup } from '../route-group.js';

const MAX_LINES = 100;
const MAX_BYTES = 102_400;
const CHUNK_BYTES = 10_240;
const MAX_DRIP_BYTES = 10_485_760;
const MAX_SECONDS = 10;
/** No more often than this, as timers are no finer; and no more than this at once. */
const DRIP_SECONDS = 0.01;
const DRIP_BYTES = 65_536;
/** Of pulsar's /stream/m/n, which has no limits. */
const MAX_CHUNKS = 1000;
const MAX_CHUNK_BYTES = 65_536;
const EMPTY = new Set([204, 205, 304]);
const OCTETS: HeaderPair = ['Content-Type', 'application/octet-stream'];

/** Headers are read before the first line is asked for, when they may be gone. */
function lines(request: RouteRequest<{ n: number }>): WsgiResponse {
  const told = describeHead(request);
  const { n } = request.params;
  function* generate() {
    for (let id = 0; id < n; id++) yield `${JSON.stringify({ ...told, id })}\n`;
  }
  return new WsgiResponse({ content: generate(), contentType: 'application/json' });
}

async function drip(request: WsgiRequest): Promise<WsgiResponse> {
  const seconds = { least: 0, most: MAX_SECONDS };
  const bytes = readWhole(request, 'numbytes', { fallback: 10, least: 1, most: MAX_DRIP_BYTES });
  const duration = readNumber(request, 'duration', { fallback: 2, ...seconds });
  const status = readWhole(request, 'code', { fallback: 200, least: 200, most: 599 });
  await pause(request, readNumber(request, 'delay', { fallback: 0, ...seconds }));
  if (EMPTY.has(status)) return new WsgiResponse({ status });
  return new WsgiResponse({
    status,
    content: drops(request, bytes, duration),
    headers: [OCTETS, ['Content-Length', String(bytes)]],
  });
}

async function* drops(request: WsgiRequest, bytes: number, seconds: number): AsyncGenerator<Buffer> {
  const steps = Math.min(bytes, Math.ceil(Math.max(seconds / DRIP_SECONDS, bytes / DRIP_BYTES, 1)));
  let sent = 0;
  for (let step = 1; step <= steps; step++) {
    const due = Math.round((bytes * step) / steps);
    yield Buffer.alloc(due - sent, '*');
    sent = due;
    await pause(request, seconds / steps);
  }
}

const router = new Router()
  .get('/stream/:n', { params: { n: atMost(MAX_LINES) } }, lines)
  .get(
    '/stream/:m/:n',
    { params: { m: between(1, MAX_CHUNK_BYTES), n: between(1, MAX_CHUNKS) } },
    ({ params }) => {
      const chunk = 'a'.repeat(params.m);
      return new WsgiResponse({
        content: (function* () {
          for (let n = 0; n < params.n; n++) yield chunk;
        })(),
        contentType: 'text/plain',
      });
    },
  )
  .get('/stream-bytes/:n', { params: { n: atMost(MAX_BYTES) } }, (request) => {
    const chunkBytes = readWhole(request, 'chunk_size', { fallback: CHUNK_BYTES, least: 1, most: MAX_BYTES });
    return randomChunks(request.params.n, chunkBytes, findSeed(request));
  })
  .get('/drip', drip);

export const streams: RouteGroup = {
  title: 'Streams',
  prefix: '/',
  router,
  routes: [
    { method: 'GET', path: '/stream/:n', text: 'So many lines of JSON', example: '/stream/3' },
    { method: 'GET', path: '/stream/:m/:n', text: 'n pieces of m bytes', example: '/stream/20/5' },
    {
      method: 'GET',
      path: '/stream-bytes/:n',
      text: 'Random bytes in pieces',
      example: '/stream-bytes/512?chunk_size=64&seed=7',
    },
    {
      method: 'GET',
      path: '/drip',
      text: 'Drops, over some seconds',
      example: '/drip?numbytes=20&duration=1&delay=0.2',
    },
  ],
};
