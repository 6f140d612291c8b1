import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import {
  type MessageBytes,
  type RawWebSocket,
  SEND_BUFFERED,
  SEND_DONE,
  SEND_DROPPED,
  type SwitchToWebSocket,
  type WebSocketEvents,
} from '../core/raw-websocket.js';
import type { TopicHub } from '../core/topic-hubs.js';

/** A peer that does not answer a close frame is cut after so many ms. */
const CLOSE_TIMEOUT_MS = 5000;
/** So many messages are compressed at once, in threads of libuv. */
const COMPRESSIONS = 4;

/** The WebSockets of one listener of node:http, by the package ws. */
export class NodeWebSockets implements TopicHub {
  readonly #subscribers = new Map<string, Set<NodeWebSocket>>();
  /** ws has its limits in its servers, so there is one for each set of them. */
  readonly #servers = new Map<string, WebSocketServer>();
  /** What a handshake under way is answered with. */
  readonly #answers = new WeakMap<IncomingMessage, { protocol: string; headers: readonly string[] }>();

  /** How a WebSocket is made of an Upgrade request. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): SwitchToWebSocket {
    return (events, owner, { protocol, headers, compression, maxPayloadBytes, maxBackpressureBytes }) => {
      const server = this.#serverFor(maxPayloadBytes, compression);
      this.#answers.set(request, { protocol, headers });
      server.handleUpgrade(request, socket, head, (webSocket) => {
        const raw = new NodeWebSocket(webSocket, this, maxBackpressureBytes);
        raw.listen(events, owner);
        events.opened(owner, raw);
      });
    };
  }

  publish(topic: string, message: string | MessageBytes, isBinary: boolean, compress: boolean): void {
    // A copy: whoever is closed by it is taken off the list.
    for (const one of [...(this.#subscribers.get(topic) ?? [])]) one.deliver(message, isBinary, compress);
  }

  subscribe(one: NodeWebSocket, topic: string): boolean {
    const subscribers = this.#subscribers.get(topic);
    if (subscribers === undefined) this.#subscribers.set(topic, new Set([one]));
    else subscribers.add(one);
    return true;
  }

  unsubscribe(one: NodeWebSocket, topic: string): boolean {
    const subscribers = this.#subscribers.get(topic);
    if (subscribers?.delete(one) !== true) return false;
    if (subscribers.size === 0) this.#subscribers.delete(topic);
    return true;
  }

  #serverFor(maxPayloadBytes: number, compression: boolean): WebSocketServer {
    const key = `${maxPayloadBytes} ${compression}`;
    let server = this.#servers.get(key);
    if (server === undefined) {
      server = new WebSocketServer({
        noServer: true,
        clientTracking: false,
        maxPayload: maxPayloadBytes,
        // Without context takeover, as uWebSockets.js has it: no memory between two messages.
        perMessageDeflate: compression && {
          serverNoContextTakeover: true,
          clientNoContextTakeover: true,
          concurrencyLimit: COMPRESSIONS,
          threshold: 0,
        },
        handleProtocols: (_offered, request) => this.#answers.get(request)?.protocol || false,
      });
      server.on('headers', (lines, request) => {
        const { headers } = this.#answers.get(request) ?? { headers: [] };
        for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
      });
      this.#servers.set(key, server);
    }
    return server;
  }
}

/** A WebSocket of the package ws, with the calls of uWebSockets.js. */
class NodeWebSocket implements RawWebSocket {
  readonly #socket: WebSocket;
  readonly #hub: NodeWebSockets;
  readonly #maxBackpressureBytes: number;
  readonly #topics = new Set<string>();
  #closed: ((code: number, reason: string) => void) | undefined;
  #dropped: (() => void) | undefined;
  #isBlocked = false;
  #closeTimer: NodeJS.Timeout | undefined;
  readonly #sent = () => this.#written();

  constructor(socket: WebSocket, hub: NodeWebSockets, maxBackpressureBytes: number) {
    this.#socket = socket;
    this.#hub = hub;
    this.#maxBackpressureBytes = maxBackpressureBytes;
  }

  listen<O>(events: WebSocketEvents<O>, owner: O): void {
    const socket = this.#socket;
    this.#drain = () => events.drained(owner);
    this.#dropped = () => events.dropped(owner);
    this.#closed = (code, reason) => events.closed(owner, code, reason);
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (this.#closed !== undefined) events.received(owner, data, isBinary, false);
    });
    socket.on('ping', (data: Buffer) => {
      if (this.#closed !== undefined) events.pinged(owner, data);
    });
    socket.on('pong', (data: Buffer) => {
      if (this.#closed !== undefined) events.ponged(owner, data);
    });
    let broken = '';
    socket.on('error', (error) => {
      broken = error.message;
    });
    socket.on('close', (code, reason) => {
      clearTimeout(this.#closeTimer);
      // What ws found wrong it has told the peer by a close frame of its own.
      this.#finish(broken === '' ? code : 1006, broken === '' ? reason.toString() : broken);
    });
  }

  send(message: string | MessageBytes, isBinary: boolean, compress: boolean): number {
    const socket = this.#socket;
    const before = socket.bufferedAmount;
    if (before > this.#maxBackpressureBytes) {
      this.#dropped?.();
      return SEND_DROPPED;
    }
    socket.send(message, { binary: isBinary, compress }, this.#sent);
    if (socket.bufferedAmount === 0) return SEND_DONE;
    this.#isBlocked = true;
    return SEND_BUFFERED;
  }

  /** A message of a topic. */
  deliver(message: string | MessageBytes, isBinary: boolean, compress: boolean): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.send(message, isBinary, compress);
  }

  getBufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  ping(data: string | Uint8Array): number {
    this.#socket.ping(data);
    return SEND_DONE;
  }

  end(code: number, reason: string): void {
    // 1005 and 1006 stand for no code, and are never sent.
    if (code === 1005) this.#socket.close();
    else this.#socket.close(code, reason);
    this.#closeTimer = setTimeout(() => this.#socket.terminate(), CLOSE_TIMEOUT_MS);
    this.#finish(code, reason);
  }

  close(): void {
    this.#socket.terminate();
    this.#finish(1006, '');
  }

  subscribe(topic: string): boolean {
    this.#topics.add(topic);
    return this.#hub.subscribe(this, topic);
  }

  unsubscribe(topic: string): boolean {
    this.#topics.delete(topic);
    return this.#hub.unsubscribe(this, topic);
  }

  cork(sends: () => void): void {
    sends();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #drain: (() => void) | undefined;

  #written(): void {
    if (!this.#isBlocked || this.#socket.bufferedAmount > 0) return;
    this.#isBlocked = false;
    if (this.#closed !== undefined) this.#drain?.();
  }

  #finish(code: number, reason: string): void {
    const closed = this.#closed;
    if (closed === undefined) return;
    this.#closed = undefined;
    for (const topic of this.#topics) this.#hub.unsubscribe(this, topic);
    this.#topics.clear();
    closed(code, reason);
  }
}
