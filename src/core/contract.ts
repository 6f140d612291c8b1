/**
 * The contract: an application is called with `(environ, startResponse)` and returns the body.
 *
 * It is PEP 3333 with one extension: wherever Python would block, a promise may stand. The rules behind these
 * types are in docs/spec.md, which is generated from the checks of {@link lint}.
 * @see {@link https://peps.python.org/pep-3333/ | PEP 3333}
 */
import type { Logger } from './logger.js';
import type { UpgradeToWebSocket } from './raw-websocket.js';
import type { WebSocketNeeds } from './websocket-limits.js';

/** One piece of a body: text, sent as UTF-8, or bytes. */
export type Chunk = string | Uint8Array;

/**
 * A body: chunks, promises of chunks, or an async stream of chunks. A bare string is refused: write `[text]`.
 *
 * An iterator may use the memory of a chunk again when it is asked for the next one, and not earlier. The chunks of an array
 * are never copied: leave them as they are for good.
 */
export type Body = object & (Iterable<Chunk | Promise<Chunk>> | AsyncIterable<Chunk>);

/** One response header. */
export type HeaderPair = [name: string, value: string];

/**
 * Sends a chunk at once. A promise that it returns is back-pressure: await it before the next chunk. After the end of
 * the request, and where no body is sent, it does nothing, and its promise takes a turn of the loop.
 *
 * Bytes are copied below 65,536 of them, and the writer may use their memory again at once. Larger chunks are sent from
 * where they are: do not change, transfer or pool them before the promise has resolved, or, where there is none, before
 * the call has returned.
 */
export type Write = (chunk: Chunk) => void | Promise<void>;

/**
 * Begins the response. Nothing is sent before the first non-empty chunk.
 * @param status - three digits, a space and a reason: `200 OK`
 * @param headers - pairs in the order in which they are sent
 * @param excInfo - the error that makes this a second call, to replace what the first one said
 * @throws {VelaError} `ERR_CONTRACT_*` for a bad status or header, and for a second call without `excInfo`
 */
export type StartResponse = (status: string, headers: HeaderPair[], excInfo?: Error) => Write;

/** Ends the walk of a {@link WsgiHandler}: the middleware has taken the connection over. */
export const TAKEN: unique symbol = Symbol('vela.TAKEN');

/** A response that has not begun: a WsgiResponse. Whoever receives it starts it. */
export interface UnstartedResponse {
  status: number;
  content: string | Uint8Array | Body;
  headers: HeaderPair[];
  start(startResponse: StartResponse, excInfo?: Error): Body;
}

/** What a middleware may return: nothing passes the request on. */
export type MiddlewareResult = Body | UnstartedResponse | typeof TAKEN | undefined | null | void;

/** An application as a function. */
export type AppFunction = ((
  environ: Environ,
  startResponse: StartResponse,
) => Body | UnstartedResponse | typeof TAKEN | PromiseLike<Body | UnstartedResponse | typeof TAKEN>) &
  Part;

/** A middleware as a function: an application that may return nothing. */
export type MiddlewareFunction = ((
  environ: Environ,
  startResponse: StartResponse,
) => MiddlewareResult | PromiseLike<MiddlewareResult>) &
  Part;

/** An application: a function, or an object with `handle(environ, startResponse)`. */
export type App = AppFunction | (Part & { handle: AppFunction });

/** A middleware: a function, or an object with `handle(environ, startResponse)`. */
export type Middleware = MiddlewareFunction | (Part & { handle: MiddlewareFunction });

/** What any application or middleware may carry beside the call itself. */
export interface Part {
  /** Runs once before the first request is accepted. A rejection stops the server from starting. */
  start?(context: StartContext): void | Promise<void>;
  /** Runs once after the last request was answered. */
  stop?(): void | Promise<void>;
  /** Says what it is, for listings: routes, limits, WebSocket paths. */
  describe?(): PartDescription;
  /**
   * The request headers, in HTTP spelling, that are read after the handler has gone async. Only these are then kept,
   * which is cheaper than keeping all; reading another one throws `ERR_ENVIRON_EXPIRED`. Of a repeated Accept,
   * Accept-Charset, Accept-Encoding, Accept-Language or Range only the first line is kept then.
   */
  headers?: readonly string[] | undefined;
  /** Tells middleware from response middleware, so that neither is taken in the place of the other. Vela's says it. */
  runsOn?: 'request' | undefined;
}

/** What a {@link Part} is told when it starts. */
export interface StartContext {
  readonly config: ServerConfig;
  readonly logger: Logger;
  /** Aborts when the server begins to stop: requests under way are still answered. */
  readonly stopping: AbortSignal;
  /** What the WebSockets of the server may be: a part that needs more than the defaults widens it. */
  readonly webSockets: WebSocketNeeds;
}

/** What a {@link Part} says of itself. */
export interface PartDescription {
  readonly name: string;
  readonly parts?: readonly PartDescription[];
  readonly [detail: string]: unknown;
}

/** The settings of the server that handlers may read, as `environ['vela.cfg']`. Frozen. */
export interface ServerConfig {
  /** Error pages show stacks and causes, and log lines say more. */
  readonly debug: boolean;
  /** Longest request line, in bytes. */
  readonly maxRequestLineBytes: number;
  /** Largest request body, in bytes. */
  readonly maxBodyBytes: number;
  /** Longest wait from the complete request head to startResponse, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** Longest time without progress once the response has begun, in milliseconds. */
  readonly stallTimeoutMs: number;
  readonly [setting: string]: unknown;
}

/**
 * The request's body. Unread bytes stop the socket, so memory stays bounded. One read at a time.
 *
 * A read rejects with PayloadTooLarge (413) when the body is larger than the limit, with `ERR_CLIENT_ABORTED` when the
 * client goes away, with `ERR_INPUT_BUSY` while another read waits.
 */
export interface WsgiInput extends AsyncIterable<Buffer> {
  /** Reads up to `size` bytes, fewer only at the end of the body; without `size`, all that is left. Empty at the end. */
  read(size?: number): Promise<Buffer>;
  /** Reads to the end of a line, its `\n` included, or `size` bytes of it; empty at the end of the body. */
  readline(size?: number): Promise<Buffer>;
  /** Reads all lines, or as many as hold about `hintBytes`. */
  readlines(hintBytes?: number): Promise<Buffer[]>;
  /**
   * Reads without waiting: all that is left, or `size` bytes. In a thread of an executor it waits for them.
   * @throws {VelaError} `ERR_INPUT_NOT_LOADED` when the body is not in memory: put `waitForBody()` before the handler
   */
  readSync(size?: number): Buffer;
  /**
   * Waits until the whole body is in memory.
   * @param limitBytes - a larger body is refused with 413; without it, the server's limit counts alone
   * @returns undefined when it is there already
   * @throws {PayloadTooLarge} at once when the stated length is over the limit
   */
  load(limitBytes?: number): PromiseLike<void> | undefined;
}

/** A response as it begins: status and headers may still be changed. */
export interface BeginningResponse {
  /** As `startResponse` has it: `200 OK`. */
  status: string;
  /** A copy: what the application gave stays as it is. */
  headers: HeaderPair[];
}

/** How a request ended. */
export interface RequestEnd {
  /** The response's status code; 0 when none was sent. */
  readonly status: number;
  /** How many bytes of the response's body were handed to the socket. */
  readonly bodyBytes: number;
  /** Since the first listener of the end came, in milliseconds; 0 when none came before the end. */
  readonly durationMs: number;
  /**
   * `sent` whole; `aborted` by the client; `cut` by the server, because of an error or time-out under way; `taken` over
   * by the application.
   */
  readonly outcome: 'sent' | 'aborted' | 'cut' | 'taken';
  /** Why it was aborted or cut. */
  readonly error: Error | undefined;
}

/** The response to come, whoever gives it, be it an error response. */
export interface ResponseControl {
  /**
   * Calls back when the response begins, before its head is checked; the listener added last is called first. A
   * listener that throws makes the response an error response, and so does one that returns a promise: the response does
   * not wait (`ERR_RESPONSE_LISTENER`).
   * @throws {VelaError} `ERR_RESPONSE_STARTED` when it has begun
   */
  onStart(listener: (response: BeginningResponse) => void): void;
  /**
   * Calls back once, when the request is over; at once when it is over already. What a listener throws, or rejects with
   * when it is async, is logged; nothing waits for it.
   */
  onEnd(listener: (end: RequestEnd) => void): void;
  /** Ends the request with an error response, or, when the response is under way, with a cut; stops the work on it. */
  fail(error: Error): void;
}

/** Where error messages of the application go. */
export interface WsgiErrors {
  write(text: string): void;
  writelines(lines: Iterable<string>): void;
  flush(): void;
}

/** What can be sent as a file: a FileHandle of `node:fs/promises`, or anything that reads like one. */
export interface FileLike {
  read(buffer: Uint8Array, offset: number, length: number, position: null): Promise<{ bytesRead: number }>;
  close(): Promise<void>;
}

/** What is known of the client's connection. */
export interface ConnectionInfo {
  /** The peer's address in text, `''` on a unix socket. */
  readonly remoteAddress: string;
  /** The peer's port, where the gateway knows it. */
  readonly remotePort: number | undefined;
  readonly encrypted: boolean;
  /** Name of the gateway: `uws`, `node` or `memory`. */
  readonly gateway: string;
}

/**
 * The request, under the keys of PEP 3333 and CGI, and ours under `vela.*`. Values are read lazily.
 *
 * Reading and assigning work as on a plain object. Enumeration sees only assigned keys: use `environKeys` or
 * `toObject`. Remove a key by assigning `undefined`. `'HTTP_X' in environ` can be asked while the handler is called, and
 * while body bytes are handed on, not after an await.
 */
export interface Environ {
  REQUEST_METHOD: string;
  /** The part of the path that led to this application, decoded; `''` at the root. */
  SCRIPT_NAME: string;
  /** The rest of the path, percent-decoded once as UTF-8. Reading it throws BadRequest for a malformed escape. */
  PATH_INFO: string;
  /** What follows the `?`, undecoded. */
  QUERY_STRING: string;
  /** The request target as the client sent it. */
  RAW_URI: string;
  CONTENT_TYPE: string;
  CONTENT_LENGTH: string;
  SERVER_NAME: string;
  SERVER_PORT: string;
  SERVER_PROTOCOL: string;
  SERVER_SOFTWARE: string;
  REMOTE_ADDR: string;
  REMOTE_PORT?: string | undefined;
  /** `on` under TLS, else absent. */
  HTTPS?: string | undefined;
  'wsgi.version': readonly [1, 0];
  'wsgi.url_scheme': string;
  'wsgi.input': WsgiInput;
  'wsgi.errors': WsgiErrors;
  'wsgi.multithread': boolean;
  'wsgi.multiprocess': boolean;
  'wsgi.run_once': boolean;
  /** Always true: promises may stand where PEP 3333 blocks. */
  'wsgi.async': boolean;
  /** Makes a body of a FileHandle, and closes it. */
  'wsgi.file_wrapper': (file: FileLike, blockBytes?: number) => AsyncIterable<Chunk>;
  /** When the request arrived, in milliseconds since the epoch. */
  'wsgi.timestamp': number;
  /** Aborts when the client goes away, a deadline passes, or a stopping server waits no longer. */
  'vela.signal': AbortSignal;
  /** Aborts when the server begins to stop: what has no end of its own should end now. One for all requests. */
  'vela.stopping': AbortSignal;
  'vela.cfg': ServerConfig;
  'vela.logger': Logger;
  'vela.connection': ConnectionInfo;
  'vela.response': ResponseControl;
  /** A short id of this request, unique in this process. */
  'vela.request_id': string;
  /** The undecoded form of PATH_INFO. Middleware that rewrites the path sets both. */
  'vela.raw_path': string;
  /** On the node gateway, for CONNECT and Upgrade: takes the raw connection over. Return {@link TAKEN} after it. */
  'vela.tunnel'?: TakeTunnel;
  /** For a WebSocket handshake: accepts it. Return {@link TAKEN} after it. `websocket()` stands on this. */
  'vela.upgrade'?: UpgradeToWebSocket;
  /** Who it is, as `authenticate` found out. */
  'vela.user'?: unknown;
  /** For `<script nonce>`: where `secureHeaders` has a policy with a nonce. */
  'vela.csp_nonce'?: string | undefined;
  /** The pattern that the path fits, `/users/:id`, for logs and the names of spans: set by whoever routes. */
  'vela.route'?: string | undefined;
  /** The parameters of that path. */
  'vela.params'?: object | undefined;
  /** What the schemas of that route have made of the request. */
  'vela.valid'?: object | undefined;
  /** The parameters of the prefixes that lead to an application mounted in a Router. */
  'vela.mount_params'?: object | undefined;
  /** The media type to answer with, as a route with `produces` chose it. */
  'vela.response_type'?: string | undefined;
  /** Of the request's span, in hexadecimal: where `traceRequests` made one. */
  'vela.trace_id'?: string | undefined;
  'vela.span_id'?: string | undefined;
  /** A request header: upper case, `-` as `_`. */
  [header: `HTTP_${string}`]: string | undefined;
  [key: string]: unknown;
}

/** Takes the raw connection over; the caller owns, answers and ends it. */
export type TakeTunnel = () => {
  readonly socket: import('node:stream').Duplex;
  /** Bytes that the client sent after the request's head. */
  readonly head: Uint8Array;
};
