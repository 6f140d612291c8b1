import {
  copyBytes,
  type MessageBytes,
  type RawWebSocket,
  SEND_BUFFERED,
  SEND_DONE,
  SEND_DROPPED,
} from '../core/raw-websocket.js';
import type { TopicMap, TopicMember } from '../core/topic-map.js';

/** As much may wait for the test before a message counts as waiting in memory. */
const HIGH_WATER_BYTES = 65_536;

/** What the application is told. */
export interface SocketListener {
  received(bytes: Uint8Array, isBinary: boolean): void;
  pinged(bytes: Uint8Array): void;
  ponged(bytes: Uint8Array): void;
  drained(): void;
  dropped(): void;
  closed(code: number, reason: string): void;
}

/** How a WebSocket ended. */
export interface SocketEnd {
  readonly code: number;
  readonly reason: string;
}

/** A WebSocket without a socket: the application on one side, a test on the other. */
export class MemoryWebSocket implements RawWebSocket, TopicMember {
  /** Set when it is accepted. */
  listener: SocketListener | undefined = undefined;
  readonly protocol: string;
  readonly hub: TopicMap;
  readonly #subscribed = new Set<string>();
  readonly #maxBackpressureBytes: number;
  /** Messages that the test has not read. */
  readonly #messages: (string | Uint8Array)[] = [];
  #waitingBytes = 0;
  #end: SocketEnd | undefined = undefined;
  /** The test waits for something to happen. */
  #wake: (() => void) | undefined = undefined;

  constructor(protocol: string, hub: TopicMap, maxBackpressureBytes: number) {
    this.protocol = protocol;
    this.hub = hub;
    this.#maxBackpressureBytes = maxBackpressureBytes;
  }

  get ended(): SocketEnd | undefined {
    return this.#end;
  }

  send(message: string | MessageBytes, isBinary: boolean): number {
    if (this.getBufferedAmount() > this.#maxBackpressureBytes) {
      this.listener?.dropped();
      return SEND_DROPPED;
    }
    const bytes = typeof message === 'string' ? Buffer.from(message) : copyBytes(message);
    this.#messages.push(isBinary ? bytes : Buffer.from(bytes).toString());
    this.#waitingBytes += bytes.byteLength;
    this.#stir();
    return this.getBufferedAmount() === 0 ? SEND_DONE : SEND_BUFFERED;
  }

  deliver(message: string | MessageBytes, isBinary: boolean): void {
    this.send(message, isBinary);
  }

  /** What the test has not read, as far as no socket would hold it. */
  getBufferedAmount(): number {
    return this.#waitingBytes <= HIGH_WATER_BYTES ? 0 : this.#waitingBytes;
  }

  /** The test's side answers at once. */
  ping(data: string | Uint8Array): number {
    const bytes = Buffer.from(data as string);
    setImmediate(() => {
      if (this.#end === undefined) this.listener?.ponged(bytes);
    });
    return SEND_DONE;
  }

  end(code: number, reason: string): void {
    this.finish(code, reason);
  }

  close(): void {
    this.finish(1006, '');
  }

  subscribe(topic: string): boolean {
    this.#subscribed.add(topic);
    return this.hub.add(this, topic);
  }

  unsubscribe(topic: string): boolean {
    this.#subscribed.delete(topic);
    return this.hub.remove(this, topic);
  }

  publish(topic: string, message: string | MessageBytes, isBinary: boolean, compress: boolean): void {
    this.hub.publish(topic, message, isBinary, compress, this);
  }

  cork(sends: () => void): void {
    sends();
  }

  /** The next message, undefined while there is none. */
  take(): string | Uint8Array | undefined {
    const message = this.#messages.shift();
    if (message === undefined) return undefined;
    const wasBlocked = this.getBufferedAmount() > 0;
    this.#waitingBytes -= Buffer.byteLength(message);
    if (wasBlocked && this.getBufferedAmount() === 0) setImmediate(() => this.listener?.drained());
    return message;
  }

  /** Resolves when something has happened. */
  stirred(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** It is closed, by either side. */
  finish(code: number, reason: string): void {
    if (this.#end !== undefined) return;
    this.#end = { code, reason };
    for (const topic of this.#subscribed) this.hub.remove(this, topic);
    this.listener?.closed(code, reason);
    this.#stir();
  }

  #stir(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
