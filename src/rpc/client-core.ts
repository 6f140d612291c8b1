import { answerError, closedError, JsonRpcConnectionError, timeoutError } from './client-errors.js';
import type { ResolvedClientOptions } from './client-options.js';
import type { JsonRpcTransport } from './client-transport.js';
import type { JsonRpcCallOptions } from './client-types.js';
import { type Outcome, readAnswer, rejected, sortAnswers } from './read-answer.js';
import { pause } from './until-aborted.js';

/** A call or notification that is to be sent. */
export interface Outgoing {
  readonly method: string;
  readonly params: unknown;
  readonly isNotification: boolean;
}

/** Sends calls and finds their answers, whatever they travel over. */
export class ClientCore {
  readonly #transport: JsonRpcTransport;
  readonly #options: ResolvedClientOptions;
  /** Ends each message that is under way, or waits to be sent again. */
  readonly #underWay = new Set<AbortController>();
  #lastId = 0;
  #isClosed = false;

  constructor(transport: JsonRpcTransport, options: ResolvedClientOptions) {
    this.#transport = transport;
    this.#options = options;
  }

  /** @throws {JsonRpcError} what the server answers; VelaError `ERR_RPC_*`; the reason of `signal` */
  async send(call: Outgoing, options: JsonRpcCallOptions): Promise<unknown> {
    const [outcome] = await this.#exchange([call], false, options);
    if (outcome?.status === 'rejected') throw outcome.reason;
    return outcome?.value;
  }

  /** The outcome of each call, in order. @throws as {@link send}, but for what single calls are answered */
  async sendBatch(calls: readonly Outgoing[], options: JsonRpcCallOptions): Promise<Outcome[]> {
    return calls.length === 0 ? [] : await this.#exchange(calls, true, options);
  }

  close(): Promise<void> {
    this.#isClosed = true;
    for (const ender of this.#underWay) ender.abort(closedError(false));
    return this.#transport.close();
  }

  async #exchange(
    calls: readonly Outgoing[],
    isBatch: boolean,
    options: JsonRpcCallOptions,
  ): Promise<Outcome[]> {
    const ids = calls.map(({ isNotification }) => (isNotification ? undefined : ++this.#lastId));
    const messages = calls.map(({ method, params }, index) => ({
      jsonrpc: '2.0',
      method,
      params,
      id: ids[index],
    }));
    const text = JSON.stringify(isBatch ? messages : messages[0]);
    const awaited = ids.filter((id) => id !== undefined);
    const what = isBatch ? `A batch of ${calls.length}` : `A call of "${calls[0]?.method}"`;
    const isRepeatable =
      options.isIdempotent ?? calls.every(({ method }) => this.#options.idempotent.has(method));
    const value = await this.#try(text, awaited, isRepeatable, what, options);
    const { byId, whole } = sortAnswers(value);
    return calls.map(({ method }, index) => {
      const id = ids[index];
      if (id === undefined) return { status: 'fulfilled', value: undefined };
      const answer = byId.get(id) ?? whole;
      if (answer !== undefined) return readAnswer(method, answer);
      return rejected(answerError(`A call of "${method}"`, 'there is none with its id'));
    });
  }

  /** Tries again what is safe to be sent again, until the time is over. */
  async #try(
    text: string,
    ids: readonly number[],
    isRepeatable: boolean,
    what: string,
    { signal, timeoutMs = this.#options.timeoutMs }: JsonRpcCallOptions,
  ): Promise<unknown> {
    signal?.throwIfAborted();
    if (this.#isClosed) throw closedError(true);
    const ender = new AbortController();
    const ends = ender.signal;
    const timer = setTimeout(() => ender.abort(timeoutError(what, timeoutMs)), timeoutMs);
    // Not AbortSignal.any: a signal that lives for long would keep something of each call.
    const abort = () => ender.abort(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    this.#underWay.add(ender);
    try {
      for (let attempt = 0; ; attempt++) {
        try {
          return await this.#transport.exchange(text, ids, ends);
        } catch (error) {
          ends.throwIfAborted();
          const isSafe = error instanceof JsonRpcConnectionError && (error.isUnsent || isRepeatable);
          if (!isSafe || attempt >= this.#options.retries) throw error;
        }
        await pause(this.#options.retryDelayMs * 2 ** attempt, ends);
      }
    } finally {
      this.#underWay.delete(ender);
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }
}
