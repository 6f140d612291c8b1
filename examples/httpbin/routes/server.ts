/** What the server says of itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import { eventStream, Router, type WsgiRequest } from 'vela';
import { fileResponse } from 'vela/static';
import type { RequestCounts } from '../count-requests.js';
import { between } from '../path-numbers.js';
import { prettyJson } from '../pretty-json.js';
import type { RouteGroup, ShownRoute } from '../route-group.js';
import { MEDIA } from './images.js';

const EVERY_MS = 1000;
const MIB = 1_048_576;
/** What fileResponse reads at a time: pulsar's limits are wider. */
const MIN_BLOCK_BYTES = 4096;
const MAX_BLOCK_BYTES = 4_194_304;

function readStats({ config, environ }: WsgiRequest, counts: RequestCounts) {
  return {
    gateway: environ['vela.connection'].gateway,
    memoryMiB: Math.round(process.memoryUsage.rss() / MIB),
    name: environ.SERVER_SOFTWARE,
    requests: counts,
    uptimeSeconds: Math.round(process.uptime()),
    workers: config.workers ?? 1,
  };
}

/** Each second, until the client leaves or the server stops. */
async function* follow(request: WsgiRequest, counts: RequestCounts) {
  const { 'vela.stopping': stopping } = request.environ;
  while (!stopping.aborted) {
    yield { event: 'stats', data: JSON.stringify(readStats(request, counts)) };
    await sleep(EVERY_MS, undefined, { signal: stopping }).catch(() => {}); // stopping is an end, not an error
  }
}

const ROUTES: readonly ShownRoute[] = [
  { method: 'GET', path: '/stats', text: 'What it has done; each second, as text/event-stream' },
  { method: 'GET', path: '/servername', text: 'Its name' },
  { method: 'GET', path: '/plaintext', text: 'Little text, for benchmarks' },
  {
    method: 'GET',
    path: '/clip{/:blockBytes}',
    text: 'A film, read in such blocks',
    example: '/clip/4096',
  },
];

/** @param counts - what /stats tells */
export function createServerGroup(counts: RequestCounts): RouteGroup {
  const router = new Router()
    .get('/stats', (request) =>
      request.accepts('application/json', 'text/event-stream') === 'text/event-stream'
        ? eventStream(follow(request, counts))
        : prettyJson(readStats(request, counts)),
    )
    .get('/servername', ({ environ }) => `${environ.SERVER_NAME}\n`)
    .get('/plaintext', () => 'Hello, World!')
    .get(
      '/clip{/:blockBytes}',
      { params: { blockBytes: between(MIN_BLOCK_BYTES, MAX_BLOCK_BYTES) } },
      (request) => {
        const { blockBytes = MIN_BLOCK_BYTES } = request.params;
        return fileResponse(request.environ, 'clip.webm', { root: MEDIA, blockBytes });
      },
    );
  return { title: 'This server', prefix: '/', router, routes: ROUTES };
}
