/** The body of a request of fetch, used in every order: as a request of the platform's has it. */
import t from 'tap';
import { fromFetch } from '../../src/adapters/index.js';
import { lint, serve } from '../../src/index.js';

const PlatformRequest = globalThis.Request;
const TEXT = '{"a":"some text"}';

type Use = (request: Request) => unknown;

async function drain(request: Request): Promise<string> {
  let text = '';
  for await (const chunk of request.body ?? []) text += Buffer.from(chunk).toString();
  return text;
}

async function readFirst(request: Request): Promise<ReadableStreamDefaultReader> {
  const reader = request.body?.getReader();
  await reader?.read();
  return reader as ReadableStreamDefaultReader;
}

/** What each says of the request, and of itself, stands in its answer. */
const USES: Record<string, Use> = {
  'the stream': drain,
  'the stream twice': async (request) => [await drain(request), await drain(request)],
  'the same stream': (request) => {
    const { body } = request;
    return [body === request.body, body instanceof ReadableStream];
  },
  'a look at the stream, then text': async (request) => [request.body?.locked, await request.text()],
  'a look at the stream, then json': async (request) => [request.body?.locked, await request.json()],
  'a look at the stream, then bytes': async (request) => [
    request.body?.locked,
    (await request.arrayBuffer()).byteLength,
  ],
  'a look at the stream, then a blob': async (request) => [
    request.body?.locked,
    await (await request.blob()).text(),
  ],
  'a look at the stream, then a clone': async (request) => {
    const isLocked = request.body?.locked;
    const clone = request.clone();
    return [isLocked, await clone.text(), await request.text(), request.body?.locked];
  },
  'a look at the stream, then a copy': async (request) => {
    const isLocked = request.body?.locked;
    const copy = new PlatformRequest(request);
    return [isLocked, await copy.text(), request.bodyUsed];
  },
  'text, then the stream': async (request) => [
    await request.text(),
    request.body?.locked,
    await drain(request),
  ],
  'the stream, then text': async (request) => [await drain(request), await request.text()],
  'the stream, then json': async (request) => [await drain(request), await request.json()],
  'the stream, then bytes': async (request) => [await drain(request), await request.arrayBuffer()],
  'the stream, then a blob': async (request) => [await drain(request), await request.blob()],
  'the stream, then a form': async (request) => [await drain(request), await request.formData()],
  'the stream, then a clone': async (request) => [await drain(request), request.clone()],
  'the stream, then a copy': async (request) => [await drain(request), new PlatformRequest(request)],
  'the stream, then what it is': async (request) => [
    await drain(request),
    request.redirect,
    request.mode,
    request.bodyUsed,
    request.body?.locked,
  ],
  'a reader, then text': async (request) => {
    request.body?.getReader();
    return [request.bodyUsed, await request.text()];
  },
  'a reader, then a clone': (request) => [request.body?.getReader() !== undefined, request.clone()],
  'some of it, given back, then text': async (request) => {
    (await readFirst(request)).releaseLock();
    return [request.bodyUsed, await request.text()];
  },
  'some of it, then the rest': async (request) => {
    (await readFirst(request)).releaseLock();
    return [request.bodyUsed, request.redirect, await drain(request)];
  },
  'a cancelled stream': async (request) => {
    await request.body?.cancel();
    return [request.bodyUsed, await request.text()];
  },
};

/** What came of a use: its answer, or the class of its error; and whether the body is used then. */
async function outcome(use: Use, request: Request): Promise<unknown> {
  const answer = await (async () => use(request))().catch((error: Error) => error.constructor.name);
  return { answer, isUsed: request.bodyUsed };
}

function platformRequest(): Request {
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(Buffer.from(TEXT));
      controller.close();
    },
  });
  return new PlatformRequest('http://localhost/', { method: 'POST', body, duplex: 'half' });
}

for (const gateway of ['uws', 'node'] as const)
  t.test(`bodies are used as the platform's: ${gateway}`, async (t) => {
    const handler = async (request: Request) => {
      const use = USES[decodeURIComponent(new URL(request.url).pathname.slice(1))] as Use;
      return Response.json([await outcome(use, request), await outcome(use, platformRequest())]);
    };
    const server = await serve(lint(fromFetch(handler)), {
      bind: '127.0.0.1:0',
      gateway,
      logLevel: 'silent',
    });
    t.teardown(() => server.close({ timeoutMs: 0 }));
    for (const name of Object.keys(USES)) {
      const answer = await fetch(new URL(encodeURIComponent(name), server.url), {
        method: 'POST',
        body: TEXT,
      });
      const [ours, platforms] = (await answer.json()) as unknown[];
      t.strictSame(ours, platforms, name);
    }
  });
