/**
 * A folder of files: listings, index files, compressed siblings, ranges, and a 404 page.
 * `--root FOLDER`, or FILES_ROOT, says which; without it a sample is made, which goes when the server stops.
 */
import { randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Middleware, WsgiHandler, WsgiServer } from 'vela';
import { accessLog } from 'vela/middleware';
import { MediaRouter } from 'vela/static';
import { makeSample } from './make-sample.js';

const flags = process.argv.slice(2);
const at = flags.indexOf('--root');
const [, given = process.env.FILES_ROOT] = at === -1 ? [] : flags.splice(at, 2);
const root = given ?? join(tmpdir(), `vela-files-${randomUUID()}`);

const sample: Middleware = {
  handle: () => undefined,
  start: () => makeSample(root),
  stop: () => rm(root, { recursive: true }),
};

/** A file as PEP 3333 knows it: no ranges, no conditions, but any object with read() and close() can be sent. */
const license: Middleware = async (environ, startResponse) => {
  if (environ.PATH_INFO !== '/license') return undefined;
  const file = await open(fileURLToPath(new URL('../../LICENSE', import.meta.url)));
  startResponse('200 OK', [['Content-Type', 'text/plain; charset=utf-8']]);
  return environ['wsgi.file_wrapper'](file, 16_384);
};

/** Style and pictures are kept: for good if a hash in the name changes with them, else for an hour. Pages are asked for anew. */
function cacheControl(path: string): string {
  if (/\.[0-9a-f]{8}\.\w+$/.test(path)) return 'public, max-age=31536000, immutable';
  return /\.(?:css|js|svg|png|jpe?g|webp|woff2)$/.test(path) ? 'public, max-age=3600' : 'no-cache';
}

const files = new MediaRouter({
  root,
  listing: true,
  precompressed: true,
  defaultSuffix: '.html',
  cacheControl,
});

/** The same folder again, under /assets, and of it only what pages are dressed with. */
const assets = new MediaRouter({
  root,
  prefix: '/assets',
  serveOnly: ['.css', '.js', '.svg'],
  precompressed: true,
  cacheControl,
});

const app = new WsgiHandler([
  ...(given === undefined ? [sample] : []),
  accessLog({ destination: 'logger', format: '%(m)s %(U)s %(s)s %(B)s bytes' }),
  license,
  assets,
  files,
]);

await new WsgiServer(app).start(flags);
