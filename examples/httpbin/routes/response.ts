/** Responses with the headers that are asked for: caching, conditions, and any others. */
import { randomUUID } from 'node:crypto';
import { BadRequest, type HeaderPair, HttpError, type RouteRequest, Router, WsgiResponse } from 'vela';
import { evaluatePreconditions, readPreconditions } from 'vela/middleware';
import { describeHead } from '../describe-request.js';
import { formatJson, prettyJson } from '../pretty-json.js';
import type { RouteGroup } from '../route-group.js';

/** What a name and a value of a header are (RFC 9110 §5.1, §5.5). */
const NAME = /^[!#$%&'*+.^_`|~\w-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Those of the connection, and the length: the server's own. */
const OWN =
  /^(?:connection|content-length|date|keep-alive|proxy-.*|te|trailers?|transfer-encoding|upgrade)$/i;
/** What an entity-tag may hold within its quotes (RFC 9110 §8.8.3). */
const TAG = /^[\x21\x23-\x7e]+$/;
/** How often the length of a text that states its own length is tried. */
const MAX_ROUNDS = 5;

/** A JSON object of all headers of its own response, the length among them. */
function tellHeaders({ query }: RouteRequest): WsgiResponse {
  const given: HeaderPair[] = [...query];
  const wrong = given.find(([name, value]) => !NAME.test(name) || !VALUE.test(value) || OWN.test(name));
  if (wrong !== undefined)
    throw new BadRequest(`No response can have this header: ${JSON.stringify(wrong[0])}`);
  const hasType = given.some(([name]) => name.toLowerCase() === 'content-type');
  const headers: HeaderPair[] = hasType ? given : [['Content-Type', 'application/json'], ...given];
  let content = '';
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const length = String(Buffer.byteLength(content));
    const next = formatJson(collect([['Content-Length', length], ...headers]));
    if (next === content) break;
    content = next;
  }
  return new WsgiResponse({ content, headers });
}

/** A list where a name comes more than once. */
function collect(headers: readonly HeaderPair[]): Record<string, string | string[]> {
  const found: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of headers) {
    const known = found[name];
    found[name] = known === undefined ? value : [known, value].flat();
  }
  return found;
}

/** 304 for every condition: for trying out a cache, not for learning how they are evaluated. */
function cached(request: RouteRequest): WsgiResponse {
  const conditions = readPreconditions(request.environ);
  if (conditions?.ifModifiedSince !== undefined || conditions?.ifNoneMatch !== undefined)
    return new WsgiResponse({ status: 304 });
  const headers: HeaderPair[] = [
    ['Last-Modified', new Date().toUTCString()],
    ['ETag', `"${randomUUID()}"`],
  ];
  return prettyJson(describeHead(request), { headers });
}

/** As a resource would that has this ETag. */
function tagged(request: RouteRequest<{ etag: string }>): WsgiResponse {
  const { etag: text } = request.params;
  if (!TAG.test(text)) throw new BadRequest('An ETag has printable ASCII without quotes');
  const etag = `"${text}"`;
  const headers: HeaderPair[] = [['ETag', etag]];
  const status = evaluatePreconditions(readPreconditions(request.environ), { etag });
  if (status === 412) throw new HttpError(412, undefined, { headers });
  if (status === 304) return new WsgiResponse({ status, headers });
  return prettyJson(describeHead(request), { headers });
}

const router = new Router()
  .on(['GET', 'POST'])('/response-headers', tellHeaders)
  .get('/cache', cached)
  .get('/cache/:seconds', { params: { seconds: 'int' } }, (request) =>
    prettyJson(describeHead(request), {
      headers: [['Cache-Control', `public, max-age=${request.params.seconds}`]],
    }),
  )
  .get('/etag/:etag', tagged);

export const responseFacts: RouteGroup = {
  title: 'Response inspection',
  prefix: '/',
  router,
  routes: [
    {
      method: 'GET, POST',
      path: '/response-headers',
      text: 'The headers that you ask for',
      example: '/response-headers?X-Star=Regor&X-Star=Suhail',
    },
    { method: 'GET', path: '/cache', text: '304 if you have it already' },
    { method: 'GET', path: '/cache/:seconds', text: 'May be kept so long', example: '/cache/60' },
    {
      method: 'GET',
      path: '/etag/:etag',
      text: 'Has this ETag, for If-Match and If-None-Match',
      example: '/etag/star',
    },
  ],
};
