import { isWithin } from '../core/duration.js';
import { describeValue, isThenable, refuseUnknown, requireOptions, VelaError } from '../core/errors.js';
import type { Answer } from './answer.js';
import { CallGate } from './call-gate.js';
import type { Dispatcher } from './dispatcher.js';
import type { JsonRpcContext } from './json-rpc-call.js';

/** Options of {@link JsonRpcHandler.connect}. */
export interface JsonRpcSessionOptions extends JsonRpcContext {
  /** How many calls of this connection run at once; others wait. @defaultValue that of the handler */
  maxConcurrentCalls?: number;
  /** How many calls may wait; those beyond are answered with -32002. @defaultValue 1,000 */
  maxWaitingCalls?: number;
  /** How many bytes of messages may wait, beside one message; calls beyond are answered with -32002. @defaultValue 1,048,576 */
  maxWaitingBytes?: number;
}

const KNOWN = ['environ', 'signal', 'logger', 'maxConcurrentCalls', 'maxWaitingCalls', 'maxWaitingBytes'];
/** Refuses all. */
const FULL = new CallGate<Answer>(0, 0);

/**
 * The calls of one connection that carries messages both ways, as a WebSocket does: each message is given to `receive`, and what
 * that gives is sent. When the connection is gone, `close` ends what is under way.
 */
export class JsonRpcSession {
  readonly #dispatcher: Dispatcher;
  readonly #gate: CallGate<Answer>;
  readonly #aborter = new AbortController();
  readonly #context: JsonRpcContext;
  readonly #maxWaitingBytes: number;
  /** Of messages that had to wait, until they are answered. */
  #waitingBytes = 0;

  constructor(dispatcher: Dispatcher, maxConcurrentCalls: number, options: JsonRpcSessionOptions) {
    const { maxWaitingCalls = 1000, environ, signal, logger, ...more } = requireOptions('connect', options);
    const { maxConcurrentCalls: limit = maxConcurrentCalls, maxWaitingBytes = 1_048_576, ...unknown } = more;
    refuseUnknown('connect', unknown, KNOWN);
    requireCount('maxConcurrentCalls', limit, 1);
    requireCount('maxWaitingCalls', maxWaitingCalls, 0);
    requireCount('maxWaitingBytes', maxWaitingBytes, 0);
    this.#dispatcher = dispatcher;
    this.#maxWaitingBytes = maxWaitingBytes;
    this.#gate = new CallGate(limit, maxWaitingCalls);
    const own = this.#aborter.signal;
    this.#context = { environ, logger, signal: signal === undefined ? own : AbortSignal.any([own, signal]) };
  }

  /**
   * Answers a message: a text to send back, or nothing. It never throws or rejects. After `close` there is nothing.
   * @param message - text, or bytes in UTF-8
   */
  receive(message: string | Uint8Array): string | undefined | Promise<string | undefined> {
    if (this.#aborter.signal.aborted) return undefined;
    const waiting = this.#gate.isFull ? message.length : 0;
    const isTooMuch = this.#waitingBytes > 0 && this.#waitingBytes + waiting > this.#maxWaitingBytes;
    const answer = this.#dispatcher.dispatch(message, this.#context, isTooMuch ? FULL : this.#gate);
    if (!isThenable(answer)) return (answer as Answer).text;
    this.#waitingBytes += waiting;
    return (answer as Promise<Answer>).then(({ text }) => {
      this.#waitingBytes -= waiting;
      return this.#aborter.signal.aborted ? undefined : text;
    });
  }

  /** The connection is gone: the signals of its calls abort, and nothing is answered any more. */
  close(): void {
    this.#aborter.abort(new VelaError('ERR_RPC_CLOSED', 'The connection that the call came over is closed'));
  }
}

function requireCount(option: string, value: unknown, least: number): void {
  if (Number.isSafeInteger(value) && isWithin(value, least, Number.MAX_SAFE_INTEGER)) return;
  throw new TypeError(
    `Option "${option}" of connect() must be a whole number, ${least} or more; received ${describeValue(value)}`,
  );
}
