/** What the tests of examples/{express,koa,fastify,hono} ask each server, in the same order. */
import type { WireResponse } from './wire.js';

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Sends the body in two chunks. */
  readonly isChunked?: boolean;
}

/** Sends a request, with the cookies that have come so far. */
export type Ask = (path: string, options?: AskOptions) => Promise<WireResponse>;

/** A conversation. */
export type Flow = (ask: Ask) => Promise<void>;

const FILE = Buffer.from(Array.from({ length: 200_000 }, (_, n) => (n * n) >> 3));

export const FLOWS: Readonly<Record<'express' | 'koa' | 'fastify' | 'hono', Flow>> = {
  async express(ask) {
    await askForFiles(ask, '/');
    await askForFiles(ask, '/words.txt');
    await askForCookies(ask);
    await sendJson(ask, '/echo', 'POST', { a: [1, 'é'] });
    await ask('/echo', { method: 'POST', headers: form, body: 'a=1&b=2' });
    await upload(ask, '/uploads');
    await upload(ask, '/uploads', 1_100_000);
    await ask('/words/my%20words');
    await ask('/words/w', { headers: { range: 'bytes=8000-' } });
    await ask('/words/w', { method: 'HEAD' });
    await ask('/large/8');
    await ask('/large/1', { method: 'HEAD' });
    await ask('/events');
    await ask('/events', { headers: gzip });
    await ask('/upstream/a/b?c=d%20e');
    await ask('/upstream/a', { method: 'POST', body: FILE });
    await ask('/upstream/a', { method: 'POST', body: FILE, isChunked: true });
    await ask('/upstream/a', { method: 'HEAD' });
    await ask('/old');
    await askForErrors(ask);
  },
  async koa(ask) {
    await askForFiles(ask, '/');
    await askForFiles(ask, '/words.txt');
    await askForCookies(ask);
    await sendJson(ask, '/notes', 'POST', { text: 'é' });
    await ask('/notes', { method: 'POST', headers: form, body: 'text=1&b=2' });
    await ask('/notes');
    await ask('/notes/1');
    await ask('/notes/1', { headers: { 'if-none-match': '"1"' } });
    await ask('/notes/9');
    await ask('/notes', { method: 'OPTIONS' });
    await ask('/notes', { method: 'DELETE' });
    await ask('/notes', { method: 'HEAD' });
    await ask('/stream');
    await ask('/stream', { method: 'HEAD' });
    await ask('/stream', { headers: gzip });
    await ask('/large/4');
    await ask('/large/1', { method: 'HEAD' });
    await ask('/events');
    await ask('/teapot');
    await ask('/old');
    await askForErrors(ask);
  },
  async fastify(ask) {
    await askForFiles(ask, '/');
    await askForFiles(ask, '/words.txt');
    await askForCookies(ask);
    await sendJson(ask, '/orders', 'POST', { item: 'é', count: 2 });
    await ask('/orders', { method: 'POST', headers: form, body: 'text=1&b=2' });
    await ask('/orders/1', { headers: { 'x-request-id': 'abc' } });
    await ask('/orders/1', { method: 'DELETE' });
    await ask('/orders/9');
    await upload(ask, '/uploads');
    await upload(ask, '/uploads', 1_100_000);
    await ask('/large/4');
    await ask('/large/1', { method: 'HEAD' });
    await ask('/events');
    await askForErrors(ask);
  },
  async hono(ask) {
    await askForFiles(ask, '/files/words.txt');
    await askForCookies(ask);
    await ask('/');
    await ask('/', { method: 'HEAD' });
    await ask('/text');
    await ask('/text', { headers: gzip });
    await ask('/admin');
    await ask('/admin', { headers: { authorization: `Basic ${btoa('ann:secret')}` } });
    await sendJson(ask, '/api/books', 'POST', { title: 'é' });
    const { headers } = await ask('/api/books', { headers: { origin: 'https://app.example' } });
    const etag = headers.find(([name]) => name.toLowerCase() === 'etag')?.[1] ?? '';
    await ask('/api/books', { headers: { 'if-none-match': etag } });
    await ask('/api/books', {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
    });
    await ask('/api/books', { method: 'DELETE' });
    await upload(ask, '/api/uploads');
    await ask('/api/echo', { method: 'PUT', body: FILE });
    await ask('/api/echo', { method: 'PUT', body: FILE, isChunked: true });
    await ask('/large/8');
    await ask('/large/1', { method: 'HEAD' });
    await ask('/events');
    await askForErrors(ask);
  },
};

const json = { 'content-type': 'application/json' };
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const gzip = { 'accept-encoding': 'gzip' };

async function askForFiles(ask: Ask, path: string): Promise<void> {
  const { headers } = await ask(path);
  const value = (name: string) => headers.find(([one]) => one.toLowerCase() === name)?.[1] ?? '';
  await ask(path, { method: 'HEAD' });
  await ask(path, { headers: { 'if-none-match': value('etag') } });
  await ask(path, { headers: { 'if-modified-since': value('last-modified') } });
  await ask(path, { headers: { range: 'bytes=10-19' } });
  await ask(path, { headers: { range: 'bytes=-5' } });
  await ask(path, { headers: { range: 'bytes=99999-' } });
  await ask(path, { headers: { range: 'bytes=0-1,4-5' } });
  await ask(path, { headers: gzip });
  await ask(path, { headers: { 'accept-encoding': 'br, gzip;q=0.5' } });
  await ask(path, { method: 'POST', body: 'x' });
  await ask(path, { method: 'OPTIONS' });
}

async function askForCookies(ask: Ask): Promise<void> {
  for (let visit = 0; visit < 3; visit++) await ask('/visits');
  await ask('/logout', { method: 'POST' });
  await ask('/visits');
  await ask('/visits', { method: 'HEAD' });
}

async function sendJson(ask: Ask, path: string, method: string, value: unknown): Promise<void> {
  const body = JSON.stringify(value);
  await ask(path, { method, headers: json, body });
  await ask(path, { method, headers: json, body, isChunked: true });
  await ask(path, { method, headers: { ...json, expect: '100-continue' }, body });
  await ask(path, { method, headers: json, body: '{"a":' });
  await ask(path, { method, headers: json, body: '{}' });
  await ask(path, { method, headers: json });
  await ask(path, {
    method,
    headers: json,
    body: JSON.stringify({ ...(value as object), more: 'x'.repeat(150_000) }),
  });
}

async function upload(ask: Ask, path: string, bytes = FILE.length): Promise<void> {
  const part = (name: string, more: string) =>
    `--b0\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`;
  const type = '\r\nContent-Type: image/png';
  const body = Buffer.concat([
    Buffer.from(`${part('title', '')}A title\r\n${part('file', `; filename="a.png"${type}`)}`),
    Buffer.alloc(bytes, FILE),
    Buffer.from(`\r\n--b0--\r\n`),
  ]);
  const headers = { 'content-type': 'multipart/form-data; boundary=b0' };
  await ask(path, { method: 'POST', headers, body });
  await ask(path, { method: 'POST', headers, body, isChunked: true });
}

async function askForErrors(ask: Ask): Promise<void> {
  await ask('/boom');
  await ask('/boom', { method: 'HEAD' });
  await ask('/boom', { headers: { accept: 'application/json' } });
  await ask('/missing');
  await ask('/missing', { method: 'HEAD' });
  await ask('/missing', { method: 'POST', body: FILE });
  await ask('/missing?a=%zz&b=%C3%A9');
  await ask('/%zz');
  await ask('/..%2f..%2fpackage.json');
  await ask('//missing//a');
}
