import type { ServerResponse } from 'node:http';
import { Duplex } from 'node:stream';
import type { ConnectionInfo } from '../core/contract.js';

/** Whose socket it is: one request and its response. */
export interface SocketOwner {
  /** The request wants bytes of its body. */
  demand(): void;
  /** A piece of the response. @returns false when the writer is to wait for 'drain' */
  take(chunk: string | Uint8Array, encoding: BufferEncoding | undefined, done: Done | undefined): boolean;
  /** The writes of a turn are there. */
  flush(): void;
  /** How many bytes wait to be sent. */
  readonly waitingBytes: number;
  /** The program ends the connection. */
  cut(error: Error | null): void;
  /** Nothing has moved for as long as `setTimeout` said. */
  timedOut(): void;
  /** The response is to be the connection's last. */
  endConnection(): void;
}

export type Done = (error?: Error | null) => void;

/** What a server knows of its own side of a connection. */
export interface LocalSide {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly server?: object | undefined;
  /** The peer's address as this server tells it. */
  peer(address: string): string;
}

type Address = { address?: string; family?: string; port?: number };

/**
 * What a program has as `request.socket`: a stream of node:http's kind, of one request. The server owns the connection, so nothing
 * can be read from it, and only the response can be written; what it says of the peer is true, and `destroy` ends the connection.
 */
export class RequestSocket extends Duplex {
  /** The response that is written to it: node:http keeps it here. */
  _httpMessage: ServerResponse | null = null;
  readonly server: object | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly encrypted: true | undefined;
  readonly connecting = false;
  readonly pending = false;
  bytesRead = 0;
  bytesWritten = 0;
  timeout = 0;
  readonly #owner: SocketOwner;
  #isCorked = false;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(owner: SocketOwner, connection: ConnectionInfo, local: LocalSide) {
    super();
    this.#owner = owner;
    this.server = local.server;
    this.localAddress = local.localAddress;
    this.localPort = local.localPort;
    const { remoteAddress, remotePort, encrypted } = connection;
    this.remoteAddress = remoteAddress === '' ? undefined : local.peer(remoteAddress);
    this.remotePort = remotePort;
    this.encrypted = encrypted ? true : undefined;
  }

  get remoteFamily(): string | undefined {
    return familyOf(this.remoteAddress);
  }

  get localFamily(): string | undefined {
    return familyOf(this.localAddress);
  }

  get readyState(): string {
    return this.destroyed ? 'closed' : 'open';
  }

  address(): Address {
    const { localAddress, localPort, localFamily } = this;
    if (localAddress === undefined || localPort === undefined) return {};
    return { address: localAddress, family: localFamily as string, port: localPort };
  }

  static {
    // Accessors there too, but its types have them as properties.
    Object.defineProperties(this.prototype, {
      writableCorked: {
        get(this: RequestSocket) {
          return this.#isCorked ? 1 : 0;
        },
        configurable: true,
      },
      writableLength: {
        get(this: RequestSocket) {
          return this.#owner.waitingBytes;
        },
        configurable: true,
      },
    });
  }

  /** `write` corks, and uncorks in the next tick, so that the writes of one turn leave together. */
  override cork(): void {
    this.#isCorked = true;
  }

  override uncork(): void {
    this.#isCorked = false;
    const state = (this as unknown as { _writableState: { corked: number } })._writableState;
    // `end` sets it before it uncorks, and is not over yet.
    if (state.corked === 0) this.#owner.flush();
    else state.corked = 0;
  }

  override _read(): void {}

  /** Asked by the request when somebody reads its body. */
  override resume(): this {
    this.#owner.demand();
    return this;
  }

  override pause(): this {
    return this;
  }

  override write(chunk: unknown, ...rest: unknown[]): boolean {
    const [encoding, callback] = typeof rest[0] === 'function' ? [undefined, rest[0]] : rest;
    this.moved();
    return this.#owner.take(
      chunk as string | Uint8Array,
      (encoding ?? undefined) as BufferEncoding | undefined,
      callback as Done | undefined,
    );
  }

  override end(...args: unknown[]): this {
    const callback = args.find((one) => typeof one === 'function') as Done | undefined;
    if (callback !== undefined) this.once('close', callback);
    this.destroySoon();
    return this;
  }

  /** Ends the connection once the response has been sent. */
  destroySoon(): void {
    this.#owner.endConnection();
  }

  resetAndDestroy(): this {
    return this.destroy();
  }

  override _destroy(error: Error | null, done: Done): void {
    clearTimeout(this.#timer);
    // As on every connection of a server of node:http.
    if (this.listenerCount('error') === 0) this.on('error', ignore);
    this.#owner.cut(error);
    done(error);
  }

  setTimeout(ms: number, listener?: () => void): this {
    clearTimeout(this.#timer);
    this.timeout = ms;
    if (ms > 0) this.#timer = setTimeout(() => this.#owner.timedOut(), ms).unref();
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

function familyOf(address: string | undefined): string | undefined {
  return address === undefined ? undefined : address.includes(':') ? 'IPv6' : 'IPv4';
}

function ignore(): void {}
