/**
 * Server-sent events: a page that plots the load of its own server. Open it in several windows; stop the server and start
 * it again: the pages come back by themselves, and go on where they were.
 */
import {
  eventStream,
  HttpError,
  type Middleware,
  requestOf,
  WsgiHandler,
  WsgiResponse,
  WsgiServer,
} from 'vela';
import { secureHeaders } from 'vela/middleware';
import { Feed } from './feed.js';
import { eventsPage } from './page.js';

const SAMPLE_MS = 500;
/** As many as the plot shows: a minute. */
const KEPT_EVENTS = 120;
const MAX_CLIENTS = 1000;
const RETRY_MS = 1000;
const HEARTBEAT_MS = 10_000;

function createEvents(): Middleware {
  const feed = new Feed(KEPT_EVENTS);
  let stopping: AbortSignal | undefined;
  let timer: NodeJS.Timeout | undefined;
  let usage = process.cpuUsage();

  function sample(): void {
    const { user, system } = process.cpuUsage(usage);
    usage = process.cpuUsage();
    const cpu = Math.min(100, Math.round((user + system) / (SAMPLE_MS * 10)));
    const memory = Math.round(process.memoryUsage.rss() / 2 ** 20);
    feed.publish('sample', { cpu, memory, clients: feed.listeners });
  }

  return {
    headers: ['Last-Event-ID'],
    start(context) {
      ({ stopping } = context);
      timer = setInterval(sample, SAMPLE_MS);
    },
    stop() {
      clearInterval(timer);
    },
    handle(environ) {
      if (environ.PATH_INFO !== '/events') return undefined;
      if (feed.listeners >= MAX_CLIENTS) throw new HttpError(503, 'There are too many clients');
      const { signal } = requestOf(environ);
      // A stream has no end of its own: it ends when its client leaves, and when the server begins to stop.
      const until = stopping === undefined ? signal : AbortSignal.any([signal, stopping]);
      const events = feed.follow(requestOf(environ).header('Last-Event-ID'), until);
      return eventStream(events, { retryMs: RETRY_MS, heartbeatMs: HEARTBEAT_MS });
    },
  };
}

const home: Middleware = (environ) =>
  environ.PATH_INFO === '/' ? new WsgiResponse({ content: eventsPage(environ) }) : undefined;

const site = new WsgiHandler([
  secureHeaders({
    contentSecurityPolicy: {
      directives: {
        'script-src': ["'nonce'"],
        'style-src': ["'nonce'"],
      },
    },
  }),
  createEvents(),
  home,
]);

await new WsgiServer(site).start();
