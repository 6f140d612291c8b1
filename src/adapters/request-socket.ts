import type { ServerResponse } from 'node:http';
import { Stream } from 'node:stream';
import type { ConnectionInfo } from '../core/contract.js';
import type { HttpError } from '../core/http-error.js';

/** What becomes of what is written. */
export interface SocketWriter {
  /** As node:http's own, in whose place it stands: see {@link ResponseInternals}. */
  begin(statusLine: string, given: unknown): void;
  /** A piece of the response. @returns false when the writer is to wait for 'drain' */
  take(chunk: string | Uint8Array, encoding: BufferEncoding | undefined, done: Done | undefined): boolean;
  /** The writes of a turn are there, if there were any. */
  uncork(): void;
  /** How many bytes wait to be sent. */
  readonly waitingBytes: number;
  /** `end` was called. */
  complete(): void;
}

/** Whose socket it is: one request and its response. */
export interface SocketOwner {
  /** Undefined once it cannot be told any more. */
  readonly connection: ConnectionInfo | undefined;
  readonly local: LocalSide;
  readonly writer: SocketWriter;
  /** The request wants bytes of its body. */
  demand(): void;
  /** The program ends the connection. */
  cut(error: Error | undefined): void;
  /** The server answers in place of the program, as the request cannot be had. */
  refuse(error: HttpError): void;
  /** The connection has ended, for the program. */
  closed(): void;
  /** Nothing has moved for as long as `setTimeout` said. */
  timedOut(): void;
  /** The response is to be the connection's last. */
  endConnection(): void;
  /** The response has been sent. */
  finished(): void;
}

export type Done = (error?: Error | null) => void;

/** What a server knows of its own side of a connection. */
export interface LocalSide {
  readonly server?: object | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  /** The peer's address as this server tells it. */
  peer(address: string): string;
}

type Address = { address?: string; family?: string; port?: number };

const HIGH_WATER_BYTES = 16_384;

/**
 * What a program has as `request.socket`, for one request. The server owns the connection, so nothing can be read from it, and only
 * the response can be written; what it says of the peer is true, and `destroy` ends the connection. It is no `Duplex`, whose two
 * states would cost more than all of its request.
 */
export class RequestSocket extends Stream {
  /** The response that is written to it: node:http keeps it here. */
  _httpMessage: ServerResponse | null = null;
  /** Read and written by node:http. */
  readonly _writableState = { corked: 0 };
  /** Read by node:http, which says no 'finish' then. */
  _hadError = false;
  readonly owner: SocketOwner;
  readable = true;
  writable = true;
  destroyed = false;
  closed = false;
  errored: Error | null = null;
  bytesRead = 0;
  bytesWritten = 0;
  timeout = 0;
  #isCorked = false;
  #encrypted: boolean | undefined = undefined;
  #remoteAddress: string | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(owner: SocketOwner) {
    super();
    this.owner = owner;
  }

  declare readonly connecting: false;
  declare readonly pending: false;
  declare readonly readableHighWaterMark: number;
  declare readonly writableHighWaterMark: number;

  static {
    Object.assign(RequestSocket.prototype, {
      connecting: false,
      pending: false,
      readableHighWaterMark: HIGH_WATER_BYTES,
      writableHighWaterMark: HIGH_WATER_BYTES,
    });
  }

  get server(): object | undefined {
    return this.owner.local.server;
  }

  /** Asked again after the response, it is still known if it was asked for before. */
  get remoteAddress(): string | undefined {
    if (this.#remoteAddress === undefined) {
      const { connection, local } = this.owner;
      if (connection === undefined) return undefined;
      const { remoteAddress } = connection;
      this.#remoteAddress = remoteAddress === '' ? '' : local.peer(remoteAddress);
    }
    return this.#remoteAddress || undefined;
  }

  get remotePort(): number | undefined {
    return this.owner.connection?.remotePort;
  }

  get remoteFamily(): string | undefined {
    return familyOf(this.remoteAddress);
  }

  get localAddress(): string | undefined {
    return this.owner.local.localAddress;
  }

  get localPort(): number | undefined {
    return this.owner.local.localPort;
  }

  get localFamily(): string | undefined {
    return familyOf(this.localAddress);
  }

  /** A property in node, which programs behind a proxy assign. */
  get encrypted(): boolean | undefined {
    return this.#encrypted ?? (this.owner.connection?.encrypted || undefined);
  }
  set encrypted(isEncrypted: boolean | undefined) {
    this.#encrypted = isEncrypted;
  }

  get readyState(): string {
    return this.destroyed ? 'closed' : 'open';
  }

  get writableLength(): number {
    return this.owner.writer.waitingBytes;
  }

  get writableCorked(): number {
    return this.#isCorked ? 1 : 0;
  }

  address(): Address {
    const { localAddress, localPort, localFamily } = this;
    return {
      ...(localAddress !== undefined && { address: localAddress, family: localFamily as string }),
      ...(localPort !== undefined && { port: localPort }),
    };
  }

  /** `write` of a response corks, and uncorks in the next tick, so that the writes of one turn leave together. */
  cork(): void {
    this.#isCorked = true;
  }

  uncork(): void {
    this.#isCorked = false;
    const state = this._writableState;
    // `end` sets it before it uncorks, and is not over yet.
    if (state.corked === 0) this.owner.writer.uncork();
    else state.corked = 0;
  }

  /** Asked by the request when somebody reads its body. */
  resume(): this {
    this.owner.demand();
    return this;
  }

  pause(): this {
    return this;
  }

  write(
    chunk: string | Uint8Array,
    encoding?: BufferEncoding | Done | null,
    callback?: Done | null,
  ): boolean {
    this.#timer?.refresh();
    if (typeof encoding === 'function') return this.owner.writer.take(chunk, undefined, encoding);
    return this.owner.writer.take(chunk, encoding ?? undefined, callback ?? undefined);
  }

  end(...args: unknown[]): this {
    const callback = args.find((one) => typeof one === 'function') as Done | undefined;
    if (callback !== undefined) this.once('close', callback);
    this.destroySoon();
    return this;
  }

  /** Ends the connection once the response has been sent. */
  destroySoon(): void {
    this.owner.endConnection();
  }

  resetAndDestroy(): this {
    return this.destroy();
  }

  destroy(error?: Error | null): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.readable = false;
    this.writable = false;
    this.errored = error ?? null;
    this.rest();
    this.owner.cut(error ?? undefined);
    process.nextTick(emitClose, this);
    return this;
  }

  setTimeout(ms: number, listener?: () => void): this {
    this.rest();
    this.timeout = ms;
    if (ms > 0) this.#timer = setTimeout(() => this.owner.timedOut(), ms).unref();
    if (listener !== undefined) {
      if (ms > 0) this.once('timeout', listener);
      else this.off('timeout', listener);
    }
    return this;
  }

  /** Something moved: the time-out begins anew. */
  moved(): void {
    this.#timer?.refresh();
  }

  /** The request is over. */
  rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

function emitClose(socket: RequestSocket): void {
  socket.closed = true;
  // A server of node:http listens to it on every connection, so that nobody has to.
  if (socket.errored !== null && socket.listenerCount('error') > 0) socket.emit('error', socket.errored);
  socket.owner.closed();
  socket.emit('close', socket.errored !== null);
}

function familyOf(address: string | undefined): string | undefined {
  return address === undefined ? undefined : address.includes(':') ? 'IPv6' : 'IPv4';
}
