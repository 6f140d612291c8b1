import { toError } from '../core/errors.js';
import type { Waiting, WaitQueue } from '../core/wait-queue.js';
import { type Answer, errorAnswer, NO_ANSWER } from './answer.js';
import { JsonRpcCall } from './json-rpc-call.js';
import { JSON_RPC_CODES, JsonRpcError } from './json-rpc-error.js';

/** A call that is not done at once: settled by what its method gives, or by its deadline. */
export class PendingCall implements Waiting {
  waitPrevious: Waiting | undefined = undefined;
  waitNext: Waiting | undefined = undefined;
  waitQueue: WaitQueue | undefined = undefined;
  waitDue = 0;
  readonly answer: Promise<Answer>;
  readonly #call: JsonRpcCall;
  readonly #timeoutMs: number;
  #settle: (answer: Answer) => void = () => {};
  #isSettled = false;

  /**
   * @param succeed - makes an answer of a result, and of what cannot be one
   * @param fail - makes an answer of what is thrown, and logs it; also of what is thrown too late
   */
  constructor(
    call: JsonRpcCall,
    result: PromiseLike<unknown>,
    waits: WaitQueue,
    succeed: (value: unknown) => Answer,
    fail: (thrown: unknown) => Answer,
  ) {
    this.#call = call;
    this.#timeoutMs = waits.timeoutMs;
    this.answer = new Promise((resolve) => {
      this.#settle = resolve;
    });
    waits.join(this);
    Promise.resolve(result).then(
      (value) => {
        if (!this.#isSettled) this.#end(succeed(value));
      },
      (error: unknown) => {
        const answer = fail(error);
        if (!this.#isSettled) this.#end(answer);
      },
    );
  }

  /** The deadline is over. */
  expire(): void {
    const { method, id } = this.#call;
    const error = new JsonRpcError(
      JSON_RPC_CODES.timeout,
      `Timeout: "${method}" has not answered within ${this.#timeoutMs} ms`,
    );
    this.#call.logger.warn(JsonRpcCall.describe(this.#call), error.message);
    this.#end(id === undefined ? NO_ANSWER : errorAnswer(id, error), error);
  }

  #end(answer: Answer, reason?: JsonRpcError): void {
    this.#isSettled = true;
    this.waitQueue?.leave(this);
    JsonRpcCall.end(this.#call, reason === undefined ? undefined : toError(reason));
    this.#settle(answer);
  }
}
