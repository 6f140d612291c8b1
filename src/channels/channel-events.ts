import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import type { ServerSentEvent } from '../response/event-stream.js';
import { type PackedMessage, toText } from './packed-message.js';
import { requirePatternOption, type SubscribeOptions } from './subscription.js';
import type { PackedListener } from './subscriptions.js';

/** Options of {@link Channels.events}. */
export interface ChannelEventsOptions extends SubscribeOptions {
  /** Ends it. */
  signal?: AbortSignal;
  /** Most bytes that wait for a slow reader. @defaultValue 1,048,576 */
  maxBackpressureBytes?: number;
  /** What is done when more would wait: `close` ends it, so that the client knows; `drop` throws the message away. @defaultValue `close` */
  onBackpressure?: 'close' | 'drop';
}

export interface ResolvedEvents {
  readonly isPattern: boolean;
  readonly signal: AbortSignal | undefined;
  readonly maxBackpressureBytes: number;
  readonly onBackpressure: 'close' | 'drop';
}

/** @throws {TypeError} */
export function resolveEvents(options: ChannelEventsOptions): ResolvedEvents {
  const {
    isPattern = false,
    signal,
    maxBackpressureBytes = 1_048_576,
    onBackpressure = 'close',
    ...unknown
  } = requireOptions('events', options);
  refuseUnknown('events', unknown, ['isPattern', 'signal', 'maxBackpressureBytes', 'onBackpressure']);
  requirePatternOption('events', isPattern);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new TypeError(
      `Option "signal" of events must be an AbortSignal, such as environ['vela.signal']; received ${describeValue(signal)}`,
    );
  if (!Number.isSafeInteger(maxBackpressureBytes) || maxBackpressureBytes < 1)
    throw new TypeError(
      `Option "maxBackpressureBytes" of events must be a whole number above 0; received ${describeValue(maxBackpressureBytes)}`,
    );
  if (onBackpressure !== 'close' && onBackpressure !== 'drop')
    throw new TypeError(
      `Option "onBackpressure" of events must be 'close' or 'drop'; received ${describeValue(onBackpressure)}`,
    );
  return { isPattern, signal, maxBackpressureBytes, onBackpressure };
}

type Step = IteratorResult<ServerSentEvent, undefined>;
const DONE: Step = { done: true, value: undefined };

/** What an event takes beside its data, in bytes. */
const OVERHEAD_BYTES = 100;

/** The messages of a channel as server-sent events, from its making on. */
export class ChannelEvents implements AsyncIterator<ServerSentEvent, undefined> {
  readonly #options: ResolvedEvents;
  readonly #unsubscribe: () => void;
  readonly #ended: (events: ChannelEvents) => void;
  readonly #events: { readonly event: ServerSentEvent; readonly bytes: number }[] = [];
  readonly #readers: ((step: Step) => void)[] = [];
  readonly #abort = () => this.end();
  #bytes = 0;
  #isOver = false;

  /** @param subscribe - gives what ends the subscription */
  constructor(
    options: ResolvedEvents,
    subscribe: (listener: PackedListener) => () => void,
    ended: (events: ChannelEvents) => void,
  ) {
    this.#options = options;
    this.#ended = ended;
    this.#unsubscribe = subscribe((message, channel) => this.#take(message, channel));
    options.signal?.addEventListener('abort', this.#abort, { once: true });
    if (options.signal?.aborted === true) this.end();
  }

  next(): Promise<Step> {
    const first = this.#events.shift();
    if (first !== undefined) {
      this.#bytes -= first.bytes;
      return Promise.resolve({ done: false, value: first.event });
    }
    if (this.#isOver) return Promise.resolve(DONE);
    return new Promise((resolve) => {
      this.#readers.push(resolve);
    });
  }

  return(): Promise<Step> {
    this.#events.length = 0;
    this.end();
    return Promise.resolve(DONE);
  }

  /** No more comes; what waits can still be read. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#unsubscribe();
    this.#options.signal?.removeEventListener('abort', this.#abort);
    this.#ended(this);
    for (const reader of this.#readers.splice(0)) reader(DONE);
  }

  #take(message: PackedMessage, channel: string): void {
    if (this.#isOver) return;
    const event = { event: channel, data: toText(message) };
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader({ done: false, value: event });
      return;
    }
    const { maxBackpressureBytes, onBackpressure } = this.#options;
    const bytes = event.data.length + OVERHEAD_BYTES;
    if (this.#bytes + bytes > maxBackpressureBytes) {
      if (onBackpressure === 'close') this.end();
      return;
    }
    this.#bytes += bytes;
    this.#events.push({ event, bytes });
  }
}
