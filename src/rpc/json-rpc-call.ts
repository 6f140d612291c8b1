import { setMaxListeners } from 'node:events';
import type { Environ } from '../core/contract.js';
import { VelaError } from '../core/errors.js';
import { type Logger, nameLogger } from '../core/logger.js';
import { stderrLogger } from '../core/stderr-logger.js';
import { sessionOf } from '../middleware/session.js';
import type { Session } from '../middleware/session-state.js';
import { requestOf, type WsgiRequest } from '../request/wsgi-request.js';
import type { JsonRpcMethodDescription, MethodList } from './method-description.js';
import type { RawParams } from './read-params.js';

/** What a call is told by, so that its answer is known; absent for a notification. */
export type JsonRpcId = string | number | null;

/** Where messages come from. */
export interface JsonRpcContext {
  /** Of the HTTP request, or of the one that opened the WebSocket. */
  readonly environ?: Environ | undefined;
  /** Aborts when nobody waits for answers any more. @defaultValue that of `environ` */
  readonly signal?: AbortSignal | undefined;
  /** @defaultValue that of `environ`, else standard error */
  readonly logger?: Logger | undefined;
}

/** A message, checked. */
export interface CallMessage {
  readonly method: string;
  readonly params: RawParams;
  readonly id: JsonRpcId | undefined;
}

/** One call of a method, as handlers and middleware see it. The dispatcher's side is static. */
export class JsonRpcCall {
  /** The whole name, with its prefixes. */
  readonly method: string;
  /** As they came, before they are checked: for middleware. */
  readonly params: RawParams;
  readonly id: JsonRpcId | undefined;
  readonly #context: JsonRpcContext;
  readonly #list: MethodList;
  #aborter: AbortController | undefined = undefined;
  #unlisten: (() => void) | undefined = undefined;
  #endReason: Error | undefined = undefined;
  #state: Record<string, unknown> | undefined = undefined;

  constructor(message: CallMessage, context: JsonRpcContext, list: MethodList) {
    this.method = message.method;
    this.params = message.params;
    this.id = message.id;
    this.#context = context;
    this.#list = list;
  }

  /** Nobody waits for its result: nobody waits at all. */
  static end(call: JsonRpcCall, reason?: Error): void {
    call.#unlisten?.();
    call.#unlisten = undefined;
    if (reason === undefined) return;
    call.#endReason = reason;
    call.#aborter?.abort(reason);
  }

  /** How log lines tell it. */
  static describe(call: JsonRpcCall): Record<'requestId' | 'rpcMethod' | 'rpcId', unknown> {
    const requestId = call.#context.environ?.['vela.request_id'];
    return { requestId, rpcMethod: call.method, rpcId: call.id };
  }

  /** Whether it was thrown because the time of the call was over: by a method that obeys its signal. */
  static isEndOf(call: JsonRpcCall, error: Error): boolean {
    const reason = call.#endReason;
    return (
      reason !== undefined && (error === reason || error.cause === reason || error.name === 'AbortError')
    );
  }

  /** The client wants no answer. */
  get isNotification(): boolean {
    return this.id === undefined;
  }

  /** The environ of the HTTP request, or of the one that opened the WebSocket. @throws {VelaError} `ERR_RPC_ENVIRON` without one */
  get environ(): Environ {
    const { environ } = this.#context;
    if (environ !== undefined) return environ;
    throw new VelaError(
      'ERR_RPC_ENVIRON',
      `The call of "${this.method}" came without an HTTP request: give one to dispatch(message, { environ }), or do without`,
    );
  }

  /** The HTTP request: its headers, cookies, who it is. Its body is the message. @throws {VelaError} `ERR_RPC_ENVIRON` */
  get request(): WsgiRequest {
    return requestOf(this.environ);
  }

  /** The session of the client, where `session()` stands before. */
  get session(): Promise<Session> {
    return sessionOf(this.environ);
  }

  get logger(): Logger {
    const { logger, environ } = this.#context;
    return logger ?? nameLogger(environ?.['vela.logger'] ?? stderrLogger, 'vela.rpc');
  }

  /** Aborts when the call has taken too long, the client goes away, or a stopping server waits no longer. */
  get signal(): AbortSignal {
    if (this.#aborter === undefined) {
      const aborter = new AbortController();
      this.#aborter = aborter;
      const outer = this.#context.signal ?? this.#context.environ?.['vela.signal'];
      const abort = () => aborter.abort(outer?.reason);
      if (this.#endReason !== undefined) aborter.abort(this.#endReason);
      else if (outer?.aborted === true) abort();
      else if (outer !== undefined) {
        // As many calls as run at once listen, and leave when they are done.
        setMaxListeners(0, outer);
        outer.addEventListener('abort', abort, { once: true });
        const unlisten = () => outer.removeEventListener('abort', abort);
        this.#unlisten = unlisten;
      }
    }
    return this.#aborter.signal;
  }

  /** Where middleware leaves things for handlers; no prototype. */
  get state(): Record<string, unknown> {
    this.#state ??= Object.create(null) as Record<string, unknown>;
    return this.#state;
  }

  /** All methods that can be called here, by name. */
  listMethods(): readonly JsonRpcMethodDescription[] {
    return this.#list.descriptions;
  }
}
