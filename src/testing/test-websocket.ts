import type { HeaderPair } from '../core/contract.js';
import { describeValue, VelaError } from '../core/errors.js';
import type { MemoryWebSocket, SocketEnd } from '../gateway/memory-websocket.js';

/** How long a message is waited for, in ms. */
const NEXT_TIMEOUT_MS = 5000;

/** The client's side of a WebSocket of a {@link TestClient}. */
export class TestWebSocket implements AsyncIterable<string | Uint8Array> {
  /** The sub-protocol that the server chose, `''` for none. */
  readonly protocol: string;
  /** Of the 101 response. */
  readonly headers: readonly HeaderPair[];
  readonly #socket: MemoryWebSocket;

  /** Made by `client.websocket()`. */
  constructor(socket: MemoryWebSocket, headers: readonly HeaderPair[]) {
    this.#socket = socket;
    this.protocol = socket.protocol;
    this.headers = headers;
  }

  /** How it was closed; undefined while it is open. */
  get end(): SocketEnd | undefined {
    return this.#socket.ended;
  }

  /** Sends text or bytes. @throws {TypeError} for others @throws {VelaError} `ERR_TEST_CLOSED` when it is closed */
  send(message: string | Uint8Array): void {
    if (typeof message !== 'string' && !(message instanceof Uint8Array))
      throw new TypeError(`send() takes text or bytes; received ${describeValue(message)}`);
    const { listener } = this.#open('send()');
    const bytes = Buffer.from(message as string);
    setImmediate(() => {
      if (this.end === undefined) listener?.received(bytes, typeof message !== 'string');
    });
  }

  /** Sends a value as JSON text. */
  sendJson(value: unknown): void {
    this.send(JSON.stringify(value));
  }

  /** Sends a ping. */
  ping(data: string | Uint8Array = ''): void {
    const { listener } = this.#open('ping()');
    const bytes = Buffer.from(data as string);
    setImmediate(() => {
      if (this.end === undefined) listener?.pinged(bytes);
    });
  }

  /**
   * The next message of the server: text, or bytes. It waits for it, at most 5 s.
   * @throws {VelaError} `ERR_TEST_CLOSED` when the server has closed it, with code and reason; `ERR_TEST_TIMEOUT`
   */
  async next(): Promise<string | Uint8Array> {
    for (let message = await this.#read(); ; message = await this.#read()) {
      if (message !== undefined) return message;
      this.#open('next()');
    }
  }

  /** The next message as JSON. */
  async nextJson(): Promise<unknown> {
    return JSON.parse(String(await this.next())) as unknown;
  }

  /** Sends a close frame. @returns how it was closed */
  async close(code = 1000, reason = ''): Promise<SocketEnd> {
    // What was sent before it is handled before it.
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    this.#socket.finish(code, reason);
    return this.end as SocketEnd;
  }

  /** Resolves when it is closed, by the server. @throws {VelaError} `ERR_TEST_TIMEOUT` after 5 s */
  async closed(): Promise<SocketEnd> {
    while (this.end === undefined) await this.#wait();
    return this.end;
  }

  /** The messages until it is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<string | Uint8Array, void, undefined> {
    for (let message = await this.#read(); message !== undefined; message = await this.#read()) yield message;
  }

  /** Undefined when it is closed. */
  async #read(): Promise<string | Uint8Array | undefined> {
    for (;;) {
      const message = this.#socket.take();
      if (message !== undefined || this.end !== undefined) return message;
      await this.#wait();
    }
  }

  async #wait(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const error = new VelaError(
        'ERR_TEST_TIMEOUT',
        `Nothing came over the WebSocket within ${NEXT_TIMEOUT_MS} ms`,
      );
      timer = setTimeout(() => reject(error), NEXT_TIMEOUT_MS);
    });
    try {
      await Promise.race([this.#socket.stirred(), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #open(what: string): MemoryWebSocket {
    if (this.end === undefined) return this.#socket;
    const { code, reason } = this.end;
    throw new VelaError(
      'ERR_TEST_CLOSED',
      `${what}: the WebSocket was closed with ${code}${reason === '' ? '' : `: ${reason}`}`,
    );
  }
}
