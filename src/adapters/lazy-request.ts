import { Readable } from 'node:stream';
import type { Environ } from '../core/contract.js';
import { own } from '../core/own.js';
import { refuseTaken } from '../request/body-state.js';
import { streamInput } from './input-stream.js';
import { createHeaders } from './lazy-headers.js';
import { isBodyExpected } from './node-request.js';
import { readUrl } from './request-url.js';
import { standInFor } from './stand-in.js';

/** Requests of fetch cannot be made with these. */
const FORBIDDEN: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK']);
const NOTHING = Buffer.alloc(0);
const BYTE_ORDER_MARK = 0xfeff;
/** Kept from what programs put into its place. */
const PlatformRequest = globalThis.Request;

/** A Request that reads from the environ; a real one is made when somebody wants what only that can do. */
class LazyRequest {
  readonly #environ: Environ;
  #url: string | undefined = undefined;
  #headers: Headers | undefined = undefined;
  #real: Request | undefined = undefined;
  #isRead = false;
  /** The body, while no real one has it. */
  #stream: ReadableStream<Uint8Array> | undefined = undefined;

  constructor(environ: Environ) {
    this.#environ = environ;
  }

  static real(request: LazyRequest): Request {
    request.#real ??= request.#make();
    return request.#real;
  }

  get method(): string {
    return this.#environ.REQUEST_METHOD;
  }

  get url(): string {
    this.#url ??= readUrl(this.#environ);
    return this.#url;
  }

  get headers(): Headers {
    this.#headers ??= createHeaders(this.#environ);
    return this.#headers;
  }

  get signal(): AbortSignal {
    return this.#environ['vela.signal'];
  }

  get bodyUsed(): boolean {
    if (this.#stream !== undefined) return isDisturbed(this.#stream);
    return this.#real?.bodyUsed ?? this.#isRead;
  }

  get body(): ReadableStream | null {
    if (this.#stream !== undefined) return this.#stream;
    if (!this.#hasBody) return null;
    if (this.#real !== undefined || this.#isRead) return LazyRequest.real(this).body;
    refuseTaken(this.#environ);
    this.#stream = streamInput(this.#environ['wsgi.input']);
    return this.#stream;
  }

  text(): Promise<string> {
    return this.#readReal((real) => real.text()) ?? own(this.#text());
  }

  json(): Promise<unknown> {
    return (
      this.#readReal((real) => real.json()) ?? own(this.#text().then((text) => JSON.parse(text) as unknown))
    );
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#readReal((real) => real.arrayBuffer()) ?? own(this.#read().then(toArrayBuffer));
  }

  bytes(): Promise<Uint8Array> {
    return own(this.arrayBuffer().then((buffer) => new Uint8Array(buffer)));
  }

  blob(): Promise<Blob> {
    const type = () => this.headers.get('content-type') ?? '';
    return (
      this.#readReal((real) => real.blob()) ??
      own(this.#read().then((bytes) => new Blob([bytes], { type: type() })))
    );
  }

  clone(): Request {
    if (this.#isStreaming) throw unusable();
    return LazyRequest.real(this).clone();
  }

  /** Reads as the real one does, where there is one or has to be; else undefined. */
  #readReal<T>(read: (real: Request) => Promise<T>): Promise<T> | undefined {
    if (this.#isStreaming) return own(Promise.reject(unusable()));
    return this.#real === undefined && this.#stream === undefined ? undefined : read(LazyRequest.real(this));
  }

  /** Somebody else reads the body, or has. */
  get #isStreaming(): boolean {
    return this.#stream !== undefined && (this.#stream.locked || isDisturbed(this.#stream));
  }

  async #text(): Promise<string> {
    const text = (await this.#read()).toString();
    return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
  }

  async #read(): Promise<Buffer> {
    if (this.#isRead) throw unusable();
    if (!this.#hasBody) return NOTHING;
    refuseTaken(this.#environ);
    this.#isRead = true;
    return await this.#environ['wsgi.input'].read();
  }

  get #hasBody(): boolean {
    const { method } = this;
    return method !== 'GET' && method !== 'HEAD' && isBodyExpected(this.#environ);
  }

  #make(): Request {
    const { method, url, headers, signal } = this;
    const isForbidden = FORBIDDEN.has(method);
    const init: RequestInit = { method: isForbidden ? 'GET' : method, headers, signal };
    if (!this.#hasBody || isForbidden) return new PlatformRequest(url, init);
    const isRead = this.#isRead || this.#isStreaming;
    const body = isRead ? '' : (this.body as ReadableStream);
    const real = new PlatformRequest(url, { ...init, body, duplex: 'half' });
    // What was read here has been read there.
    if (isRead) void real.text();
    else this.#stream = undefined;
    return real;
  }
}

standInFor(LazyRequest, PlatformRequest, new PlatformRequest('http://localhost'), LazyRequest.real);
Object.defineProperty(LazyRequest.prototype, 'constructor', { value: PlatformRequest });

/** Whether code of the platform takes a stand-in: not where it keeps its state in private fields. */
const isTaken = canCopy();

function canCopy(): boolean {
  try {
    const environ = {
      REQUEST_METHOD: 'PUT',
      HTTP_HOST: 'a',
      SCRIPT_NAME: '',
      QUERY_STRING: '',
      'vela.raw_path': '/',
    };
    const given = {
      ...environ,
      CONTENT_LENGTH: '0',
      'wsgi.url_scheme': 'http',
      'vela.signal': new AbortController().signal,
    };
    return (
      new PlatformRequest(new LazyRequest(given as object as Environ) as object as Request).method === 'PUT'
    );
  } catch {
    return false;
  }
}

/** Makes the Request of fetch that an environ is. */
export function createRequest(environ: Environ): Request {
  const request = new LazyRequest(environ);
  return isTaken ? (request as object as Request) : LazyRequest.real(request);
}

function unusable(): TypeError {
  return new TypeError('Body is unusable: Body has already been read');
}

/** Somebody has read of it, or cancelled it. */
function isDisturbed(stream: ReadableStream): boolean {
  return Readable.isDisturbed(stream as object as NodeJS.ReadableStream);
}

function toArrayBuffer({ buffer, byteOffset, byteLength }: Buffer): ArrayBuffer {
  const isWhole = byteLength === buffer.byteLength;
  return (isWhole ? buffer : buffer.slice(byteOffset, byteOffset + byteLength)) as ArrayBuffer;
}
