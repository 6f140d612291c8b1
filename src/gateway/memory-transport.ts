import { toBytes } from '../core/chunks.js';
import type { Chunk, ConnectionInfo, HeaderPair } from '../core/contract.js';
import { RequestInput } from '../core/input.js';
import type { SwitchToWebSocket } from '../core/raw-websocket.js';
import { listHeaders, type ResponseHead } from '../core/response-head.js';
import type { TopicMap } from '../core/topic-map.js';
import type { BodyStream, Fate, ResponseOwner, Transport } from '../core/transport.js';
import { MemoryWebSocket } from './memory-websocket.js';

/** As much of a response is held before its writer has to wait. */
const HIGH_WATER_BYTES = 65_536;

/** A request's body on its way in. */
export type RequestBody = Iterable<Chunk> | AsyncIterable<Chunk>;

/** The errors that a response in memory has, as its reader is to see them. */
export interface MemoryErrors {
  /** The body was read before. */
  read(): Error;
  /** The request's body threw. */
  body(cause: unknown): Error;
  /** The server cut the connection. @param error - why */
  cut(error: Error): Error;
}

/** What a response in memory needs to know of its client. */
export interface MemoryPeer {
  readonly errors: MemoryErrors;
  readonly connection: ConnectionInfo;
}

/** A response without a socket: the application's writes on one side, a reader on the other. */
export class MemoryResponse {
  status = '';
  code = 0;
  headers: HeaderPair[] = [];
  owner: ResponseOwner | undefined;
  /** The request is a WebSocket handshake. */
  isHandshake = false;
  /** The WebSocket that it has become. */
  webSocket: MemoryWebSocket | undefined;
  readonly requestBody: RequestBody;
  readonly peer: MemoryPeer;
  readonly head: Promise<void>;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #isEnded = false;
  #error: Error | undefined;
  #isRead = false;
  #isFlowing = true;
  #resumeFlow: (() => void) | undefined;
  #wake: (() => void) | undefined;
  #settleHead: { resolve: () => void; reject: (error: Error) => void } | undefined;

  constructor(requestBody: RequestBody, peer: MemoryPeer) {
    this.requestBody = requestBody;
    this.peer = peer;
    this.head = new Promise((resolve, reject) => {
      this.#settleHead = { resolve, reject };
    });
    // Whoever waits for the head is told; a response that nobody waits for may end unheard.
    this.head.catch(() => {});
  }

  begin(head: ResponseHead, length: number): void {
    this.status = head.status;
    this.code = head.code;
    const pairs = listHeaders(head).flatMap((name, i, all) =>
      i % 2 === 0 ? [[name, all[i + 1]] as HeaderPair] : [],
    );
    const own = pairs.filter(([name]) => length === -1 || name.toLowerCase() !== 'content-length');
    this.headers = length === -1 ? own : [...own, ['Content-Length', String(length)]];
    this.#settleHead?.resolve();
  }

  /** The handshake is accepted. */
  accept(socket: MemoryWebSocket, headers: readonly string[]): void {
    this.webSocket = socket;
    this.status = '101 Switching Protocols';
    this.code = 101;
    for (let i = 0; i < headers.length; i += 2)
      this.headers.push([headers[i] as string, headers[i + 1] as string]);
    this.end();
    this.#settleHead?.resolve();
  }

  /** False: the reader is behind. */
  write(chunk: Chunk): boolean {
    const bytes = toBytes(chunk);
    if (bytes.length > 0) {
      this.#chunks.push(new Uint8Array(bytes));
      this.#bytes += bytes.length;
    }
    this.#wake?.();
    return this.#bytes < HIGH_WATER_BYTES;
  }

  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  /** The server cut the connection, or the client went away. */
  lose(error: Error): void {
    if (this.#isEnded) return;
    this.#error ??= error;
    this.#settleHead?.reject(error);
    this.#resumeFlow?.();
    this.#wake?.();
  }

  get isOver(): boolean {
    return this.#isEnded || this.#error !== undefined;
  }

  /** All of the body, where it is there already and nobody has begun to read it. */
  takeWhole(): Uint8Array | undefined {
    if (!this.#isEnded || this.#isRead || this.#chunks.length > 1) return undefined;
    this.#isRead = true;
    return this.#chunks[0] ?? new Uint8Array();
  }

  /** The response's body as it comes, once. */
  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#isRead) throw this.peer.errors.read();
    this.#isRead = true;
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        const wasFull = this.#bytes >= HIGH_WATER_BYTES;
        this.#bytes -= chunk.length;
        if (wasFull && this.#bytes < HIGH_WATER_BYTES && !this.#isEnded) this.owner?.drained();
        yield chunk;
      } else if (this.#error !== undefined) {
        throw this.#error;
      } else if (this.#isEnded) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  pauseFlow(): void {
    this.#isFlowing = false;
  }

  resumeFlow(): void {
    this.#isFlowing = true;
    this.#resumeFlow?.();
  }

  /** Feeds the request's body, as fast as it is read. */
  async feed(input: RequestInput, owner: ResponseOwner): Promise<void> {
    try {
      for await (const chunk of this.requestBody) {
        if (!this.#isFlowing) {
          await new Promise<void>((resolve) => {
            this.#resumeFlow = resolve;
          });
        }
        if (this.isOver) return;
        owner.arriving(true);
        RequestInput.push(input, Buffer.from(toBytes(chunk)), true);
        owner.arriving(false);
      }
      owner.arriving(true);
      RequestInput.end(input);
      owner.arriving(false);
    } catch (cause) {
      this.lose(this.peer.errors.body(cause));
      owner.aborted();
    }
  }
}

/** Responses in memory. */
export class MemoryTransport implements Transport<MemoryResponse> {
  readonly name = 'memory';
  readonly #topics: TopicMap;

  constructor(topics: TopicMap) {
    this.#topics = topics;
  }

  protocol(): string {
    return 'HTTP/1.1';
  }

  connection(response: MemoryResponse): ConnectionInfo {
    return response.peer.connection;
  }

  tunnel(): undefined {
    return undefined;
  }

  upgrade(response: MemoryResponse): SwitchToWebSocket | undefined {
    if (!response.isHandshake) return undefined;
    return (events, owner, { protocol, headers, maxBackpressureBytes }) => {
      const socket = new MemoryWebSocket(protocol, this.#topics, maxBackpressureBytes);
      socket.listener = {
        received: (bytes, isBinary) => events.received(owner, bytes, isBinary, false),
        pinged: (bytes) => events.pinged(owner, bytes),
        ponged: (bytes) => events.ponged(owner, bytes),
        drained: () => events.drained(owner),
        dropped: () => events.dropped(owner),
        closed: (code, reason) => events.closed(owner, code, reason),
      };
      response.accept(socket, headers);
      events.opened(owner, socket);
    };
  }

  send(response: MemoryResponse, head: ResponseHead, body: Chunk | undefined, reportedLength: number): void {
    response.begin(head, body === undefined ? reportedLength : toBytes(body).length);
    if (body !== undefined) response.write(body);
    response.end();
  }

  open(response: MemoryResponse, head: ResponseHead, _fate: Fate, owner: ResponseOwner): BodyStream {
    response.owner = owner;
    response.begin(head, head.statedLength);
    return {
      write: (chunk) => response.write(chunk),
      end() {
        response.end();
        return true;
      },
    };
  }

  cork(_response: MemoryResponse, writes: () => void): void {
    writes();
  }

  cut(response: MemoryResponse, error: Error): void {
    response.lose(response.peer.errors.cut(error));
  }

  watch(response: MemoryResponse, owner: ResponseOwner): void {
    response.owner = owner;
  }

  receive(response: MemoryResponse, input: RequestInput, owner: ResponseOwner): void {
    void response.feed(input, owner);
  }

  pause(response: MemoryResponse): void {
    response.pauseFlow();
  }

  resume(response: MemoryResponse): void {
    response.resumeFlow();
  }
}
