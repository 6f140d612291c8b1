/** Request bodies, streamed: nothing here holds more than a piece of them. */
import { createHash } from 'node:crypto';
import { HttpError, type RouteRequest, Router, WsgiResponse } from 'vela';
import { describeHeaders } from '../describe-request.js';
import { between } from '../path-numbers.js';
import { prettyJson } from '../pretty-json.js';
import type { RouteGroup } from '../route-group.js';

const MAX_SIZE = 8_388_608;

/** What is told of bytes that are not kept. */
async function digest(bytes: AsyncIterable<Uint8Array>) {
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of bytes) {
    hash.update(chunk);
    length += chunk.length;
  }
  return { bytes: length, sha256: hash.digest('hex') };
}

/** Sends the body back while it comes: a client that does not read is not read from. */
function echo({ contentType: { type }, environ }: RouteRequest): WsgiResponse {
  return new WsgiResponse({
    content: environ['wsgi.input'],
    contentType: type === '' ? 'application/octet-stream' : type,
    // A page of another site could have a browser send markup here.
    headers: [
      ['X-Content-Type-Options', 'nosniff'],
      ['Content-Security-Policy', 'sandbox'],
    ],
  });
}

/** Takes a form's parts, or any other body, of any size that the server takes. */
async function upload(request: RouteRequest): Promise<WsgiResponse> {
  const { contentType, environ, method } = request;
  const told = { headers: describeHeaders(request), method };
  if (contentType.type !== 'multipart/form-data')
    return prettyJson({ ...told, data: await digest(environ['wsgi.input']), args: {}, files: [] });
  const args: Record<string, string> = Object.create(null);
  const files: object[] = [];
  for await (const part of request.multipart({ limits: { fields: 100, fieldBytes: 65_536 } })) {
    const { name, filename = null, contentType: type } = part;
    if (part.isFile) files.push({ name, filename, type, ...(await digest(part)) });
    else args[name] = await part.text();
  }
  return prettyJson({ ...told, args, files });
}

const router = new Router()
  .post('/post_chunks', echo)
  .put('/upload', upload)
  .post('/expect', () => {
    throw new HttpError(417, 'This server expects nothing');
  })
  .get('/getsize/:size', { params: { size: between(1, MAX_SIZE) } }, (request) => {
    const { method, params, query } = request;
    const headers = describeHeaders(request);
    return prettyJson({ args: query, data: 'd'.repeat(params.size), headers, method, size: params.size });
  });

const headers = { 'Content-Type': 'text/plain' };

export const bodies: RouteGroup = {
  title: 'Streamed bodies',
  prefix: '/',
  router,
  routes: [
    {
      method: 'POST',
      path: '/post_chunks',
      text: 'The body, sent back while it comes',
      headers,
      body: 'Alsephina',
    },
    { method: 'PUT', path: '/upload', text: 'How long each file is, and its hash', headers, body: 'Markeb' },
    {
      method: 'POST',
      path: '/expect',
      text: 'Refuses with 417, as nothing here is expected',
      headers,
      body: 'Tseen Ke',
    },
    { method: 'GET', path: '/getsize/:size', text: 'JSON with so many letters', example: '/getsize/100' },
  ],
};
