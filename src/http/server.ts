import cluster from 'node:cluster';
import { lookup } from 'node:dns/promises';
import {
  type IncomingMessage,
  Server as NodeServer,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { NodeExchange } from '../adapters/node-exchange.js';
import { VelaError } from '../core/errors.js';
import type { Listener } from '../gateway/gateway.js';
import { closeAgain, closeOn, listensError } from './closing.js';
import { isHeadTooLarge, refuseHead } from './head-limit.js';
import { type HttpServerOptions, readGateway, refuseApplication } from './http-server-options.js';
import { warnOfLateListener } from './late-listener-warning.js';
import { listenAgain } from './listen-again.js';
import { isAddress, type ListenTarget, readListenTarget } from './listen-target.js';
import { setListening } from './listening.js';
import { createLocalSide } from './local-side.js';
import { findNodeEvent, findNodeOption, isNodeEvent } from './node-needs.js';
import { explainRefusal, openNow, openPath, type TcpTarget, toAddressInfo } from './open-address.js';
import { createRequestService, type RequestService } from './request-service.js';
import { Retiring, Serving } from './serving.js';

/** A server with the surface of node:http's, whose requests come by uWebSockets.js. */
export class Server extends NodeServer {
  readonly #gateway: NonNullable<HttpServerOptions['gateway']>;
  readonly #ownConnectionListeners: number;
  /** An option that only node:http can heed. */
  readonly #nodeOption: string | undefined;
  readonly #maxHeadBytes: number;
  #serving: Serving | undefined;
  /** What served here before, until its requests have ended. */
  readonly #former = new Retiring();
  /** An address is being looked up or opened. */
  #isOpening = false;
  #isClosing = false;
  /** 'close' is to be told once nothing is left. */
  #isCloseDue = false;
  #isShared = false;
  #isUnreferenced = false;
  /** 'listening' was told. */
  #isTold = false;
  #address: AddressInfo | string | null = null;

  /** @throws {ImproperlyConfigured} for another gateway */
  constructor(options: HttpServerOptions | RequestListener = {}, listener?: RequestListener) {
    const given = typeof options === 'function' ? {} : (options ?? {});
    super(given, typeof options === 'function' ? options : listener);
    refuseApplication(given);
    this.#gateway = readGateway(given.gateway);
    this.#nodeOption = findNodeOption(given);
    this.#maxHeadBytes = given.maxHeaderSize ?? 0;
    // node:http listens there itself.
    this.#ownConnectionListeners = this.listenerCount('connection');
    this.on('newListener', (event) => {
      if (this.#serving !== undefined && isNodeEvent(event)) this.#handOver(this.#serving, event);
    });
  }

  /** What serves: `uws` or `node`; undefined before it listens. */
  get gateway(): 'uws' | 'node' | undefined {
    if (this.#serving !== undefined) return 'uws';
    return this.listening ? 'node' : undefined;
  }

  override listen(...args: unknown[]): this {
    const target = readListenTarget(args);
    // What is left of the requests before ends beside it, as in node:http.
    if (!this.#isOpening) this.#isClosing = false;
    if (this.#isNode(target)) return super.listen(...(args as []));
    if (this.#isOpening || this.#serving !== undefined) throw listensError();
    if (target.callback !== undefined) this.once('listening', target.callback);
    if (target.signal?.aborted === true) {
      process.nextTick(() => this.close());
      return this;
    }
    if (target.signal !== undefined) closeOn(this, target.signal);
    this.#open(target);
    return this;
  }

  #isNode({ isNative }: ListenTarget): boolean {
    const needed = isNative
      ? 'listen on a handle'
      : (findNodeEvent(this, this.#ownConnectionListeners) ?? this.#nodeOption);
    if (this.#gateway === 'uws' && needed !== undefined)
      throw new VelaError(
        'ERR_HTTP_GATEWAY',
        `Only node:http can do what this server needs, ${needed}: createServer({ gateway: 'node' }, ...)`,
      );
    return this.#gateway === 'node' || needed !== undefined;
  }

  #open(target: ListenTarget): void {
    if (target.path === undefined && isAddress(target.host)) this.#openNow(target);
    else void this.#openLater(target);
  }

  #openNow(target: ListenTarget): void {
    const request = this.#createService();
    let listener: Listener | undefined;
    try {
      listener = openNow(request, target);
    } catch (error) {
      this.#failed(error);
      return;
    }
    if (listener === undefined) this.#explain(target);
    else this.#opened(request, listener, target);
  }

  #explain(target: TcpTarget): void {
    void explainRefusal(target).then((error) => this.emit('error', error));
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
        const request = this.#createService();
        const opened = await openPath(request, path);
        listener = opened;
        open = () => this.#opened(request, opened, target);
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
    void this.#closeWhenIdle();
  }

  #opened({ service }: RequestService, listener: Listener, { isShared }: ListenTarget): void {
    const serving = new Serving(service, listener);
    this.#serving = serving;
    this.#isShared = isShared;
    this.#isTold = false;
    setListening(this, true);
    this.#address = toAddressInfo(listener.address);
    process.nextTick(() => {
      // It may have been closed at once.
      if (this.#serving !== serving) return;
      this.#isTold = true;
      this.emit('listening');
    });
    if (this.#isUnreferenced) this.unref();
  }

  #createService(): RequestService {
    return createRequestService((environ, startResponse) => {
      return new NodeExchange(environ, startResponse, this.#local).run((request, response) =>
        this.#dispatch(request, response),
      );
    });
  }

  readonly #local = createLocalSide(this, () => this.#address);

  #dispatch(request: IncomingMessage, response: ServerResponse): void {
    const { expect } = request.headers;
    if (this.timeout > 0) request.socket.setTimeout(this.timeout);
    if (this.#maxHeadBytes !== 0 && isHeadTooLarge(request, this.#maxHeadBytes)) refuseHead(response);
    else if (expect === undefined) this.emit('request', request, response);
    else if (/^100-continue$/i.test(expect)) {
      // The gateway has sent it.
      if (!this.emit('checkContinue', request, response)) this.emit('request', request, response);
    } else if (!this.emit('checkExpectation', request, response)) {
      response.writeHead(417).end();
    }
  }

  override address(): AddressInfo | string | null {
    return this.#address ?? super.address();
  }

  override getConnections(callback: (error: Error | null, count: number) => void): this {
    const all = this.#connected();
    if (all.length === 0) return super.getConnections(callback);
    const count = all.reduce((sum, { connections }) => sum + connections, 0);
    process.nextTick(callback, null, count);
    return this;
  }

  override close(callback?: (error?: Error) => void): this {
    const serving = this.#serving;
    const isDown = serving === undefined && !this.#isOpening;
    if (this.#isClosing || (isDown && this.#isCloseDue)) return closeAgain(this, callback);
    if (isDown) {
      this.#address = null;
      return super.close(callback);
    }
    if (callback !== undefined) this.once('close', callback);
    this.#isClosing = true;
    if (serving === undefined) return this;
    this.#serving = undefined;
    this.#address = null;
    setListening(this, false);
    this.#former.add(serving);
    this.#isCloseDue = true;
    void this.#closeWhenIdle();
    return this;
  }

  async #closeWhenIdle(): Promise<void> {
    await this.#former.ended();
    if (!this.#isCloseDue || this.#isOpening || this.listening) return;
    this.#isCloseDue = false;
    this.#isClosing = false;
    super.close();
  }

  /** All that have connections: node:http has them where there are none. */
  #connected(): readonly Serving[] {
    return this.#serving === undefined ? this.#former.list : [this.#serving, ...this.#former.list];
  }

  override closeAllConnections(): void {
    if (this.#connected().length === 0) super.closeAllConnections();
    else setImmediate(() => this.#closeConnections(true));
  }

  override closeIdleConnections(): void {
    if (this.#connected().length === 0) super.closeIdleConnections();
    else setImmediate(() => this.#closeConnections(false));
  }

  #closeConnections(isAll: boolean): void {
    const serving = this.#serving;
    if (isAll) for (const one of this.#former.list) void one.cut();
    if (serving === undefined || serving.connections === 0) return;
    const address = this.#address;
    if (address !== null && typeof address === 'object') this.#reopen(serving, address, isAll);
  }

  /** uWebSockets.js ends the connections of an address all together, and with them the socket that listens. */
  #reopen(serving: Serving, { address: host, port }: AddressInfo, isAll: boolean): void {
    if (isAll) void serving.cut();
    else this.#former.add(serving);
    const request = this.#createService();
    const target = { host, port, isShared: this.#isShared };
    const listener = openNow(request, target);
    if (listener !== undefined) this.#serving = new Serving(request.service, listener);
    else {
      this.#explain(target);
      this.close();
    }
  }

  override ref(): this {
    this.#isUnreferenced = false;
    return super.ref();
  }

  /** uWebSockets.js keeps the process up for as long as it listens, so node:http takes over. */
  override unref(): this {
    this.#isUnreferenced = true;
    if (this.#serving !== undefined) this.#handOver(this.#serving);
    return super.unref();
  }

  /** To node:http, which can do more. @param event - what it is needed for */
  #handOver(serving: Serving, event?: string): void {
    if (this.#gateway !== 'auto' || this.#isClosing || cluster.isWorker) {
      if (event !== undefined) warnOfLateListener(event);
      return;
    }
    const address = this.#address;
    this.#former.add(serving);
    this.#serving = undefined;
    setListening(this, false);
    listenAgain(this, this.#isTold, () => {
      if (address === null || typeof address === 'string') super.listen(address);
      else super.listen({ host: address.address, port: address.port });
    });
  }
}
