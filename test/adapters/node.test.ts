/** Listeners of node:http on `vela/http`, held against node:http itself: what the client gets, and what the listener sees. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { type EventEmitter, once } from 'node:events';
import {
  Agent,
  request as ask,
  createServer as createNodeServer,
  IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { finished, PassThrough, pipeline, Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createServer } from '../../src/http/index.js';

type Log = (what: string) => void;
type Listener = (request: IncomingMessage, response: ServerResponse, log: Log) => unknown;

interface Case {
  readonly listener: Listener;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer | Readable;
  /** The client leaves after the first bytes of the body, or once the head has been sent. */
  readonly leaves?: 'at once' | 'in the body';
  /** What only node:http does. */
  readonly deviates?: { readonly answer?: object; readonly log?: readonly string[] };
}

interface Answer {
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly headers: Record<string, unknown>;
  readonly body: string;
  readonly outcome: string;
}

/** Those of the connection, and of its time. */
const LEFT_OUT = new Set(['date', 'connection', 'keep-alive', 'uwebsockets']);
const MiB = 1_048_576;

const hash = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
const logEvents = (of: EventEmitter, name: string, events: readonly string[], log: Log) => {
  for (const event of events)
    of.on(event, (value?: unknown) =>
      log(`${name} ${event}${value instanceof Error ? ` ${(value as NodeJS.ErrnoException).code}` : ''}`),
    );
};
const code = (call: () => unknown): string => {
  try {
    call();
    return 'no error';
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
};
const later = (call: () => unknown) => void setTimeout(call, 5);

const CASES: Readonly<Record<string, Case>> = {
  'a text': { listener: (_request, response) => response.end('hello') },
  'a text in UTF-8': { listener: (_request, response) => response.end('grüße €') },
  'no body': { listener: (_request, response) => response.end() },
  'an empty text': { listener: (_request, response) => response.end('') },
  'a later text': { listener: (_request, response) => later(() => response.end('later')) },
  'an async listener': {
    listener: async (_request, response) => {
      await sleep(1);
      response.setHeader('x-a', '1').end('async');
    },
  },
  'what comes in': {
    method: 'PUT',
    path: '/a/b?c=d&e',
    headers: { 'x-twice': ['1', '2'], cookie: ['a=1', 'b=2'], 'x-empty': '', accept: 'text/html' },
    listener: (request, response) => {
      const { method, url, httpVersion, httpVersionMajor, httpVersionMinor, headers, complete } = request;
      const { host: _host, connection: _connection, ...rest } = headers;
      response.end(
        JSON.stringify({
          method,
          url,
          httpVersion,
          httpVersionMajor,
          httpVersionMinor,
          rest,
          twice: request.headersDistinct['x-twice'],
          complete,
          trailers: request.trailers,
          isIncoming: request instanceof IncomingMessage,
          isResponse: response instanceof ServerResponse,
          isReadable: request instanceof Readable,
          req: response.req === request,
          same: request.socket === response.socket,
          local: [request.socket.localAddress, request.socket.localFamily, typeof request.socket.localPort],
          peer: request.socket.remoteAddress,
          family: request.socket.remoteFamily,
          encrypted: (request.socket as { encrypted?: boolean }).encrypted,
        }),
      );
    },
    body: '',
  },
  'headers by setHeader': {
    listener: (_request, response) => {
      response.statusCode = 201;
      response.statusMessage = 'Made Here';
      response
        .setHeader('X-Number', 5)
        .setHeader('X-Many', ['a', 'b'])
        .setHeader('Set-Cookie', ['a=1', 'b=2']);
      response.setHeader('X-Gone', '1').removeHeader('x-gone');
      response.appendHeader('X-Many', 'c');
      response.setHeader('X-Latin', 'caf\u00e9');
      response.end(
        JSON.stringify([
          response.getHeader('x-number'),
          response.hasHeader('X-MANY'),
          response.getHeaderNames(),
          response.headersSent,
        ]),
      );
    },
    // node:http sends the head and the first text as one string, so in UTF-8.
    deviates: { answer: { headers: { 'x-latin': 'caf\u00e9' } } },
  },
  'headers by writeHead': {
    listener: (_request, response) => {
      response.writeHead(202, 'Taken', { 'X-A': 'a', 'Set-Cookie': ['a=1', 'b=2'], 'X-N': 1 }).end('x');
    },
  },
  'headers by writeHead, over others': {
    listener: (_request, response) => {
      response.setHeader('X-A', 'old').setHeader('X-B', 'b');
      response.writeHead(200, { 'x-a': 'new' }).end('x');
    },
  },
  'headers by writeHead, flat': {
    listener: (_request, response) => response.writeHead(200, ['X-A', '1', 'X-A', '2', 'X-B', '3']).end('x'),
  },
  'headers by writeHead, pairs': {
    listener: (_request, response) =>
      response
        .writeHead(200, [
          ['X-A', '1'],
          ['X-A', '2'],
        ] as never)
        .end('x'),
  },
  'a length by hand': {
    listener: (_request, response) => response.writeHead(200, { 'Content-Length': 5 }).end('hello'),
  },
  'a length by hand, in pieces': {
    listener: (_request, response) => {
      response.setHeader('Content-Length', '10');
      response.write('hello');
      later(() => response.end('world'));
    },
  },
  'a stated length whose last piece comes before end()': {
    listener: (_request, response, log) => {
      logEvents(response, 'response', ['finish', 'close'], log);
      response.setHeader('Content-Length', '5');
      response.write('hello');
      later(() => response.end());
    },
  },
  pieces: {
    listener: async (_request, response) => {
      for (let i = 0; i < 4; i++) {
        response.write(`piece ${i}\n`);
        await sleep(2);
      }
      response.end('last\n');
    },
  },
  'pieces of one turn': {
    listener: (_request, response) => {
      response.write('a');
      response.write(Buffer.from('b'));
      response.end('c');
    },
  },
  'other encodings': {
    listener: (_request, response) => {
      response.write('68c3a4', 'hex');
      response.write('aGk=', 'base64');
      response.write('\u00e9', 'latin1');
      response.end('x', 'utf16le');
    },
  },
  'a corked response': {
    listener: (_request, response) => {
      response.cork();
      response.write('a');
      response.write('b');
      response.uncork();
      later(() => response.end());
    },
  },
  'a response that is corked, written and ended at once': {
    listener: (_request, response, log) => {
      logEvents(response, 'response', ['finish', 'close'], log);
      response.cork();
      response.write('a');
      response.write('b');
      response.uncork();
      response.end('c');
    },
  },
  'a response that is to be the last of its connection': {
    listener: (request, response) => {
      response.shouldKeepAlive = false;
      response.end(String(typeof request.socket.localPort));
    },
  },
  'an answer before the body has come': {
    method: 'POST',
    body: Readable.from(['a'.repeat(50_000), 'b'.repeat(50_000)]),
    listener: (request, response) => {
      request.once('data', () => response.writeHead(413).end('too large'));
    },
  },
  'chunked by hand': {
    listener: (_request, response) => response.writeHead(200, { 'Transfer-Encoding': 'chunked' }).end('x'),
  },
  'chunked by hand, of nothing': {
    listener: (_request, response) => response.writeHead(200, { 'Transfer-Encoding': 'chunked' }).end(),
  },
  'HEAD of a text': { method: 'HEAD', listener: (_request, response) => response.end('hello') },
  'HEAD with a length': {
    method: 'HEAD',
    listener: (_request, response) => response.writeHead(200, { 'Content-Length': '123' }).end(),
  },
  'HEAD of pieces': {
    method: 'HEAD',
    listener: (_request, response) => {
      response.write('a');
      later(() => response.end('b'));
    },
    // uWebSockets.js cannot announce a coding without a body.
    deviates: { answer: { headers: { 'transfer-encoding': undefined } } },
  },
  'HEAD of what has begun and does not end': {
    method: 'HEAD',
    listener: (_request, response, log) => {
      logEvents(response, 'response', ['close'], log);
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
    },
    // Nobody hears any more of a client whose answer was sent.
    deviates: { log: ['response close'] },
  },
  'status 204': { listener: (_request, response) => response.writeHead(204).end() },
  'status 304': {
    listener: (_request, response) => response.writeHead(304, { ETag: '"x"' }).end('ignored'),
  },
  'status 404 and its own reason': {
    listener: (_request, response) => response.writeHead(404).end('nothing'),
  },
  'status 799': { listener: (_request, response) => response.writeHead(799, 'Own').end('x') },
  'a reason beyond ASCII': {
    listener: (_request, response) => response.writeHead(200, 'tr\u00e8s bien').end('x'),
    // In the encoding of the first text of the body there.
    deviates: { answer: { reason: 'tr?s bien' } },
  },
  'a piece beyond the stated length': {
    listener: (_request, response, log) => {
      logEvents(response, 'response', ['finish', 'close'], log);
      response.setHeader('Content-Length', '3');
      response.write('hello');
      later(() => response.write('more'));
    },
    deviates: {
      answer: {
        status: 500,
        reason: 'Internal Server Error',
        headers: { 'content-type': 'text/plain; charset=utf-8', 'content-length': '57' },
        body: 'An exception has occurred while evaluating your request.\n',
        outcome: 'whole',
      },
      log: ['response close'],
    },
  },
  'the order of events': {
    listener: (request, response, log) => {
      logEvents(request, 'request', ['end', 'close', 'aborted', 'error'], log);
      logEvents(response, 'response', ['prefinish', 'finish', 'close'], log);
      request.resume();
      later(() => response.end('x', () => log('end callback')));
    },
  },
  'the order of events, at once': {
    listener: (request, response, log) => {
      logEvents(request, 'request', ['end', 'close'], log);
      logEvents(response, 'response', ['finish', 'close'], log);
      response.end('x');
      log(`${response.writableEnded} ${response.writableFinished} ${response.headersSent}`);
    },
  },
  'callbacks of writes': {
    listener: (_request, response, log) => {
      response.on('finish', () => log('finish'));
      response.write('a', () => log('a'));
      response.write('b', 'latin1', () => log('b'));
      response.end('c', () => log('c'));
    },
  },
  'what the response says after its end': {
    listener: (request, response, log) => {
      response.on('close', () =>
        log(
          JSON.stringify([
            response.writableEnded,
            response.writableFinished,
            response.destroyed,
            response.closed,
            response.socket,
            request.socket.remoteAddress,
          ]),
        ),
      );
      response.end('x');
    },
  },
  'who hears that a late response has finished knows its peer': {
    listener: (request, response, log) => {
      response.on('finish', () => log(`${response.writableFinished} ${request.socket.remoteAddress}`));
      later(() => response.end('x'));
    },
  },
  'who hears that a late response has closed knows its peer': {
    listener: (request, response, log) => {
      logEvents(response, 'response', ['prefinish', 'finish'], log);
      response.on('close', () => log(`${response.destroyed} ${request.socket.remoteAddress}`));
      later(() => response.end('x', () => log('end')));
    },
  },
  'who hears that a response in pieces has finished knows its peer': {
    listener: (request, response, log) => {
      response.on('finish', () => log(`${request.socket.remoteAddress}`));
      response.write('a');
      later(() => response.end('x'));
    },
  },
  'who hears that a large late response has finished knows its peer': {
    listener: (request, response, log) => {
      response.on('finish', () => log(`${request.socket.remoteAddress}`));
      later(() => response.end('x'.repeat(MiB)));
    },
  },
  'a late response of HEAD tells that it has finished': {
    method: 'HEAD',
    listener: (request, response, log) => {
      response.on('finish', () => log(`${request.socket.remoteAddress}`));
      later(() => response.end());
    },
  },
  'who listens after the end of a late response hears that it has finished': {
    listener: (_request, response, log) => {
      later(() => {
        response.end('x');
        logEvents(response, 'response', ['finish', 'close'], log);
        log('ended');
      });
    },
  },
  'uncork() without a write sends nothing': {
    listener: (_request, response, log) => {
      response.statusCode = 201;
      later(() => {
        response.cork();
        response.uncork();
        log(`${response.headersSent}`);
        response.writeHead(202);
        response.cork();
        response.uncork();
        later(() => response.end('x'));
      });
    },
  },
  'a late response that is ended and destroyed at once': {
    listener: (_request, response, log) => {
      logEvents(response, 'response', ['close'], log);
      later(() => {
        response.end('sorry');
        response.destroy();
      });
    },
  },
  'a late response that is destroyed when it has finished': {
    listener: (request, response, log) => {
      logEvents(response, 'response', ['finish', 'close'], log);
      response.on('finish', () => request.socket.destroy());
      later(() => response.end('sorry'));
    },
  },
  'misuse of a response': {
    listener: (_request, response, log) => {
      log(code(() => response.setHeader('a b', '1')));
      log(code(() => response.setHeader('x-a', 'a\nb')));
      log(code(() => response.setHeader('x-a', undefined as never)));
      log(code(() => response.writeHead(99)));
      log(code(() => response.writeHead(200, { 'x-a': 'a\r\nb' })));
      log(code(() => response.write(5 as never)));
      response.on('error', (error: NodeJS.ErrnoException) => log(`error ${error.code}`));
      response.end('x');
      log(code(() => response.setHeader('x-late', '1')));
      log(code(() => response.writeHead(200)));
      response.end('again', (error?: NodeJS.ErrnoException) => log(`end ${error?.code}`));
      response.write('late');
    },
  },
  'a reason that is none': {
    listener: (_request, response, log) => {
      log(code(() => response.writeHead(200, 'a\nb')));
      response.statusMessage = 'OK';
      response.writeHead(200).end('x');
    },
  },
  'a body that is read as a stream': {
    method: 'POST',
    body: 'x'.repeat(100_000),
    listener: async (request, response) => {
      request.setEncoding('utf8');
      let length = 0;
      for await (const chunk of request) length += (chunk as string).length;
      response.end(`${length} ${request.complete} ${request.readableEnded}`);
    },
  },
  'a body that is sent back': {
    method: 'POST',
    body: 'ping'.repeat(50_000),
    listener: (request, response) => request.pipe(response),
  },
  'a chunked body that is sent back by pipeline()': {
    method: 'POST',
    body: Readable.from(['a', 'b'.repeat(70_000), 'c']),
    listener: (request, response, log) => pipeline(request, response, (error) => log(`pipeline ${error}`)),
  },
  'a body that is not read': {
    method: 'POST',
    body: 'x'.repeat(300_000),
    listener: (_request, response) => response.end('not interested'),
  },
  'a body that is read late': {
    method: 'POST',
    body: 'x'.repeat(300_000),
    listener: async (request, response) => {
      await sleep(20);
      const read = await request.toArray();
      response.end(String(Buffer.concat(read).length));
    },
  },
  'an empty body': {
    method: 'POST',
    body: '',
    listener: async (request, response) => response.end(String((await request.toArray()).length)),
  },
  'a large body, read slowly': {
    method: 'POST',
    body: Buffer.alloc(4 * MiB, 'abcdefg'),
    listener: (request, response) => {
      const seen = createHash('sha256');
      const slow = new Writable({
        highWaterMark: 1024,
        write(chunk: Buffer, _encoding, done) {
          seen.update(chunk);
          setImmediate(done);
        },
      });
      request.pipe(slow).on('finish', () => response.end(seen.digest('hex')));
    },
  },
  'a large response, piped': {
    listener: (_request, response) => {
      Readable.from(Array.from({ length: 128 }, (_, i) => Buffer.alloc(65_536, String(i)))).pipe(response);
    },
  },
  'a large response at once': {
    listener: (_request, response) => response.end(Buffer.alloc(6 * MiB, '0123456789')),
  },
  'a large buffer that is used again once it has left': {
    listener: (_request, response) => {
      const bytes = Buffer.alloc(16 * MiB, 'mine');
      response.end(bytes, () => bytes.fill('else'));
    },
  },
  'a writer that waits for drain': {
    listener: async (_request, response, log) => {
      let waits = 0;
      for (let i = 0; i < 64; i++) {
        if (response.write(Buffer.alloc(131_072, 'x'))) continue;
        if (!response.writableNeedDrain) log('needs no drain');
        waits++;
        await once(response, 'drain');
      }
      log(`waited ${waits > 0}`);
      response.end();
    },
  },
  'finished() of a response': {
    listener: (_request, response, log) => {
      finished(response, (error) => log(`finished ${error}`));
      later(() => response.end('x'));
    },
  },
  'the async context': {
    listener: (_request, response, log) => {
      const store = new AsyncLocalStorage<string>();
      store.run('mine', () => {
        response.on('finish', () => log(`finish ${store.getStore()}`));
        response.on('close', () => log(`close ${store.getStore()}`));
        response.write('a', () => log(`write ${store.getStore()}`));
        setTimeout(() => response.end('x'), 2);
      });
    },
  },
  '1xx before the response': {
    listener: (_request, response) => {
      response.writeProcessing();
      response.writeEarlyHints({ link: '</a.css>; rel=preload' });
      later(() => response.end('x'));
    },
  },
  'Expect: 100-continue': {
    method: 'POST',
    headers: { expect: '100-continue' },
    body: 'x',
    listener: async (request, response) => response.end(String(Buffer.concat(await request.toArray()))),
  },
  'another expectation': {
    headers: { expect: 'wonders' },
    listener: (_request, response) => response.end('not reached'),
  },
  'Connection: close': {
    listener: (_request, response) => response.writeHead(200, { Connection: 'close' }).end('bye'),
  },
  'a time-out that nobody hears of': {
    listener: (request, _response, log) => {
      logEvents(request, 'request', ['aborted', 'close'], log);
      request.socket.setTimeout(20);
    },
  },
  'a time-out of the response': {
    listener: (_request, response, log) => {
      response.setTimeout(20, () => {
        log('timeout');
        response.writeHead(503).end('too slow');
      });
    },
  },
  'the program ends the connection': {
    listener: (request, response, log) => {
      logEvents(request, 'request', ['aborted', 'close', 'error'], log);
      logEvents(response, 'response', ['finish', 'close'], log);
      later(() => request.socket.destroy());
    },
  },
  'a response that is ended when its connection has gone': {
    listener: (request, response, log) => {
      logEvents(request, 'request', ['aborted', 'error', 'close'], log);
      logEvents(response, 'response', ['finish'], log);
      later(() => {
        request.socket.destroy();
        later(() => response.end(() => log('not reached')));
      });
    },
  },
  'a response that is ended when it was destroyed at once': {
    listener: (request, response, log) => {
      logEvents(request, 'request', ['aborted', 'error', 'close'], log);
      logEvents(response, 'response', ['finish'], log);
      response.destroy();
      response.end('x');
    },
  },
  'the program destroys the response': {
    listener: (_request, response, log) => {
      logEvents(response, 'response', ['finish', 'close'], log);
      response.write('begun');
      setTimeout(() => response.destroy(), 20);
    },
  },
  'a response that is ended and destroyed at once': {
    listener: (_request, response, log) => {
      logEvents(response, 'response', ['close'], log);
      response.writeHead(500).end('sorry');
      response.destroy();
    },
  },
  'the program destroys the request with an error': {
    listener: (request, _response, log) => {
      logEvents(request, 'request', ['aborted', 'error', 'close'], log);
      later(() => request.destroy(Object.assign(new Error('mine'), { code: 'MINE' })));
    },
  },
  'the client leaves before the response': {
    leaves: 'at once',
    listener: (request, response, log) => {
      logEvents(request, 'request', ['aborted', 'close', 'error'], log);
      logEvents(response, 'response', ['finish', 'close', 'error'], log);
      response.on('close', () => later(() => response.end('too late', () => log('not reached'))));
    },
  },
  'the client leaves in the response': {
    leaves: 'in the body',
    listener: (request, response, log) => {
      logEvents(request, 'request', ['aborted', 'error'], log);
      response.on('close', () => log(`close ${request.destroyed} ${response.writableFinished}`));
      response.write('begun');
    },
  },
  'writes that wait when the client leaves': {
    leaves: 'in the body',
    listener: async (_request, response, log) => {
      logEvents(response, 'response', ['finish'], log);
      response.write('begun');
      let failed = 0;
      for (let i = 0; i < 400 && failed === 0; i++) {
        await sleep(5);
        await new Promise<void>((resolve) => {
          response.write('x'.repeat(10), (error) => {
            if (error) failed++;
            resolve();
          });
        });
      }
      response.end(() => log('not reached'));
      log(`failed ${failed}`);
    },
  },
  'a response that is ended as its connection goes': {
    listener: (request, response, log) => {
      logEvents(request, 'request', ['aborted', 'error', 'close'], log);
      later(() => {
        request.socket.destroy();
        response.end('x', () => log('not reached'));
      });
    },
  },
  'a write that is held when the program ends the connection': {
    listener: (request, response, log) => {
      logEvents(response, 'response', ['finish', 'close'], log);
      later(() => {
        response.cork();
        response.write('x', (error: NodeJS.ErrnoException | null | undefined) => log(`write ${error?.code}`));
        request.socket.destroy();
      });
    },
  },
  'pipeline() into a response whose client leaves': {
    leaves: 'in the body',
    listener: (_request, response, log) => {
      const source = new PassThrough();
      source.write('begun');
      pipeline(source, response, (error) => log(`pipeline ${error?.code} ${source.destroyed}`));
    },
  },
};

t.jobs = 8;
for (const [fact, one] of Object.entries(CASES))
  t.test(`${fact}`, { jobs: 1 }, async (t) => {
    const node = await drive(t, createNodeServer, one);
    const vela = await drive(t, createServer, one);
    const { headers: otherHeaders, ...other } = (one.deviates?.answer ?? {}) as Partial<Answer>;
    const headers = { ...node.answer.headers, ...otherHeaders };
    // What is all there when it is sent has a length, also where node:http, which sends earlier, does not know it yet.
    if (headers['transfer-encoding'] !== undefined && vela.answer.headers['content-length'] !== undefined) {
      delete headers['transfer-encoding'];
      headers['content-length'] = String(vela.bodyBytes);
    }
    for (const name in headers) if (headers[name] === undefined) delete headers[name];
    t.same(vela.answer, { ...node.answer, ...other, headers }, 'the client gets the same');
    t.same(vela.log, one.deviates?.log ?? node.log, 'the listener sees the same');
    t.equal(vela.server.gateway, 'uws');
  });

async function drive<S extends Server>(
  t: Test,
  make: (listener: (request: IncomingMessage, response: ServerResponse) => void) => S,
  { listener, method = 'GET', path = '/', headers = {}, body, leaves }: Case,
): Promise<{ answer: Answer; bodyBytes: number; log: readonly string[]; server: S }> {
  const log: string[] = [];
  let bodyBytes = 0;
  const server = make((request, response) => {
    void listener(request, response, (what) => void log.push(what));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true });
  const sent = body instanceof Readable ? Readable.from(await copyOf(body)) : body;
  const answer = await new Promise<Answer>((resolve) => {
    const request = ask({ port, host: '127.0.0.1', method, path, headers, agent });
    const fail = (outcome: string) =>
      resolve({ status: undefined, reason: undefined, headers: {}, body: '', outcome });
    request.on('error', (error: NodeJS.ErrnoException) =>
      fail(leaves === undefined ? String(error.code) : 'left'),
    );
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      const done = (outcome: string) => {
        const whole = Buffer.concat(chunks);
        bodyBytes = whole.length;
        const kept = Object.entries(response.headers).filter(([name]) => !LEFT_OUT.has(name));
        resolve({
          status: response.statusCode,
          reason: response.statusMessage,
          headers: Object.fromEntries(kept),
          body: whole.length < 2000 ? whole.toString('latin1') : hash(whole),
          outcome,
        });
      };
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        if (leaves === 'in the body') request.destroy();
      });
      response.on('end', () => done('whole'));
      response.on('error', () => done('cut'));
    });
    if (sent instanceof Readable) sent.pipe(request);
    else request.end(sent);
    if (leaves === 'at once') setTimeout(() => request.destroy(), 30);
  });
  // What follows the answer is seen as well.
  await sleep(60);
  agent.destroy();
  return { answer, bodyBytes, log, server };
}

/** A stream can be sent once, and there are two servers. */
const copies = new WeakMap<Readable, Promise<unknown[]>>();
function copyOf(stream: Readable): Promise<unknown[]> {
  const known = copies.get(stream) ?? stream.toArray();
  copies.set(stream, known);
  return known;
}
