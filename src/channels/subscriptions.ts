import { isThenable, toError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { RawWebSocket } from '../core/raw-websocket.js';
import { publishToTopic } from '../core/topic-hubs.js';
import { webSocketCounts } from '../core/websocket-counts.js';
import { COMPRESS_FROM_BYTES } from '../core/websocket-limits.js';
import { compilePattern, isPattern } from './channel-name.js';
import { channelsError } from './channels-error.js';
import { type PackedMessage, unpackMessage } from './packed-message.js';

/** Called with each message of a channel. A promise that it gives is not waited for; what it throws is logged. */
export type ChannelListener = (message: unknown, channel: string) => unknown;

/** What listens within Vela: the message as it travels. */
export type PackedListener = (message: PackedMessage, channel: string) => void;

/** A WebSocket, as far as it is subscribed. */
export interface TopicSocket {
  /** Undefined once it is closed. */
  readonly raw: RawWebSocket | undefined;
  atClose(leave: () => void): void;
}

/** A message on its way to subscribers here. */
export interface Delivery {
  readonly channel: string;
  readonly message: PackedMessage;
  /** Not for all, but for subscribers of the channel, or of one pattern. */
  readonly only?: 'channel' | { readonly pattern: string } | undefined;
  /** Does not get it. */
  readonly except?: TopicSocket | undefined;
}

/** All subscribers of a channel or pattern in this process. */
interface Group {
  readonly target: string;
  readonly matches: (channel: string) => boolean;
  /** What uWebSockets.js calls it. */
  readonly topic: string;
  readonly listeners: Set<ChannelListener>;
  readonly packedListeners: Set<PackedListener>;
  sockets: number;
}

/** What a table of subscriptions tells. */
export interface SubscriptionEvents {
  readonly logger: Logger;
  changed(target: string): void;
}

/** Topics are of the process, and channels may be several there. */
let tables = 0;

/** Who subscribes to what in this process. */
export class Subscriptions {
  readonly #events: SubscriptionEvents;
  readonly #limit: number;
  readonly #prefix = `vela:${++tables}:`;
  readonly #channels = new Map<string, Group>();
  readonly #patterns = new Map<string, Group>();
  /** How often each socket is subscribed to each target. */
  readonly #sockets = new WeakMap<TopicSocket, Map<string, number>>();
  readonly #waiting: Delivery[] = [];
  #isDelivering = false;
  #size = 0;

  constructor(limit: number, events: SubscriptionEvents) {
    this.#limit = limit;
    this.#events = events;
  }

  /** @returns what ends it @throws {VelaError} `ERR_CHANNELS_FULL` */
  addListener(target: string, given: ChannelListener): () => void {
    // A function of its own: one that subscribes twice is called twice.
    const listener: ChannelListener = (message, channel) => given(message, channel);
    return this.#add(target, ({ listeners }) => listeners, listener);
  }

  /** @returns what ends it @throws {VelaError} `ERR_CHANNELS_FULL` */
  addPackedListener(target: string, listener: PackedListener): () => void {
    return this.#add(target, ({ packedListeners }) => packedListeners, listener);
  }

  /** Does nothing for a socket that is closed. @returns what ends it @throws {VelaError} `ERR_CHANNELS_FULL` */
  addSocket(target: string, socket: TopicSocket): () => void {
    const { raw } = socket;
    if (raw === undefined) return () => {};
    const joined = this.#joinedBy(socket);
    const times = joined.get(target) ?? 0;
    if (times === 0) {
      this.#requireRoom();
      const group = this.#groupOf(target);
      group.sockets++;
      raw.subscribe(group.topic);
      this.#grown(target, 1);
    }
    joined.set(target, times + 1);
    return () => {
      const left = (joined.get(target) ?? 0) - 1;
      if (left > 0) joined.set(target, left);
      else if (left === 0) this.#leave(socket, joined, target);
    };
  }

  /** How many subscribe to exactly this channel or pattern. */
  countOf(target: string): number {
    const group = this.#find(target);
    return group === undefined ? 0 : group.listeners.size + group.packedListeners.size + group.sockets;
  }

  *targets(): Iterable<string> {
    yield* this.#channels.keys();
    yield* this.#patterns.keys();
  }

  /** Hands a message to subscribers of its channel, and of patterns that match: in order, also where a listener publishes. */
  deliver(delivery: Delivery): void {
    this.#waiting.push(delivery);
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift())
        this.#deliver(next);
    } finally {
      this.#isDelivering = false;
    }
  }

  #deliver(delivery: Delivery): void {
    const { channel, only } = delivery;
    if (only === undefined || only === 'channel') this.#hand(this.#channels.get(channel), delivery);
    if (only === 'channel') return;
    if (only !== undefined) this.#hand(this.#patterns.get(only.pattern), delivery);
    else for (const group of this.#patterns.values()) if (group.matches(channel)) this.#hand(group, delivery);
  }

  #add<L>(target: string, setOf: (group: Group) => Set<L>, listener: L): () => void {
    this.#requireRoom();
    setOf(this.#groupOf(target)).add(listener);
    this.#grown(target, 1);
    return () => {
      const group = this.#find(target);
      if (group !== undefined && setOf(group).delete(listener)) this.#grown(target, -1);
    };
  }

  #joinedBy(socket: TopicSocket): Map<string, number> {
    let joined = this.#sockets.get(socket);
    if (joined === undefined) {
      const made = new Map<string, number>();
      joined = made;
      this.#sockets.set(socket, made);
      socket.atClose(() => {
        for (const target of [...made.keys()]) this.#leave(socket, made, target);
      });
    }
    return joined;
  }

  #leave(socket: TopicSocket, joined: Map<string, number>, target: string): void {
    joined.delete(target);
    const group = this.#find(target);
    if (group === undefined) return;
    socket.raw?.unsubscribe(group.topic);
    group.sockets--;
    this.#grown(target, -1);
  }

  #hand(group: Group | undefined, { channel, message, except }: Delivery): void {
    if (group === undefined) return;
    if (group.sockets > 0) this.#send(group, message, except);
    for (const listener of [...group.packedListeners]) listener(message, channel);
    if (group.listeners.size === 0) return;
    const value = unpackMessage(message);
    // One before it may have ended it.
    for (const listener of [...group.listeners])
      if (group.listeners.has(listener)) this.#call(listener, value, channel);
  }

  #send({ target, topic, sockets }: Group, { data }: PackedMessage, except: TopicSocket | undefined): void {
    const isIn = except !== undefined && this.#sockets.get(except)?.has(target) === true;
    webSocketCounts.sent += isIn ? sockets - 1 : sockets;
    const isLarge = data.length >= COMPRESS_FROM_BYTES;
    publishToTopic(topic, data, typeof data !== 'string', isLarge, isIn ? except.raw : undefined);
  }

  #call(listener: ChannelListener, value: unknown, channel: string): void {
    try {
      const done = listener(value, channel);
      if (isThenable(done)) done.then(undefined, (error: unknown) => this.#failed(error, channel));
    } catch (error) {
      this.#failed(error, channel);
    }
  }

  #failed(thrown: unknown, channel: string): void {
    const error = toError(thrown);
    this.#events.logger.error({ err: error, channel }, `a listener of "${channel}" failed: ${error.message}`);
  }

  #requireRoom(): void {
    if (this.#size >= this.#limit)
      throw channelsError(
        'ERR_CHANNELS_FULL',
        `There are "maxSubscriptions", ${this.#limit}, in this process already: end some, or raise the option`,
      );
  }

  #find(target: string): Group | undefined {
    return (isPattern(target) ? this.#patterns : this.#channels).get(target);
  }

  #groupOf(target: string): Group {
    const groups = isPattern(target) ? this.#patterns : this.#channels;
    let group = groups.get(target);
    if (group === undefined) {
      const matches = isPattern(target) ? compilePattern(target) : (channel: string) => channel === target;
      const topic = `${this.#prefix}${target}`;
      group = { target, matches, topic, listeners: new Set(), packedListeners: new Set(), sockets: 0 };
      groups.set(target, group);
    }
    return group;
  }

  #grown(target: string, change: 1 | -1): void {
    this.#size += change;
    if (this.countOf(target) === 0) (isPattern(target) ? this.#patterns : this.#channels).delete(target);
    this.#events.changed(target);
  }
}
