import type { RawData, WebSocket } from 'ws';
import { toError } from '../core/errors.js';
import { own } from '../core/own.js';
import { answerError, JsonRpcConnectionError } from './client-errors.js';
import type { JsonRpcTransport } from './client-transport.js';
import { isObject } from './read-answer.js';

/** One message whose answer is awaited. */
interface Waiting {
  readonly ids: readonly number[];
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** How often a connection is tried, so long. */
const CONNECT_TIMEOUT_MS = 10_000;
/** As many unsent bytes may wait in a connection that the server does not read. */
const MAX_UNSENT_BYTES = 16_777_216;
/** Largest limit that ws takes; 0 is none there. */
const LARGEST_PAYLOAD = 2_147_483_647;
/** How long a server may take to answer a ping, or a close frame. */
const ALIVE_TIMEOUT_MS = 5000;

/**
 * Messages over one WebSocket, opened when it is first needed and again after it was lost. When it is lost, all that is awaited
 * rejects.
 */
export class WebSocketTransport implements JsonRpcTransport {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #limitBytes: number;
  /** By the id of each call. */
  readonly #waiting = new Map<number, Waiting>();
  #opening: Promise<WebSocket> | undefined;
  /** Runs until something comes, where the connection may be dead. */
  #probe: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(url: string, headers: Readonly<Record<string, string>>, limitBytes: number) {
    this.#url = url;
    this.#headers = headers;
    this.#limitBytes = limitBytes;
  }

  async exchange(text: string, ids: readonly number[], signal: AbortSignal): Promise<unknown> {
    const socket = await untilAborted(this.#open(), signal);
    if (socket.readyState !== socket.OPEN)
      throw new JsonRpcConnectionError(`${this.#url} is closing the connection`, true);
    if (socket.bufferedAmount > MAX_UNSENT_BYTES) {
      this.#lookAlive(socket);
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
        this.#lookAlive(socket);
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
    this.#isClosed = true;
    const opening = this.#opening;
    this.#rejectAll(new JsonRpcConnectionError('The client is closed', false));
    const socket = await opening?.catch(() => undefined);
    if (socket === undefined || socket.readyState === socket.CLOSED) return;
    await new Promise<void>((resolve) => {
      const late = setTimeout(() => socket.terminate(), ALIVE_TIMEOUT_MS);
      socket.once('close', () => {
        clearTimeout(late);
        resolve();
      });
      socket.close(1000);
    });
  }

  #open(): Promise<WebSocket> {
    if (this.#isClosed) return Promise.reject(new JsonRpcConnectionError('The client is closed', true));
    if (this.#opening === undefined) {
      const opening = own(this.#connect());
      this.#opening = opening;
      opening.catch(() => {
        if (this.#opening === opening) this.#opening = undefined;
      });
    }
    return this.#opening;
  }

  async #connect(): Promise<WebSocket> {
    const { WebSocket: Client } = await import('ws');
    const socket = new Client(this.#url, {
      headers: this.#headers,
      maxPayload: Math.min(Math.max(this.#limitBytes, 1), LARGEST_PAYLOAD),
      handshakeTimeout: CONNECT_TIMEOUT_MS,
      perMessageDeflate: false,
    });
    let failure: Error | undefined;
    let refusal: number | undefined;
    socket.on('error', (error) => {
      failure = error;
    });
    socket.once('unexpected-response', (_request, { statusCode }) => {
      refusal = statusCode;
      socket.terminate();
    });
    socket.on('message', (data) => {
      this.#foundAlive();
      this.#receive(data);
    });
    socket.on('pong', () => this.#foundAlive());
    await new Promise<void>((resolve, reject) => {
      socket.once('open', () => resolve());
      socket.once('close', () => reject(this.#unopened(refusal, failure)));
    });
    const opening = this.#opening;
    socket.once('close', (code: number) => {
      if (this.#opening === opening) this.#opening = undefined;
      this.#foundAlive();
      this.#rejectAll(this.#lost(failure ?? new Error(`it was closed with code ${code}`)));
    });
    return socket;
  }

  /** A wait for an answer is over without one: perhaps none will ever come on this connection. */
  #lookAlive(socket: WebSocket): void {
    if (this.#probe !== undefined || socket.readyState !== socket.OPEN) return;
    this.#probe = setTimeout(() => socket.terminate(), ALIVE_TIMEOUT_MS);
    this.#probe.unref();
    socket.ping();
  }

  #foundAlive(): void {
    clearTimeout(this.#probe);
    this.#probe = undefined;
  }

  #receive(data: RawData): void {
    let value: unknown;
    try {
      value = JSON.parse(String(data));
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

  /** Who is refused will be refused again; a server, or a proxy, that cannot at present may be asked once more. */
  #unopened(refusal: number | undefined, failure: Error | undefined): Error {
    if (refusal !== undefined && refusal < 500)
      return answerError(`A call of ${this.#url}`, `status ${refusal} to its handshake`);
    const why = refusal === undefined ? failure?.message : `status ${refusal} to its handshake`;
    return new JsonRpcConnectionError(`${this.#url} cannot be reached: ${why}`, true, failure);
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

async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return await new Promise<T>((resolve, reject) => {
    const abort = () => reject(toError(signal.reason));
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
