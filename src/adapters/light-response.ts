import type { HeaderPair } from '../core/contract.js';
import { bodyUsedError } from './fetch-errors.js';
import { standInFor } from './stand-in.js';

/** Kept from what programs put into its place. */
const PlatformResponse = globalThis.Response;
const SPACE = 0x20;
const EDGES = /^[\t\n\r ]+|[\t\n\r ]+$/g;
const TEXT_TYPE = 'text/plain;charset=UTF-8';

type GivenBody = ConstructorParameters<typeof Response>[0];

/** A body that is kept as it was given. */
export type LightBody = string | Uint8Array | ReadableStream | null;

/** What a response is to be sent with. */
export interface ResponseParts {
  readonly status: number;
  readonly headers: HeaderPair[];
  readonly body: LightBody;
}

/**
 * A Response that keeps what it was made of. The platform's makes a stream of a text at once, which costs more than all the
 * rest of a request; this makes a platform's when somebody wants what only that can do.
 */
class LightResponse {
  readonly #body: LightBody;
  readonly #status: number;
  readonly #statusText: string;
  readonly #pairs: HeaderPair[];
  #headers: Headers | undefined = undefined;
  #real: Response | undefined = undefined;
  #isSent = false;

  constructor(given?: GivenBody, init?: ResponseInit) {
    this.#status = init?.status ?? 200;
    this.#statusText = init?.statusText ?? '';
    const body = given instanceof ArrayBuffer ? new Uint8Array(given) : given;
    const isLight = isLightBody(body) && isStatus(this.#status, body);
    this.#body = isLight ? (body ?? null) : null;
    this.#pairs = isLight ? listPairs(init) : [];
    if (!isLight) this.#real = new PlatformResponse(body, init);
    else if (typeof body === 'string' && !hasType(this.#pairs)) this.#pairs.push(['content-type', TEXT_TYPE]);
  }

  static readonly json = (data: unknown, init: ResponseInit = {}): Response => {
    const text = JSON.stringify(data) as string | undefined;
    if (text === undefined) throw new TypeError('Value is not JSON serializable');
    const pairs = listPairs(init);
    if (!hasType(pairs)) pairs.push(['content-type', 'application/json']);
    return new LightResponse(text, { ...init, headers: pairs }) as object as Response;
  };
  static readonly error = PlatformResponse.error;
  static readonly redirect = PlatformResponse.redirect;

  /**
   * What a light response is to be sent with; undefined for another one, and when it was looked at so closely that it became
   * one of the platform's. @throws {VelaError} `ERR_FETCH_BODY_USED` when it was sent before
   */
  static take(response: object): ResponseParts | undefined {
    if (!(#body in response) || response.#real !== undefined) return undefined;
    if (response.#isSent) throw bodyUsedError();
    const body = response.#body;
    const headers = LightResponse.#list(response);
    // One without a body may be sent to many, and each has its own cookies.
    if (body === null) return { status: response.#status, headers: [...headers], body };
    response.#isSent = true;
    return { status: response.#status, headers, body };
  }

  static #list(response: LightResponse): HeaderPair[] {
    return response.#headers === undefined ? response.#pairs : listPairs({ headers: response.#headers });
  }

  /** The headers of an init that is a light response, or else any. */
  static pairsOf(init: object): HeaderPair[] | undefined {
    return #body in init && init.#real === undefined ? [...LightResponse.#list(init)] : undefined;
  }

  static real(response: LightResponse): Response {
    if (response.#real !== undefined) return response.#real;
    const { status, statusText, headers } = response;
    const real = new PlatformResponse(response.#body, { status, statusText, headers });
    if (response.#isSent) void real.body?.cancel();
    response.#real = real;
    return real;
  }

  get status(): number {
    return this.#real?.status ?? this.#status;
  }

  get ok(): boolean {
    return this.status >= 200 && this.status <= 299;
  }

  get statusText(): string {
    return this.#real?.statusText ?? this.#statusText;
  }

  get headers(): Headers {
    this.#headers ??= this.#real?.headers ?? new Headers(this.#pairs);
    return this.#headers;
  }

  get bodyUsed(): boolean {
    return this.#real?.bodyUsed ?? this.#isSent;
  }

  get body(): ReadableStream | null {
    return this.#body === null && this.#real === undefined ? null : LightResponse.real(this).body;
  }
}

standInFor(LightResponse, PlatformResponse, new PlatformResponse(), realOf);
Object.defineProperty(LightResponse, Symbol.hasInstance, { value: hasInstance });

/** All responses, whoever made them; of a class that extends this one its own. */
function hasInstance(this: unknown, value: unknown): boolean {
  if (this === LightResponse) return isResponse(value);
  return Function.prototype[Symbol.hasInstance].call(this, value);
}

function realOf(response: LightResponse): Response {
  return LightResponse.real(response);
}

/** Takes the place of the platform's Response for all of the program. */
export function replaceGlobalResponse(): void {
  if (globalThis.Response === (LightResponse as object)) return;
  Object.defineProperty(globalThis, 'Response', { value: LightResponse, writable: true, configurable: true });
}

/** What a response is to be sent with, where it is a light one. @throws {VelaError} `ERR_FETCH_BODY_USED` */
export function takeLight(response: object): ResponseParts | undefined {
  return LightResponse.take(response);
}

export function isResponse(value: unknown): value is Response {
  return value instanceof PlatformResponse;
}

function isLightBody(body: unknown): body is LightBody | undefined {
  if (typeof body === 'string' || body === null || body === undefined) return true;
  return body instanceof Uint8Array || (body instanceof ReadableStream && !body.locked);
}

/** What the platform would refuse, it is to refuse itself. */
function isStatus(status: number, body: LightBody | undefined): boolean {
  if (status === 200) return true;
  const isInRange = Number.isInteger(status) && status >= 200 && status <= 599;
  const hasNoBody = status === 204 || status === 205 || status === 304;
  return isInRange && !(hasNoBody && body !== null && body !== undefined);
}

function listPairs(init: ResponseInit | undefined): HeaderPair[] {
  if (init === undefined || init === null) return [];
  const known = LightResponse.pairsOf(init);
  if (known !== undefined) return known;
  const { headers } = init;
  const pairs: HeaderPair[] = [];
  if (headers === undefined || headers === null) return pairs;
  if (Symbol.iterator in headers) {
    for (const [name, value] of headers as Iterable<[unknown, unknown]>)
      pairs.push([`${name}`, trimValue(`${value}`)]);
    return pairs;
  }
  for (const name in headers)
    if (Object.hasOwn(headers, name)) pairs.push([name, trimValue(`${headers[name]}`)]);
  return pairs;
}

/** As the platform's Headers do, line ends at either end included. */
function trimValue(value: string): string {
  const isTight = value.charCodeAt(0) > SPACE && value.charCodeAt(value.length - 1) > SPACE;
  return isTight ? value : value.replace(EDGES, '');
}

function hasType(pairs: readonly HeaderPair[]): boolean {
  for (let i = 0; i < pairs.length; i++) {
    const [name] = pairs[i] as HeaderPair;
    if (name.length === 12 && name.toLowerCase() === 'content-type') return true;
  }
  return false;
}
