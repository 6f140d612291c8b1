import { isWithin, LONGEST_TIMER_MS } from '../core/duration.js';
import { askNearest, describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import { WsgiResponse } from '../core/wsgi-response.js';

/** One event (WHATWG HTML §9.2). */
export interface ServerSentEvent {
  /** Text; may have several lines. */
  data?: string;
  /** The event's type; without it the browser calls `onmessage`. One line. */
  event?: string;
  /** What the browser sends as Last-Event-ID when it comes back. One line. */
  id?: string;
  /** How long the browser waits before it comes back, in ms. */
  retryMs?: number;
  /** Text that the browser leaves out. */
  comment?: string;
}

/** Options of {@link eventStream}. */
export interface EventStreamOptions {
  /**
   * After so long without an event a comment is sent, so that proxies and time-outs leave the stream alone, in ms. Keep
   * it below `stallTimeoutMs`. A source that has no event at once has one sent first, so that clients are connected.
   * @defaultValue 15 s
   */
  heartbeatMs?: number;
  /** How long browsers wait before they come back, in ms; sent first. */
  retryMs?: number;
}

const DEFAULT_HEARTBEAT_MS = 15_000;
/** A source that fails at once still becomes an error response. */
const FIRST_MS = 1;
const KEYS = ['data', 'event', 'id', 'retryMs', 'comment'];
const HEARTBEAT = ':\n\n';

/**
 * A stream of server-sent events. It ends with its source; when the client goes away, the source is returned.
 * @param source - events, or texts that are sent as data
 * @example return eventStream(async function* () { yield { event: 'tick', data: '1' }; }());
 */
export function eventStream(
  source: AsyncIterable<ServerSentEvent | string>,
  options: EventStreamOptions = {},
): WsgiResponse {
  const { heartbeatMs = DEFAULT_HEARTBEAT_MS, retryMs, ...unknown } = requireOptions('eventStream', options);
  refuseUnknown('eventStream', unknown, ['heartbeatMs', 'retryMs']);
  if (!isWithin(heartbeatMs, Number.MIN_VALUE, LONGEST_TIMER_MS))
    throw new TypeError(
      `Option "heartbeatMs" must be a number of ms above 0, up to ${LONGEST_TIMER_MS}; received ${describeValue(heartbeatMs)}`,
    );
  if (typeof source?.[Symbol.asyncIterator] !== 'function')
    throw new TypeError(`eventStream() takes an async iterable of events; received ${describeValue(source)}`);
  return new WsgiResponse({
    content: new EventBody(source, heartbeatMs, retryMs === undefined ? '' : formatEvent({ retryMs })),
    headers: [
      ['Content-Type', 'text/event-stream'],
      ['Cache-Control', 'no-store'],
      // nginx would gather the events.
      ['X-Accel-Buffering', 'no'],
    ],
  });
}

/** One event as it is sent. @throws {TypeError} for what is no event, an unknown key, an id or type with a line end */
function formatEvent(event: ServerSentEvent | string): string {
  const given: unknown = event;
  if (typeof given !== 'string' && (typeof given !== 'object' || given === null || Array.isArray(given)))
    throw new TypeError(
      `eventStream() sends text, or events { data, event, id, retryMs, comment }; received ${describeValue(given)}`,
    );
  const {
    data,
    event: type,
    id,
    retryMs,
    comment,
    ...unknown
  }: ServerSentEvent = typeof event === 'string' ? { data: event } : event;
  for (const key in unknown)
    throw new TypeError(
      `An event has no "${key}"${askNearest(key, KEYS)}; it has ${KEYS.map((one) => `"${one}"`).join(', ')}`,
    );
  let text = '';
  if (comment !== undefined) text += formatLines(':', requireText('comment', comment));
  if (retryMs !== undefined) {
    if (!Number.isSafeInteger(retryMs) || retryMs < 0)
      throw new TypeError(
        `An event's "retryMs" must be a whole number of ms; received ${describeValue(retryMs)}`,
      );
    text += `retry: ${retryMs}\n`;
  }
  if (type !== undefined) text += `event: ${requireLine('event', type)}\n`;
  if (id !== undefined) text += `id: ${requireLine('id', id)}\n`;
  if (data !== undefined) text += formatLines('data: ', requireText('data', data));
  return `${text}\n`;
}

function formatLines(prefix: string, text: string): string {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => `${prefix}${line}\n`)
    .join('');
}

function requireText(what: string, text: unknown): string {
  if (typeof text === 'string') return text;
  const remedy = what === 'data' ? ': JSON.stringify it, and JSON.parse(event.data) in the browser' : '';
  throw new TypeError(`An event's "${what}" must be text; received ${describeValue(text)}${remedy}`);
}

function requireLine(what: string, text: string): string {
  if (typeof text !== 'string' || /[\r\n\0]/.test(text))
    throw new TypeError(`An event's "${what}" must be one line of text; received ${describeValue(text)}`);
  return text;
}

/** The body of an event stream: no generator, as that could not be ended while it waits for its source. */
class EventBody implements AsyncIterableIterator<string> {
  readonly #source: AsyncIterator<ServerSentEvent | string>;
  readonly #heartbeatMs: number;
  #first: string;
  /** How long the next event may take. The first heartbeat comes soon, and the head of the response with it. */
  #waitMs = FIRST_MS;
  #pending: Promise<IteratorResult<ServerSentEvent | string>> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: AsyncIterable<ServerSentEvent | string>, heartbeatMs: number, first: string) {
    this.#source = source[Symbol.asyncIterator]();
    this.#heartbeatMs = heartbeatMs;
    this.#first = first;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<string>> {
    if (this.#first !== '') {
      const value = this.#first;
      this.#first = '';
      this.#waitMs = this.#heartbeatMs;
      return { done: false, value };
    }
    this.#pending ??= this.#source.next();
    const step = await this.#orHeartbeat(this.#pending);
    this.#waitMs = this.#heartbeatMs;
    if (step === undefined) return { done: false, value: HEARTBEAT };
    this.#pending = undefined;
    return step.done === true
      ? { done: true, value: undefined }
      : { done: false, value: formatEvent(step.value) };
  }

  async return(): Promise<IteratorResult<string>> {
    // A generator that waits would end only after its wait, so its end is not awaited here.
    void this.#source.return?.().catch(() => undefined);
    this.#pending?.catch(() => undefined);
    // It would keep the process up.
    clearTimeout(this.#timer);
    return { done: true, value: undefined };
  }

  /** Undefined when the heart beats first. */
  async #orHeartbeat<T>(pending: Promise<T>): Promise<T | undefined> {
    const heartbeat = new Promise<undefined>((resolve) => {
      this.#timer = setTimeout(resolve, this.#waitMs, undefined);
    });
    try {
      return await Promise.race([pending, heartbeat]);
    } finally {
      clearTimeout(this.#timer);
    }
  }
}
