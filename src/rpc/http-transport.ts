import { toError } from '../core/errors.js';
import { own } from '../core/own.js';
import { answerError, JsonRpcConnectionError } from './client-errors.js';
import type { JsonRpcTransport } from './client-transport.js';

/** Errors of connections that were never there: nothing was sent. */
const UNSENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Messages as POST requests of `fetch`, which keeps connections. */
export class HttpTransport implements JsonRpcTransport {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #fetch: typeof fetch;
  readonly #limitBytes: number;

  constructor(
    url: string,
    headers: Readonly<Record<string, string>>,
    limitBytes: number,
    fetchFunction: typeof fetch,
  ) {
    this.#url = url;
    this.#headers = { ...headers, 'content-type': 'application/json', accept: 'application/json' };
    this.#limitBytes = limitBytes;
    this.#fetch = fetchFunction;
  }

  async exchange(text: string, ids: readonly number[], signal: AbortSignal): Promise<unknown> {
    const request = { method: 'POST', headers: this.#headers, body: text, redirect: 'error' as const };
    try {
      // A browser's must not be called as a method of something else.
      const fetchFunction = this.#fetch;
      const response = await fetchFunction(this.#url, { ...request, signal });
      const body = await this.#read(response);
      return response.status === 204 || (ids.length === 0 && body === '')
        ? undefined
        : this.#parse(response.status, body);
    } catch (error) {
      signal.throwIfAborted();
      throw isFetchError(error) ? this.#connectionError(error) : error;
    }
  }

  /** Connections are those of `fetch`. */
  async close(): Promise<void> {}

  async #read(response: Response): Promise<string> {
    const reader = response.body?.getReader();
    const decoder = new TextDecoder();
    let text = '';
    let size = 0;
    for (;;) {
      const { value } = (await reader?.read()) ?? {};
      if (value === undefined) return text + decoder.decode();
      size += value.length;
      if (size > this.#limitBytes) {
        // This ends the connection.
        void own(reader?.cancel() ?? Promise.resolve());
        throw answerError(
          `A call of ${this.#url}`,
          `it is larger than the limit of ${this.#limitBytes} bytes`,
        );
      }
      text += decoder.decode(value, { stream: true });
    }
  }

  /** An error of JSON-RPC may come with any status. */
  #parse(status: number, body: string): unknown {
    let value: unknown;
    try {
      value = JSON.parse(body);
    } catch {
      throw answerError(`A call of ${this.#url}`, `status ${status}, and no JSON`);
    }
    const isMessage =
      typeof value === 'object' && value !== null && (Array.isArray(value) || 'jsonrpc' in value);
    if (isMessage) return value;
    throw answerError(`A call of ${this.#url}`, `status ${status}, and JSON of another kind`);
  }

  #connectionError(error: Error): JsonRpcConnectionError {
    const cause = toError(error.cause ?? error);
    const isUnsent = UNSENT.has((cause as NodeJS.ErrnoException).code ?? '');
    return new JsonRpcConnectionError(
      `${this.#url} ${isUnsent ? 'cannot be reached' : 'broke the connection before its answer'}: ${cause.message}`,
      isUnsent,
      error,
    );
  }
}

/** What `fetch` rejects with when there is no connection, or no longer. */
function isFetchError(error: unknown): error is Error {
  return error instanceof TypeError || (error instanceof Error && error.name === 'SocketError');
}
