import cluster from 'node:cluster';
import { lookup } from 'node:dns/promises';
import {
  type IncomingMessage,
  Server as NodeServer,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { NodeExchange } from '../adapters/node-exchange.js';
import type { LocalSide } from '../adapters/request-socket.js';
import { VelaError } from '../core/errors.js';
import type { GatewayService, Listener } from '../gateway/gateway.js';
import { probeTcp } from '../gateway/probe-address.js';
import { listenUws, listenUwsNow } from '../gateway/uws.js';
import { type HttpServerOptions, readGateway } from './http-server-options.js';
import { isAddress, type ListenTarget, readListenTarget, toAddressInfo } from './listen-target.js';
import { createRequestService } from './request-service.js';

/** Events that tell of connections, which only node:http has. */
const NODE_EVENTS = ['upgrade', 'connect', 'connection', 'secureConnection'] as const;
/** In the place of node's handle: uWebSockets.js keeps the process up for as long as it listens. */
const HANDLE = { ref() {}, unref() {} };
/** How often a server that closes looks whether its requests have ended, in ms. */
const LOOK_MS = 5;

/** A server with the surface of node:http's, whose requests come by uWebSockets.js. */
export class Server extends NodeServer {
  readonly #gateway: NonNullable<HttpServerOptions['gateway']>;
  readonly #ownConnectionListeners: number;
  #service: GatewayService | undefined;
  #listener: Listener | undefined;
  /** An address is being looked up or opened. */
  #isOpening = false;
  #isClosing = false;
  #address: AddressInfo | string | null = null;

  /** @throws {ImproperlyConfigured} for another gateway */
  constructor(options: HttpServerOptions | RequestListener = {}, listener?: RequestListener) {
    const given = typeof options === 'function' ? {} : options;
    super(given, typeof options === 'function' ? options : listener);
    this.#gateway = readGateway(given?.gateway);
    // node:http listens there itself.
    this.#ownConnectionListeners = this.listenerCount('connection');
  }

  /** What serves: `uws` or `node`; undefined before it listens. */
  get gateway(): 'uws' | 'node' | undefined {
    if (this.#listener !== undefined) return 'uws';
    return this.listening ? 'node' : undefined;
  }

  override listen(...args: unknown[]): this {
    const target = readListenTarget(args);
    if (this.#isNode(target)) return super.listen(...(args as []));
    if (this.#isOpening || this.#listener !== undefined)
      throw new VelaError(
        'ERR_SERVER_ALREADY_LISTEN',
        'Listen method has been called more than once without closing.',
      );
    if (target.callback !== undefined) this.once('listening', target.callback);
    if (target.signal?.aborted === true) {
      process.nextTick(() => this.close());
      return this;
    }
    if (target.signal !== undefined) this.#closeOn(target.signal);
    this.#open(target);
    return this;
  }

  #closeOn(signal: AbortSignal): void {
    const close = () => void this.close();
    signal.addEventListener('abort', close, { once: true });
    this.once('close', () => signal.removeEventListener('abort', close));
  }

  #isNode({ isNative }: ListenTarget): boolean {
    const needed = NODE_EVENTS.find(
      (event) => this.listenerCount(event) > (event === 'connection' ? this.#ownConnectionListeners : 0),
    );
    if (this.#gateway === 'uws' && (needed !== undefined || isNative))
      throw new VelaError(
        'ERR_HTTP_GATEWAY',
        `Only node:http can do what this server needs, ${isNative ? 'listen on a handle' : `the event '${needed}'`}: createServer({ gateway: 'node' }, ...)`,
      );
    return this.#gateway === 'node' || needed !== undefined || isNative;
  }

  #open(target: ListenTarget): void {
    if (target.path === undefined && isAddress(target.host)) this.#openNow(target);
    else void this.#openLater(target);
  }

  #openNow(target: ListenTarget): void {
    let listener: Listener | undefined;
    try {
      listener = this.#tryNow(target);
    } catch (error) {
      this.#failed(error);
      return;
    }
    if (listener !== undefined) {
      this.#opened(listener);
      return;
    }
    this.#explain(target);
  }

  /** uWebSockets.js does not say why an address cannot be had; node does. */
  #explain({ host = '::', port }: ListenTarget): void {
    const inUse = Object.assign(new Error(`listen EADDRINUSE: address already in use ${host}:${port}`), {
      code: 'EADDRINUSE',
      errno: -98,
      syscall: 'listen',
      address: host,
      port,
    });
    probeTcp({ host, port }).then(
      () => this.emit('error', inUse),
      (error: unknown) => this.emit('error', error),
    );
  }

  #tryNow({ host, port, isShared }: ListenTarget): Listener | undefined {
    const { service, config } = this.#serve();
    const shared = isShared || cluster.isWorker;
    if (host !== undefined) return listenUwsNow(service, config, { host, port }, shared);
    return (
      listenUwsNow(service, config, { host: '::', port }, shared) ??
      listenUwsNow(service, config, { host: '0.0.0.0', port }, shared)
    );
  }

  /** A name is looked up first, and the way is cleared for a unix socket. */
  async #openLater(target: ListenTarget): Promise<void> {
    const { host = '', path } = target;
    this.#isOpening = true;
    let listener: Listener | undefined;
    let open: () => void;
    try {
      if (path === undefined) {
        const { address } = await lookup(host);
        open = () => this.#openNow({ ...target, host: address });
      } else {
        const { service, config } = this.#serve();
        const opened = await listenUws(service, config, { path });
        listener = opened;
        open = () => this.#opened(opened);
      }
    } catch (error) {
      open = () => this.#failed(error);
    }
    this.#isOpening = false;
    if (this.#isClosing) this.#abandon(listener);
    else open();
  }

  /** It was closed before it listened. */
  #abandon(listener: Listener | undefined): void {
    this.#isClosing = false;
    listener?.stopAccepting();
    setImmediate(() => {
      void listener?.destroy();
      super.close();
    });
  }

  #failed(error: unknown): void {
    process.nextTick(() => this.emit('error', error));
  }

  #opened(listener: Listener): void {
    this.#listener = listener;
    // It says that the server listens: to node:net, and to those who look themselves, as supertest does.
    this.#setHandle(HANDLE);
    this.#address = toAddressInfo(listener.address);
    process.nextTick(() => {
      // It may have been closed at once.
      if (this.#listener === listener) this.emit('listening');
    });
  }

  #serve(): ReturnType<typeof createRequestService> {
    const serve = createRequestService((environ, startResponse) => {
      const exchange = new NodeExchange(environ, startResponse, this.#local);
      return exchange.run((request, response) => this.#dispatch(request, response));
    });
    this.#service = serve.service;
    return serve;
  }

  readonly #local = this.#describeSelf();

  #describeSelf(): LocalSide {
    const bound = () => (typeof this.#address === 'object' ? (this.#address ?? undefined) : undefined);
    return {
      server: this,
      get localPort() {
        return bound()?.port;
      },
      /** Of all interfaces nobody knows which. */
      get localAddress() {
        const address = bound()?.address;
        return address === '::' || address === '0.0.0.0' ? undefined : address;
      },
      peer: (address) => (this.#isDualStack && !address.includes(':') ? `::ffff:${address}` : address),
    };
  }

  get #isDualStack(): boolean {
    return this.#address !== null && typeof this.#address === 'object' && this.#address.address === '::';
  }

  #dispatch(request: IncomingMessage, response: ServerResponse): void {
    const { expect } = request.headers;
    if (this.timeout > 0) request.socket.setTimeout(this.timeout);
    if (expect === undefined) this.emit('request', request, response);
    else if (/^100-continue$/i.test(expect)) {
      // The gateway has sent it.
      if (!this.emit('checkContinue', request, response)) this.emit('request', request, response);
    } else if (!this.emit('checkExpectation', request, response)) {
      response.writeHead(417).end();
    }
  }

  override address(): AddressInfo | string | null {
    return this.#listener === undefined || this.#isClosing ? super.address() : this.#address;
  }

  override getConnections(callback: (error: Error | null, count: number) => void): this {
    const listener = this.#listener;
    if (listener === undefined) return super.getConnections(callback);
    process.nextTick(callback, null, listener.connections);
    return this;
  }

  override close(callback?: (error?: Error) => void): this {
    const listener = this.#listener;
    const service = this.#service;
    const isListening = listener !== undefined && service !== undefined;
    if (this.#isClosing) return this.#closeAgain(callback);
    if (!isListening && !this.#isOpening) return super.close(callback);
    if (callback !== undefined) this.once('close', callback);
    this.#isClosing = true;
    if (!isListening) return this;
    this.#setHandle(null);
    service.isDraining = true;
    listener.stopAccepting();
    void this.#drain(listener, service);
    return this;
  }

  /** It closes already: that it is closed is told when it is. */
  #closeAgain(callback: ((error?: Error) => void) | undefined): this {
    const error = new VelaError('ERR_SERVER_NOT_RUNNING', 'Server is not running.');
    if (callback !== undefined) this.once('close', () => callback(error));
    return this;
  }

  async #drain(listener: Listener, { waits, stalls }: GatewayService): Promise<void> {
    // What was just sent leaves first.
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    while (!waits.isEmpty || !stalls.isEmpty) await sleep(LOOK_MS);
    await listener.destroy();
    this.#listener = undefined;
    this.#isClosing = false;
    this.#address = null;
    // It has no handle: this only tells that all is closed.
    super.close();
  }

  #setHandle(handle: object | null): void {
    (this as unknown as { _handle: object | null })._handle = handle;
  }

  /** On uWebSockets.js only when it is closing: connections cannot be told from the socket that listens. */
  override closeAllConnections(): void {
    if (this.#listener === undefined) super.closeAllConnections();
    else if (this.#isClosing) void this.#listener.destroy();
  }
}

/**
 * In place of node:http's: `createServer(app).listen(3000)`.
 * @param options - those of node:http, and `gateway`
 * @param listener - called for each request
 * @throws {ImproperlyConfigured} for another gateway
 */
export function createServer(listener?: RequestListener): Server;
export function createServer(options: HttpServerOptions, listener?: RequestListener): Server;
export function createServer(
  options?: HttpServerOptions | RequestListener,
  listener?: RequestListener,
): Server {
  return new Server(options, listener);
}
