import { describeValue, isThenable, VelaError } from '../core/errors.js';
import { own } from '../core/own.js';
import type { WsgiRequest } from '../request/wsgi-request.js';
import type { Endpoint } from './endpoint.js';
import { type SendResult, Session } from './session.js';
import { requireClose } from './websocket-close.js';
import { WebSocketMessage } from './websocket-message.js';

/** What is sent: text as a text message; bytes as a binary one; a message that came as it came, uncopied. */
export type Sendable = string | ArrayBuffer | ArrayBufferView | WebSocketMessage;

/** RFC 6455 §5.5. */
const LONGEST_PING_BYTES = 125;

/**
 * A WebSocket of a client, open when its handlers first see it.
 * @typeParam State - what the handler `handshake` has returned
 * @see {@link https://www.rfc-editor.org/rfc/rfc6455 | RFC 6455}
 */
export class WebSocketConnection<State = undefined, Request extends WsgiRequest = WsgiRequest>
  implements AsyncIterable<WebSocketMessage>
{
  /** The request of its handshake: path parameters, headers, cookies, session and user stay readable. */
  readonly request: Request;
  /** The sub-protocol that was chosen, `''` for none. */
  readonly protocol: string;
  /** What is known of this connection, as `handshake` has returned it. */
  state: State;
  readonly #session: Session;

  /** Made by the server. */
  constructor(endpoint: Endpoint, request: Request, protocol: string, state: State) {
    this.request = request;
    this.protocol = protocol;
    this.state = state;
    this.#session = new Session(endpoint, this);
  }

  /** What stands behind it. */
  static sessionOf<S, R extends WsgiRequest>(connection: WebSocketConnection<S, R>): Session {
    return connection.#session;
  }

  /** Whether messages can be sent. */
  get isOpen(): boolean {
    return this.#session.isOpen;
  }

  /** The code it was closed with: 1005 for a close frame without one, 1006 without a close frame; undefined while it is open. */
  get closeCode(): number | undefined {
    return this.#session.closeCode;
  }

  /** Bytes that wait in memory for the client to read. */
  get bufferedBytes(): number {
    return this.#session.raw?.getBufferedAmount() ?? 0;
  }

  /** Aborts when the connection is closed, for the work that is done for it. */
  get signal(): AbortSignal {
    return this.#session.signal;
  }

  /** Sends a message. @throws {TypeError} for what is neither text nor bytes */
  send(message: Sendable): SendResult {
    if (typeof message === 'string') return this.#session.send(message, false);
    if (message instanceof WebSocketMessage)
      return this.#session.send(WebSocketMessage.raw(message), message.isBinary);
    if (message instanceof ArrayBuffer || message instanceof Uint8Array)
      return this.#session.send(message, true);
    if (!ArrayBuffer.isView(message))
      throw new TypeError(
        `send() takes text or bytes: send('text'), send(new Uint8Array([1, 2])), sendJson({ any: 'value' }); received ${describeValue(message)}`,
      );
    const { buffer, byteOffset, byteLength } = message;
    return this.#session.send(new Uint8Array(buffer, byteOffset, byteLength), true);
  }

  /** Sends a value as JSON text. @throws {TypeError} for what JSON cannot say */
  sendJson(value: unknown): SendResult {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined)
      throw new TypeError(`sendJson() takes what JSON can say; received ${describeValue(value)}`);
    return this.#session.send(text, false);
  }

  /** Runs sends so that they leave together, in one write. @throws {TypeError} for a function that is async */
  cork(sends: () => void): void {
    const { raw } = this.#session;
    let result: unknown;
    const run = () => {
      result = sends();
    };
    if (raw === undefined) run();
    else raw.cork(run);
    if (!isThenable(result)) return;
    void own(Promise.resolve(result));
    throw new TypeError('cork() takes a function that sends at once, not an async one');
  }

  /** Resolves when nothing waits in memory any more, or the connection is closed. */
  drained(): Promise<void> {
    return this.#session.whenDrained();
  }

  /** Sends a ping; the client answers with a pong by itself. @param data - 125 bytes at most @throws {TypeError} for more */
  ping(data: string | Uint8Array = ''): void {
    const isFit = typeof data === 'string' || data instanceof Uint8Array;
    if (!isFit || Buffer.byteLength(data) > LONGEST_PING_BYTES)
      throw new TypeError(
        `ping() takes text or bytes, at most ${LONGEST_PING_BYTES}; received ${describeValue(data)}`,
      );
    this.#session.ping(data);
  }

  /**
   * Sends a close frame and ends the connection. Messages that still wait for their handlers are thrown away, and the handler
   * `close` is called. Of a closed connection it does nothing.
   * @param code - 1000 to 1003, 1007 to 1014 or 3000 to 4999
   * @param reason - 123 bytes at most
   * @throws {TypeError} for others
   */
  close(code = 1000, reason = ''): void {
    requireClose('close()', code, reason);
    this.#session.shut(code, reason);
  }

  /** Ends the connection without a close frame: the client sees code 1006. */
  terminate(): void {
    this.#session.cut('terminated');
  }

  /**
   * The messages as they come, until the connection is closed, for a handler that is a function:
   * `for await (const message of socket)`. Leaving the loop does not close it.
   * @throws {VelaError} `ERR_WEBSOCKET_READ` where a handler `message` gets them
   */
  [Symbol.asyncIterator](): AsyncIterator<WebSocketMessage, undefined> {
    const { endpoint, flow } = this.#session;
    if (!endpoint.isLoop)
      throw new VelaError(
        'ERR_WEBSOCKET_READ',
        'The handler "message" gets the messages of this WebSocket: give websocket() a function, async (socket) => {...}, to loop over them',
      );
    return {
      next: () => flow.read(),
      return: () => Promise.resolve({ done: true, value: undefined }),
    };
  }
}
