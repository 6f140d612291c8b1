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
import { TopicMap, type TopicMember } from '../core/topic-map.js';

/** A peer that does not answer a close frame is cut after so many ms. */
const CLOSE_TIMEOUT_MS = 5000;
/** So many messages are compressed at once, in threads of libuv. */
const COMPRESSIONS = 4;

/** The WebSockets of one listener of node:http, by the package ws. */
export class NodeWebSockets {
  readonly topics = new TopicMap();
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
        const raw = new NodeWebSocket(webSocket, this.topics, maxBackpressureBytes);
        raw.listen(events, owner);
        events.opened(owner, raw);
      });
    };
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
class NodeWebSocket implements RawWebSocket, TopicMember {
  readonly #socket: WebSocket;
  readonly hub: TopicMap;
  readonly #maxBackpressureBytes: number;
  readonly #subscribed = new Set<string>();
  #closed: ((code: number, reason: string) => void) | undefined;
  #dropped: (() => void) | undefined;
  #isBlocked = false;
  #closeTimer: NodeJS.Timeout | undefined;
  readonly #sent = () => this.#written();

  constructor(socket: WebSocket, hub: TopicMap, maxBackpressureBytes: number) {
    this.#socket = socket;
    this.hub = hub;
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
    for (const topic of this.#subscribed) this.hub.remove(this, topic);
    this.#subscribed.clear();
    closed(code, reason);
  }
}
