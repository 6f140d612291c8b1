import { VelaError } from '../core/errors.js';
import { HttpError } from '../core/http-error.js';
import { copyBytes, type MessageBytes } from '../core/raw-websocket.js';
import { parseJson } from '../request/parse-json.js';
import { WebSocketClose } from './websocket-close.js';

/** How deep arrays and objects of a message may lie in each other, as in a body. */
const MAX_DEPTH = 100;

/**
 * A message that a client sent. Text is decoded when it is asked for. While the handler's call is on the stack, or its
 * promise is pending, and in a loop, it can be read; a handler that returned at once has left it: reading it later throws
 * `ERR_WEBSOCKET_MESSAGE_GONE`.
 */
export class WebSocketMessage {
  readonly isBinary: boolean;
  readonly byteLength: number;
  #bytes: MessageBytes | undefined;
  #text: string | undefined = undefined;

  /** Made by the server. */
  constructor(bytes: MessageBytes, isBinary: boolean) {
    this.#bytes = bytes;
    this.isBinary = isBinary;
    this.byteLength = bytes.byteLength;
  }

  /** What is sent when a message itself is: its bytes, uncopied. */
  static raw(message: WebSocketMessage): MessageBytes {
    return message.#bytes ?? message.#gone();
  }

  /** Its bytes go when the gateway's call returns, and it will be read after that. */
  static keep(message: WebSocketMessage): void {
    const bytes = message.#bytes;
    if (bytes !== undefined) message.#bytes = copyBytes(bytes);
  }

  /** Its bytes are gone. */
  static release(message: WebSocketMessage): void {
    message.#bytes = undefined;
  }

  /** Its text; of a binary message its bytes as UTF-8, wrong ones replaced by U+FFFD. */
  text(): string {
    if (this.#text === undefined) {
      const bytes = this.#bytes ?? this.#gone();
      const view =
        bytes instanceof ArrayBuffer
          ? Buffer.from(bytes)
          : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.#text = view.toString();
    }
    return this.#text;
  }

  /** Its bytes, a copy at each call. */
  bytes(): Uint8Array {
    return copyBytes(this.#bytes ?? this.#gone());
  }

  /**
   * Its value as JSON, checked as that of a body.
   * @throws {WebSocketClose} 1007 for what is no JSON: uncaught, it closes the connection
   */
  json(): unknown {
    const text = this.text();
    try {
      return parseJson(text, MAX_DEPTH, 'The message');
    } catch (cause) {
      if (!(cause instanceof HttpError)) throw cause;
      throw new WebSocketClose(1007, cause.message.slice(0, 120), { cause });
    }
  }

  #gone(): never {
    throw new VelaError(
      'ERR_WEBSOCKET_MESSAGE_GONE',
      'A WebSocket message was read after its handler had returned: read it first, const text = message.text(), or return the promise of what still reads it',
    );
  }
}
