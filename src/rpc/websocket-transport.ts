import { toError, VelaError } from '../core/errors.js';
import { own } from '../core/own.js';
import { answerError, JsonRpcConnectionError } from './client-errors.js';
import type { ClientSocket, ConnectSocket, SocketTarget } from './client-socket.js';
import type { JsonRpcTransport } from './client-transport.js';
import { isObject } from './read-answer.js';
import { untilAborted } from './until-aborted.js';

/** One message whose answer is awaited. */
interface Waiting {
  readonly ids: readonly number[];
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** As many unsent bytes may wait in a connection that the server does not read. */
const MAX_UNSENT_BYTES = 16_777_216;

/**
 * Messages over one WebSocket, opened when it is first needed and again after it was lost. When it is lost, all that is awaited
 * rejects.
 */
export class WebSocketTransport implements JsonRpcTransport {
  readonly #url: string;
  readonly #connect: () => Promise<ClientSocket>;
  /** By the id of each call. */
  readonly #waiting = new Map<number, Waiting>();
  #opening: Promise<ClientSocket> | undefined;

  constructor(target: SocketTarget, connect: ConnectSocket) {
    this.#url = target.url;
    this.#connect = () => {
      const opening = connect(target, {
        received: (text) => this.#receive(text),
        closed: (cause) => {
          this.#forget(opening);
          this.#rejectAll(cause instanceof VelaError ? cause : this.#lost(cause));
        },
      });
      return opening;
    };
  }

  async exchange(text: string, ids: readonly number[], signal: AbortSignal): Promise<unknown> {
    const socket = await untilAborted(this.#open(), signal);
    if (!socket.isOpen) throw new JsonRpcConnectionError(`${this.#url} is closing the connection`, true);
    if (socket.bufferedAmount > MAX_UNSENT_BYTES) {
      socket.lookAlive?.();
      throw new JsonRpcConnectionError(`${this.#url} does not read what it is sent`, true);
    }
    if (ids.length === 0) {
      const sent = new Promise<void>((resolve, reject) => {
        socket.send(text, (error) => (error ? reject(this.#lost(error)) : resolve()));
      });
      await untilAborted(sent, signal);
      return undefined;
    }
    return await new Promise((resolve, reject) => {
      const abort = () => {
        waiting.reject(toError(signal.reason));
        socket.lookAlive?.();
      };
      const settle = () => {
        for (const id of ids) this.#waiting.delete(id);
        signal.removeEventListener('abort', abort);
      };
      const waiting: Waiting = {
        ids,
        resolve(value) {
          settle();
          resolve(value);
        },
        reject(error) {
          settle();
          reject(error);
        },
      };
      for (const id of ids) this.#waiting.set(id, waiting);
      signal.addEventListener('abort', abort, { once: true });
      socket.send(text, (error) => {
        if (error) waiting.reject(this.#lost(error));
      });
    });
  }

  async close(): Promise<void> {
    const socket = await this.#opening?.catch(() => undefined);
    await socket?.close();
  }

  #open(): Promise<ClientSocket> {
    if (this.#opening === undefined) {
      const opening = own(this.#connect());
      this.#opening = opening;
      opening.catch(() => this.#forget(opening));
    }
    return this.#opening;
  }

  #forget(opening: Promise<ClientSocket>): void {
    if (this.#opening === opening) this.#opening = undefined;
  }

  #receive(text: string): void {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      this.#rejectAll(answerError(`A call of ${this.#url}`, 'it is not JSON', error));
      return;
    }
    const answers = Array.isArray(value) ? value : [value];
    const waiting = answers.map((one) => this.#find(one)).find((one) => one !== undefined);
    if (waiting !== undefined) waiting.resolve(value);
    // A refusal of a whole message has no id. With one message under way it is clear for which it is.
    else if (answers.some(isRefusal)) this.#refuse(value);
  }

  #refuse(value: unknown): void {
    const all = new Set(this.#waiting.values());
    for (const one of all) if (all.size === 1) one.resolve(value);
    if (all.size > 1)
      this.#rejectAll(
        answerError(`A call of ${this.#url}`, 'an error without an id, for one of several messages'),
      );
  }

  #find(answer: unknown): Waiting | undefined {
    return isObject(answer) && typeof answer.id === 'number' ? this.#waiting.get(answer.id) : undefined;
  }

  #lost(cause: Error): JsonRpcConnectionError {
    return new JsonRpcConnectionError(
      `${this.#url} broke the connection before its answer: ${cause.message}`,
      false,
      cause,
    );
  }

  #rejectAll(error: Error): void {
    for (const one of new Set(this.#waiting.values())) one.reject(error);
  }
}

function isRefusal(answer: unknown): boolean {
  return isObject(answer) && answer.id === null && answer.error !== undefined;
}
