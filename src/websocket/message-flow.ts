import { isThenable, VelaError } from '../core/errors.js';
import type { Endpoint } from './endpoint.js';
import { Inbox } from './inbox.js';
import { WebSocketMessage } from './websocket-message.js';

/** The connection that messages come on. */
export interface FlowOwner {
  readonly socket: object;
  readonly isOpen: boolean;
  /** A handler failed. */
  fail(thrown: unknown): void;
  /** More waits than may. False: the client cannot be held, and was sent away. */
  hold(): boolean;
  /** There is room again. */
  release(): void;
  /** No handler is under way, and no message waits. */
  quiet(): void;
}

type Read = IteratorResult<WebSocketMessage, undefined>;

/** The way of messages to their handlers: as many at once as may be, the others in order behind them. */
export class MessageFlow {
  readonly #endpoint: Endpoint;
  readonly #owner: FlowOwner;
  /** There once a message has to wait. */
  #inbox: Inbox | undefined = undefined;
  #isHeld = false;
  #running = 0;
  #isOpening = false;
  #reader: ((read: Read) => void) | undefined = undefined;

  constructor(endpoint: Endpoint, owner: FlowOwner) {
    this.#endpoint = endpoint;
    this.#owner = owner;
  }

  /** The client is not read at present. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  get isQuiet(): boolean {
    return this.#running === 0 && this.#inbox?.isEmpty !== false;
  }

  /** The connection is open. @param done - the loop, where there is one, has returned */
  open(done: () => void): void {
    const { handlers, isLoop } = this.#endpoint;
    const result = this.#try(() => handlers.open?.(this.#owner.socket));
    if (!isThenable(result)) return;
    this.#isOpening = !isLoop;
    this.#follow(result, () => {
      this.#isOpening = false;
      if (isLoop) done();
    });
  }

  /** @param isShared - its bytes are gone when this returns */
  receive(message: WebSocketMessage, isShared: boolean): void {
    if (!this.#isBusy && this.#inbox?.isEmpty !== false) {
      this.#handle(message, isShared);
      return;
    }
    if (isShared) WebSocketMessage.keep(message);
    if (this.#reader !== undefined) this.#giveReader({ done: false, value: message });
    else this.#wait(message);
  }

  /** Calls any other handler, for which no message waits. */
  call(call: () => unknown): void {
    const result = this.#try(call);
    if (isThenable(result)) this.#follow(result, undefined);
  }

  /** The next message, for a loop. */
  read(): Promise<Read> {
    const message = this.#inbox?.shift();
    if (message !== undefined) {
      this.#relax();
      return Promise.resolve({ done: false, value: message });
    }
    if (!this.#owner.isOpen) return Promise.resolve({ done: true, value: undefined });
    if (this.#reader !== undefined)
      return Promise.reject(
        new VelaError('ERR_WEBSOCKET_READ', 'One loop at a time reads the messages of a WebSocket'),
      );
    return new Promise((resolve) => {
      this.#reader = resolve;
    });
  }

  /** Messages that wait are thrown away. */
  clear(): void {
    this.#inbox?.clear();
  }

  /** No more will come. */
  end(): void {
    this.#giveReader({ done: true, value: undefined });
  }

  get #isBusy(): boolean {
    const { options, isLoop } = this.#endpoint;
    return isLoop || this.#isOpening || this.#running >= options.concurrency;
  }

  #handle(message: WebSocketMessage, isShared: boolean): void {
    let result: unknown;
    try {
      result = this.#endpoint.handlers.message?.(this.#owner.socket, message);
    } catch (error) {
      this.#owner.fail(error);
    }
    if (result !== undefined && isThenable(result)) {
      if (isShared) WebSocketMessage.keep(message);
      this.#follow(result, undefined);
    } else if (isShared) {
      WebSocketMessage.release(message);
    }
  }

  #try(call: () => unknown): unknown {
    try {
      return call();
    } catch (error) {
      this.#owner.fail(error);
      return undefined;
    }
  }

  /** A handler is under way. */
  #follow(result: PromiseLike<unknown>, done: (() => void) | undefined): void {
    this.#running++;
    this.#endpoint.count(1);
    const settle = () => {
      this.#running--;
      done?.();
      this.#next();
      this.#endpoint.count(-1);
    };
    result.then(settle, (error: unknown) => {
      this.#owner.fail(error);
      settle();
    });
  }

  #wait(message: WebSocketMessage): void {
    this.#inbox ??= new Inbox();
    this.#inbox.push(message);
    if (!this.#isHeld && this.#inbox.bytes > this.#endpoint.options.maxWaitingBytes)
      this.#isHeld = this.#owner.hold();
  }

  /** Messages that have waited are handled. */
  #next(): void {
    const inbox = this.#inbox;
    if (inbox !== undefined && !this.#endpoint.isLoop) {
      while (!this.#isBusy) {
        const message = inbox.shift();
        if (message === undefined) break;
        this.#handle(message, false);
      }
      this.#relax();
    }
    if (this.isQuiet) this.#owner.quiet();
  }

  #relax(): void {
    if (!this.#isHeld || (this.#inbox?.bytes ?? 0) > this.#endpoint.options.maxWaitingBytes / 2) return;
    this.#isHeld = false;
    this.#owner.release();
  }

  #giveReader(read: Read): void {
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.(read);
  }
}
