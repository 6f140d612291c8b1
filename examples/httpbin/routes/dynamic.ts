/** Data that is made for each request. */
import { randomUUID } from 'node:crypto';
import { html, Router, redirect, WsgiResponse } from 'vela';
import { describeRequest } from '../describe-request.js';
import { atMost } from '../path-numbers.js';
import { pause } from '../pause.js';
import { prettyJson } from '../pretty-json.js';
import { findSeed } from '../query-args.js';
import { randomChunks } from '../random-bytes.js';
import { ANY_METHOD, type RouteGroup } from '../route-group.js';

const MAX_BYTES = 102_400;
const MAX_DELAY_SECONDS = 10;
const MAX_LINKS = 200;
const BASE64 = /^[\w+/-]*={0,2}$/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeBase64(text: string): string {
  try {
    if (BASE64.test(text) && text.replace(/=+$/, '').length % 4 !== 1)
      return utf8.decode(Buffer.from(text, 'base64'));
  } catch {
    // Bytes that are no text are told of as what is no base64.
  }
  return 'Incorrect Base64 data, try: SFRUUEJJTiBpcyBhd2Vzb21l';
}

function linkPage(base: string, count: number, current: number): WsgiResponse {
  const links = Array.from({ length: count }, (_, n) =>
    n === current ? html`${n} ` : html`<a href="${base}/links/${count}/${n}">${n}</a> `,
  );
  return new WsgiResponse({
    content: html`<!doctype html>
<html lang="en"><head><title>Links</title></head><body>${links}</body></html>
`,
  });
}

const count = (text: string) => {
  const number = atMost(MAX_LINKS)(text);
  return number === undefined ? undefined : Math.max(1, number);
};

const router = new Router()
  .get('/bytes/:n', { params: { n: atMost(MAX_BYTES) } }, (request) => {
    const content = Buffer.concat([...randomChunks(request.params.n, MAX_BYTES, findSeed(request))]);
    return new WsgiResponse({ content, contentType: 'application/octet-stream' });
  })
  .get('/uuid', () => prettyJson({ uuid: randomUUID() }))
  // As text/plain: what somebody has put into a link is not to run as a page of this site.
  .get('/base64/:value', ({ params }) => decodeBase64(params.value))
  .on(ANY_METHOD)('/delay/:seconds', { params: { seconds: 'float' } }, async (request) => {
    const { json: _json, ...told } = await describeRequest(request);
    await pause(request, Math.min(request.params.seconds, MAX_DELAY_SECONDS));
    return prettyJson(told);
  })
  .get('/links/:n', { params: { n: count } }, ({ environ, params }) =>
    redirect(`${environ.SCRIPT_NAME}/links/${params.n}/0`),
  )
  .get('/links/:n/:offset', { params: { n: count, offset: 'int' } }, ({ environ, params }) =>
    linkPage(environ.SCRIPT_NAME, params.n, params.offset),
  );

export const dynamic: RouteGroup = {
  title: 'Dynamic data',
  prefix: '/',
  router,
  routes: [
    {
      method: 'GET',
      path: '/bytes/:n',
      text: 'So many random bytes, the same for a seed',
      example: '/bytes/64?seed=7',
    },
    { method: 'GET', path: '/uuid', text: 'A UUID' },
    { method: 'GET', path: '/base64/:value', text: 'What it stands for', example: '/base64/VmVsYQ' },
    { method: 'ANY', path: '/delay/:seconds', text: 'Late, by 10 s at the most', example: '/delay/1.5' },
    { method: 'GET', path: '/links/:n', text: 'To the first page of links', example: '/links/10' },
    { method: 'GET', path: '/links/:n/:offset', text: 'Links to pages of links', example: '/links/10/3' },
  ],
};
