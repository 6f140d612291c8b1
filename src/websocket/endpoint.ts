import type { Part, PartDescription, StartContext } from '../core/contract.js';
import { nameLogger } from '../core/logger.js';
import { waitAtMost } from '../core/wait-at-most.js';
import { WaitQueue } from '../core/wait-queue.js';
import type { WebSocketLimits } from '../core/websocket-limits.js';
import { WsgiResponse } from '../core/wsgi-response.js';
import type { WsgiRequest } from '../request/wsgi-request.js';
import type { WebSocketMessage } from './websocket-message.js';
import type { ResolvedWebSocketOptions } from './websocket-options.js';

/** Handlers, whatever the types of their sockets. */
export interface EndpointHandlers {
  handshake?(request: WsgiRequest): unknown;
  open?(socket: object): unknown;
  message?(socket: object, message: WebSocketMessage): unknown;
  ping?(socket: object, data: Buffer): unknown;
  pong?(socket: object, data: Buffer): unknown;
  drain?(socket: object): unknown;
  close?(socket: object, code: number, reason: string): unknown;
}

/** A connection, as its endpoint knows it. */
interface Member {
  /** Closes it. */
  shut(code: number, reason: string): void;
}

/** How long handlers are waited for when the server stops, where its settings do not say. */
const GRACEFUL_MS = 30_000;
/** How often the log says that there is no room, in ms. */
const FULL_WARNING_MS = 60_000;

/** All connections of one `websocket()` in this worker. */
export class Endpoint implements Part {
  readonly handlers: EndpointHandlers;
  readonly options: ResolvedWebSocketOptions;
  /** The handler is a function that loops over the messages. */
  readonly isLoop: boolean;
  /** Undefined where clients may be silent for good. */
  readonly idles: WaitQueue | undefined;
  readonly #members = new Set<Member>();
  readonly #stopping = new WeakSet<AbortSignal>();
  /** What the server allows, once it is known. */
  #limits: WebSocketLimits | undefined;
  #running = 0;
  #onQuiet: (() => void) | undefined;
  #gracefulMs = GRACEFUL_MS;
  /** Refused since the log has said so. */
  #refused = 0;
  #warnedAtMs = Number.NEGATIVE_INFINITY;

  constructor(handlers: EndpointHandlers, options: ResolvedWebSocketOptions, isLoop: boolean) {
    this.handlers = handlers;
    this.options = options;
    this.isLoop = isLoop;
    this.idles = options.idleTimeoutMs === 0 ? undefined : new WaitQueue(options.idleTimeoutMs / 2);
  }

  start({ webSockets, config, stopping }: StartContext): void {
    webSockets.widen(this.options);
    this.#limits = webSockets;
    const { gracefulTimeoutMs } = config;
    if (typeof gracefulTimeoutMs === 'number') this.#gracefulMs = gracefulTimeoutMs;
    this.#watchStop(stopping);
  }

  /** Closes what is open, and waits for the handlers under way. */
  async stop(): Promise<void> {
    this.#closeAll();
    if (this.#running > 0) {
      const quiet = new Promise<void>((resolve) => {
        this.#onQuiet = resolve;
      });
      await waitAtMost(quiet, this.#gracefulMs);
    }
    this.idles?.stop();
  }

  /** It stands before its route, to start and stop with it. */
  handle(): undefined {
    return undefined;
  }

  /** So its route is told from others in a list of them. */
  describe(): PartDescription {
    return { name: 'websocket' };
  }

  /** Whether the gateway's own limit may be another than this one, so that it is held here. */
  get checksBackpressure(): boolean {
    return this.#limits?.maxBackpressureBytes !== this.options.maxBackpressureBytes;
  }

  /** There are as many connections as there may be. */
  get isFull(): boolean {
    return this.#members.size >= this.options.maxConnections;
  }

  /** What a handshake is answered with that finds no room. */
  refuseFull({ environ }: WsgiRequest): WsgiResponse {
    this.#refused++;
    const nowMs = performance.now();
    if (nowMs - this.#warnedAtMs >= FULL_WARNING_MS) {
      const { maxConnections } = this.options;
      nameLogger(environ['vela.logger'], 'vela.websocket').warn(
        { requestId: environ['vela.request_id'], uri: environ['vela.raw_path'], refused: this.#refused },
        `WebSocket refused with 503: "maxConnections", ${maxConnections}, are open`,
      );
      this.#warnedAtMs = nowMs;
      this.#refused = 0;
    }
    return new WsgiResponse({
      status: 503,
      headers: [['Retry-After', '5']],
      content: 'There are too many WebSockets here\n',
    });
  }

  /** A connection is open; one that comes when the server stops is sent away. */
  add(member: Member, stopping: AbortSignal): void {
    this.#members.add(member);
    this.#watchStop(stopping);
  }

  remove(member: Member): void {
    this.#members.delete(member);
  }

  /** @param change - how many more handlers are under way */
  count(change: 1 | -1): void {
    this.#running += change;
    if (this.#running === 0) this.#onQuiet?.();
  }

  #watchStop(stopping: AbortSignal): void {
    if (this.#stopping.has(stopping)) return;
    this.#stopping.add(stopping);
    stopping.addEventListener('abort', () => this.#closeAll(), { once: true });
  }

  #closeAll(): void {
    for (const member of [...this.#members]) member.shut(1001, 'The server stops');
  }
}
