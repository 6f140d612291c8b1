/** Server-sent events, as a browser's EventSource takes them. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import t from 'tap';
import {
  type App,
  type Environ,
  eventStream,
  html,
  lint,
  requestOf,
  type ServerSentEvent,
  WsgiHandler,
  WsgiResponse,
} from '../../src/index.js';
import { compress } from '../../src/middleware/index.js';
import { browserTest, closeBrowser, until } from '../support/browser.js';

t.teardown(closeBrowser);

/** A page that keeps what its EventSource receives. */
const listener = html`<!doctype html><title>events</title><script>
window.seen = [];
function listen(url) {
  window.source = new EventSource(url);
  const keep = (event) => seen.push([event.type, event.data, event.lastEventId]);
  for (const type of ['message', 'tick', 'Zeit']) source.addEventListener(type, keep);
  source.onerror = () => seen.push(['error', source.readyState === 2 ? 'closed' : 'lost', '']);
  return true;
}
</script>`;

/** The page at /, events elsewhere. */
function site(events: (environ: Environ) => WsgiResponse): App {
  const choose: App = (environ) => {
    if (environ.PATH_INFO === '/') return new WsgiResponse({ content: listener });
    return environ.PATH_INFO === '/events' ? events(environ) : new WsgiResponse({ status: 404 });
  };
  return lint(choose);
}

const seenBy = (page: Page) => page.evaluate('seen') as Promise<[type: string, data: string, id: string][]>;

async function listen(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.evaluate('listen("/events")');
}

const EVENTS: ServerSentEvent[] = [
  { data: 'plain', id: '1' },
  { data: 'two\nlines\r\nand\rmore', event: 'tick', id: '2' },
  { data: '  : leading, and "quotes" äöü 日本 🦊', event: 'Zeit', id: 'id 3: ü' },
  { comment: 'nobody sees\nthis' },
  { data: '' },
  { data: 'id stays' },
  { data: 'id is gone', id: '' },
];

browserTest(
  t,
  'events come as they were sent',
  () =>
    site(() => {
      async function* source() {
        yield* EVENTS;
        yield 'a text';
        await sleep(60_000, undefined, { ref: false });
      }
      return eventStream(source(), { heartbeatMs: 50 });
    }),
  async (t, { page, url }) => {
    await listen(page, url);
    await until(async () => (await seenBy(page)).length >= 7, 'the events');
    t.strictSame(await seenBy(page), [
      ['message', 'plain', '1'],
      ['tick', 'two\nlines\nand\nmore', '2'],
      ['Zeit', '  : leading, and "quotes" äöü 日本 🦊', 'id 3: ü'],
      ['message', '', 'id 3: ü'],
      ['message', 'id stays', 'id 3: ü'],
      ['message', 'id is gone', ''],
      ['message', 'a text', ''],
    ]);
  },
);

interface Visit {
  readonly lastId: string | undefined;
  readonly atMs: number;
}
let visits: Visit[] = [];
const RETRY_MS = 300;

browserTest(
  t,
  'the browser comes back with the last id, after the wait it was told, until 204',
  () => {
    visits = [];
    return site((environ) => {
      visits.push({ lastId: requestOf(environ).header('Last-Event-ID'), atMs: performance.now() });
      if (visits.length > 3) return new WsgiResponse({ status: 204 });
      const id = `id ${visits.length}`;
      async function* source() {
        yield { data: 'x', id };
      }
      return eventStream(source(), { retryMs: RETRY_MS });
    });
  },
  async (t, { page, url }) => {
    await listen(page, url);
    await until(async () => (await page.evaluate('source.readyState')) === 2, 'the end');
    t.equal(visits.length, 4);
    t.strictSame(
      visits.map(({ lastId }) => lastId),
      [undefined, 'id 1', 'id 2', 'id 3'],
    );
    const waits = visits.slice(1).map(({ atMs }, i) => atMs - (visits[i]?.atMs ?? 0));
    t.ok(
      waits.every((ms) => ms >= RETRY_MS - 5 && ms < RETRY_MS + 2500),
      `waits of ${waits.map(Math.round)} ms`,
    );
    const errors = (await seenBy(page)).filter(([type]) => type === 'error').map(([, state]) => state);
    t.strictSame(errors, ['lost', 'lost', 'lost', 'closed']);
  },
);

let ends: string[] = [];
/** A stream that tells how it ended. */
const endless = () => {
  ends = [];
  return site((environ) => {
    const { signal } = requestOf(environ);
    environ['vela.response'].onEnd(({ outcome }) => void ends.push(outcome));
    async function* source() {
      try {
        yield 'begin';
        await once(signal, 'abort');
      } finally {
        ends.push(signal.aborted ? 'aborted' : 'returned');
      }
    }
    return eventStream(source(), { heartbeatMs: 50 });
  });
};

for (const [how, leave] of [
  ['closing the source', (page: Page) => page.evaluate('source.close()')],
  ['going to another page', (page: Page) => page.goto('about:blank')],
  ['closing the page', (page: Page) => page.close()],
] as const) {
  browserTest(t, `${how} ends the handler`, endless, async (t, { page, url }) => {
    await listen(page, url);
    await until(async () => (await seenBy(page)).length === 1, 'the first event');
    t.strictSame(ends, []);
    await leave(page);
    await until(() => ends.length === 2, 'the end of the handler');
    t.strictSame(ends.sort(), ['aborted', 'aborted']);
  });
}

browserTest(
  t,
  'compressed events are not held back',
  () => {
    const app = site((environ) => {
      async function* source() {
        yield 'first';
        await once(environ['vela.signal'], 'abort');
      }
      return eventStream(source());
    });
    return new WsgiHandler([app], { responseMiddleware: [compress({ minBytes: 0 })] });
  },
  async (t, { page, url }) => {
    const answer = page.waitForResponse(`${url}/events`);
    await listen(page, url);
    await until(async () => (await seenBy(page)).length === 1, 'the first event');
    t.match((await answer).headers()['content-encoding'], /^(br|gzip)$/);
  },
);

browserTest(
  t,
  'a source that fails cuts the stream, and the browser comes back; an error status ends it',
  () => {
    visits = [];
    return site(() => {
      visits.push({ lastId: undefined, atMs: 0 });
      if (visits.length === 2) return new WsgiResponse({ status: 500, content: 'no' });
      async function* source() {
        yield { data: 'x', retryMs: 10 };
        // What fails at once is cut before its first event is sent.
        await sleep(50);
        throw new Error('the source broke');
      }
      return eventStream(source());
    });
  },
  async (t, { page, url }) => {
    await listen(page, url);
    await until(async () => (await page.evaluate('source.readyState')) === 2, 'the end');
    t.strictSame(
      (await seenBy(page)).map(([type, what]) => `${type} ${what}`),
      ['message x', 'error lost', 'error closed'],
    );
    t.equal(visits.length, 2);
  },
);
