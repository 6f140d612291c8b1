import { toError, VelaError } from '../core/errors.js';
import { createGate, type Gate } from '../core/gate.js';
import { nameLogger } from '../core/logger.js';
import {
  copyBytes,
  type MessageBytes,
  type RawWebSocket,
  SEND_BUFFERED,
  SEND_DONE,
  type WebSocketEvents,
} from '../core/raw-websocket.js';
import { webSocketCounts } from '../core/websocket-counts.js';
import { COMPRESS_FROM_BYTES } from '../core/websocket-limits.js';
import type { WsgiRequest } from '../request/wsgi-request.js';
import type { Endpoint } from './endpoint.js';
import { IdleWatch, type SilenceActions } from './idle-watch.js';
import { type FlowOwner, MessageFlow } from './message-flow.js';
import { WebSocketClose } from './websocket-close.js';
import { WebSocketMessage } from './websocket-message.js';

/**
 * What became of a message: `sent` is on its way; `buffered` waits in memory, as the client reads slowly: await `drained()`
 * before the next; `dropped`, as more than `maxBackpressureBytes` waits; `closed`, as the connection is.
 */
export type SendResult = 'sent' | 'buffered' | 'dropped' | 'closed';

/** The connection as its handlers see it. */
interface Socket {
  readonly request: WsgiRequest;
}

const SILENCE: SilenceActions<Session> = {
  ping: (session) => session.ping(''),
  expire: (session) => session.cut(`nothing came for ${session.endpoint.options.idleTimeoutMs} ms`),
  isHeld: (session) => session.isHeld,
};

/** A connection from its acceptance to its end: what stands behind a {@link WebSocketConnection}. */
export class Session implements FlowOwner {
  readonly endpoint: Endpoint;
  readonly socket: Socket;
  readonly flow: MessageFlow;
  /** Undefined once it is closed. */
  #raw: RawWebSocket | undefined = undefined;
  #idle: IdleWatch<Session> | undefined = undefined;
  #end: { readonly code: number; readonly reason: string } | undefined = undefined;
  #isEndTold = false;
  /** Why it was cut, where no close frame says so. */
  #cutReason = '';
  /** It reads too slowly, and is to be cut: in a later turn, or at what it sends, as uWebSockets.js has no later turn while that goes on. */
  #isLost = false;
  #drain: Gate | undefined = undefined;
  #aborter: AbortController | undefined = undefined;
  #leave: (() => void)[] | undefined = undefined;

  constructor(endpoint: Endpoint, socket: Socket) {
    this.endpoint = endpoint;
    this.socket = socket;
    this.flow = new MessageFlow(endpoint, this);
  }

  get raw(): RawWebSocket | undefined {
    return this.#raw;
  }

  get isOpen(): boolean {
    return this.#raw !== undefined;
  }

  get isHeld(): boolean {
    return this.flow.isHeld;
  }

  get closeCode(): number | undefined {
    return this.#end?.code;
  }

  get signal(): AbortSignal {
    if (this.#aborter === undefined) {
      this.#aborter = new AbortController();
      if (this.#end !== undefined) this.#aborter.abort(closedError(this.#end));
    }
    return this.#aborter.signal;
  }

  /** Calls this when the connection closes, before its handlers hear of it. Costs less than the signal. */
  atClose(leave: () => void): void {
    this.#leave ??= [];
    this.#leave.push(leave);
  }

  opened(raw: RawWebSocket): void {
    const { endpoint } = this;
    const stopping = this.socket.request.environ['vela.stopping'];
    this.#raw = raw;
    webSocketCounts.open++;
    endpoint.add(this, stopping);
    if (endpoint.idles !== undefined) this.#idle = new IdleWatch(endpoint.idles, this, SILENCE);
    if (stopping.aborted) this.shut(1001, 'The server stops');
    else this.flow.open(() => this.shut(1000, ''));
  }

  received(bytes: MessageBytes, isBinary: boolean, isShared: boolean): void {
    this.#idle?.touch();
    if (this.#raw === undefined || this.#cutLost()) return;
    webSocketCounts.received++;
    const { maxPayloadBytes } = this.endpoint.options;
    if (bytes.byteLength <= maxPayloadBytes)
      this.flow.receive(new WebSocketMessage(bytes, isBinary), isShared);
    else this.shut(1009, `A message may have ${maxPayloadBytes} bytes`);
  }

  pinged(bytes: MessageBytes): void {
    this.#idle?.touch();
    const raw = this.#raw;
    if (raw === undefined || this.#cutLost()) return;
    // Its answer waits too.
    if (this.#isOverfull(raw)) this.dropped();
    const { ping } = this.endpoint.handlers;
    if (ping !== undefined) this.flow.call(() => ping(this.socket, Buffer.from(copyBytes(bytes).buffer)));
  }

  ponged(bytes: MessageBytes): void {
    this.#idle?.touch();
    const { pong } = this.endpoint.handlers;
    if (pong !== undefined) this.flow.call(() => pong(this.socket, Buffer.from(copyBytes(bytes).buffer)));
  }

  drained(): void {
    // uWebSockets.js tells of each part that has left.
    if ((this.#raw?.getBufferedAmount() ?? 0) > 0) return;
    this.#releaseWriters();
    const { drain } = this.endpoint.handlers;
    if (drain !== undefined && this.isOpen) this.flow.call(() => drain(this.socket));
  }

  /** A message was thrown away, as too much waits for the client. */
  dropped(): void {
    if (this.endpoint.options.onBackpressure === 'drop' || this.#isLost) return;
    this.#isLost = true;
    // Not within the send, which may be one of many of a topic.
    setImmediate(() => this.#cutLost());
  }

  closed(code: number, reason: string): void {
    if (this.#raw === undefined) return;
    this.#raw = undefined;
    this.#end = { code, reason: reason === '' ? this.#cutReason : reason };
    webSocketCounts.close(code);
    this.#idle?.leave();
    this.endpoint.remove(this);
    for (const leave of this.#leave ?? []) leave();
    this.#releaseWriters();
    this.#aborter?.abort(closedError(this.#end));
    this.flow.end();
    if (this.flow.isQuiet) this.quiet();
  }

  send(message: string | MessageBytes, isBinary: boolean): SendResult {
    const raw = this.#raw;
    if (raw === undefined) return 'closed';
    if (this.#isOverfull(raw)) {
      this.dropped();
      return 'dropped';
    }
    const result = raw.send(message, isBinary, this.endpoint.options.compression && isLarge(message));
    if (result !== SEND_DONE && result !== SEND_BUFFERED) return 'dropped';
    webSocketCounts.sent++;
    return result === SEND_DONE ? 'sent' : 'buffered';
  }

  ping(data: string | Uint8Array): void {
    this.#raw?.ping(data);
  }

  /** Resolves when nothing waits for the client any more, or it is gone. */
  whenDrained(): Promise<void> {
    if ((this.#raw?.getBufferedAmount() ?? 0) === 0) return Promise.resolve();
    this.#drain ??= createGate();
    return this.#drain.promise;
  }

  /** Closes it. */
  shut(code: number, reason: string): void {
    this.flow.clear();
    this.#raw?.end(code, reason);
  }

  /** Ends it without a close frame. */
  cut(reason: string): void {
    this.flow.clear();
    this.#cutReason = reason;
    this.#raw?.close();
  }

  /** More waits for the client than may, where the gateway's own limit may be another. */
  #isOverfull(raw: RawWebSocket): boolean {
    const { options, checksBackpressure } = this.endpoint;
    return checksBackpressure && raw.getBufferedAmount() > options.maxBackpressureBytes;
  }

  /** @returns true when it was to be cut */
  #cutLost(): boolean {
    if (!this.#isLost) return false;
    const { maxBackpressureBytes } = this.endpoint.options;
    this.cut(`the client reads too slowly: more than ${maxBackpressureBytes} bytes wait`);
    return true;
  }

  fail(thrown: unknown): void {
    const { environ } = this.socket.request;
    const logger = nameLogger(environ['vela.logger'], 'vela.websocket');
    const details = { requestId: environ['vela.request_id'], uri: environ['vela.raw_path'] };
    if (thrown instanceof WebSocketClose) {
      logger.debug({ ...details, err: thrown }, `WebSocket closed with ${thrown.code}: ${thrown.message}`);
      this.shut(thrown.code, thrown.reason);
      return;
    }
    const error = toError(thrown);
    logger.error({ ...details, err: error }, `WebSocket handler failed: ${error.message}`);
    this.shut(1011, 'Internal error');
  }

  hold(): boolean {
    if (this.#raw?.pause !== undefined) {
      this.#raw.pause();
      return true;
    }
    this.shut(1008, `More than ${this.endpoint.options.maxWaitingBytes} bytes wait to be handled`);
    return false;
  }

  release(): void {
    this.#idle?.touch();
    this.#raw?.resume?.();
  }

  /** Once the messages that came before the end have been handled, it is told. */
  quiet(): void {
    if (this.#end === undefined || this.#isEndTold) return;
    this.#isEndTold = true;
    const { code, reason } = this.#end;
    const { close } = this.endpoint.handlers;
    if (close !== undefined) this.flow.call(() => close(this.socket, code, reason));
  }

  #releaseWriters(): void {
    this.#drain?.resolve();
    this.#drain = undefined;
  }
}

/** What gateways tell of sessions. */
export const SESSION_EVENTS: WebSocketEvents<Session> = {
  opened: (session, raw) => session.opened(raw),
  received: (session, bytes, isBinary, isShared) => session.received(bytes, isBinary, isShared),
  pinged: (session, bytes) => session.pinged(bytes),
  ponged: (session, bytes) => session.ponged(bytes),
  drained: (session) => session.drained(),
  dropped: (session) => session.dropped(),
  closed: (session, code, reason) => session.closed(code, reason),
};

function isLarge(message: string | MessageBytes): boolean {
  return (typeof message === 'string' ? message.length : message.byteLength) >= COMPRESS_FROM_BYTES;
}

function closedError({ code, reason }: { code: number; reason: string }): VelaError {
  return new VelaError(
    'ERR_WEBSOCKET_CLOSED',
    `The WebSocket was closed with ${code}${reason === '' ? '' : `: ${reason}`}`,
  );
}
