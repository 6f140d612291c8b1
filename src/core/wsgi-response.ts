import { closeBody } from './body-pump.js';
import type { Body, HeaderPair, StartResponse, UnstartedResponse } from './contract.js';
import { describeValue, isThenable, requireKnown, requireOptions, toError } from './errors.js';
import { own } from './own.js';
import { findCookieScope, formatSetCookie, type SetCookieOptions } from './set-cookie.js';
import { formatStatus } from './status.js';

/** What a response may be made of. */
export interface WsgiResponseOptions {
  /** @defaultValue 200 */
  status?: number;
  /** Text, bytes, any other body, or nothing. */
  content?: string | Uint8Array | Body;
  /** The Content-Type header. @defaultValue what the content says; `text/plain; charset=utf-8` for text; else none */
  contentType?: string;
  /** Further headers. */
  headers?: Iterable<HeaderPair>;
}

const OPTIONS = ['status', 'content', 'contentType', 'headers'] as const;
/** Given in place of options, by the functions below alone. */
const UNCHECKED: WsgiResponseOptions = Object.freeze({});

/**
 * A response that has not begun: a handler may return it in place of calling `startResponse`, and response middleware
 * may change it on its way out.
 * @example new WsgiResponse({ status: 201, content: 'made' })
 */
export class WsgiResponse implements UnstartedResponse {
  status: number;
  content: string | Uint8Array | Body;
  headers: HeaderPair[];

  constructor(options: WsgiResponseOptions = {}) {
    if (options === UNCHECKED) {
      this.status = 200;
      this.content = '';
      this.headers = [];
      return;
    }
    const { status = 200, content = '', contentType, headers } = requireOptions('WsgiResponse', options);
    requireKnown('WsgiResponse', options, OPTIONS);
    if (headers !== undefined && (typeof headers !== 'object' || !(Symbol.iterator in headers))) {
      throw new TypeError(
        `WsgiResponse takes its headers as pairs, [['X-A', 'b']]; received ${describeValue(headers)}`,
      );
    }
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw new RangeError(`WsgiResponse needs a status from 200 to 599; received ${describeValue(status)}`);
    }
    if (typeof content !== 'string' && !isIterable(content)) throw contentError(content);
    this.status = status;
    this.content = content;
    const type = contentType ?? findContentType(content);
    if (headers === undefined) {
      this.headers = type === undefined ? [] : [['Content-Type', type]];
      return;
    }
    this.headers = [...headers];
    if (type !== undefined && this.getHeader('content-type') === undefined)
      this.headers.unshift(['Content-Type', type]);
  }

  /** The first value of a header, whatever its case. */
  getHeader(name: string): string | undefined {
    const lower = name.toLowerCase();
    return this.headers.find((pair) => pair[0].toLowerCase() === lower)?.[1];
  }

  /** Sets a header, in place of all that have its name. */
  setHeader(name: string, value: string): this {
    requireText('setHeader', name, value);
    this.deleteHeader(name);
    this.headers.push([name, value]);
    return this;
  }

  /** Adds a header beside those that have its name. */
  addHeader(name: string, value: string): this {
    requireText('addHeader', name, value);
    this.headers.push([name, value]);
    return this;
  }

  deleteHeader(name: string): this {
    const lower = name.toLowerCase();
    this.headers = this.headers.filter((pair) => pair[0].toLowerCase() !== lower);
    return this;
  }

  /**
   * Sets a cookie, in place of one that this response sets under the same name, domain and path.
   * @param value - any text: it is percent-encoded, and decoded by `requestOf(environ).cookies`
   * @throws {TypeError} for what a browser would refuse
   */
  setCookie(name: string, value: string, options: SetCookieOptions = {}): this {
    const cookie = formatSetCookie(name, value, options);
    const scope = findCookieScope(cookie);
    this.headers = this.headers.filter(
      ([key, known]) => key.toLowerCase() !== 'set-cookie' || findCookieScope(known) !== scope,
    );
    return this.addHeader('Set-Cookie', cookie);
  }

  /** Makes the browser forget a cookie. @param options - the path and domain that it was set with */
  deleteCookie(name: string, options: SetCookieOptions = {}): this {
    return this.setCookie(name, '', { ...options, expires: new Date(0), maxAgeSeconds: 0 });
  }

  /** Calls `startResponse` and gives the body. Content whose head is refused is closed. */
  start(startResponse: StartResponse, excInfo?: Error): Body {
    try {
      startResponse(formatStatus(this.status), this.headers, excInfo);
    } catch (error) {
      this.close();
      throw error;
    }
    const { content } = this;
    return typeof content === 'string' || content instanceof Uint8Array ? [content] : content;
  }

  /** Closes content that will not be sent, because another response takes the place of this one. */
  close(): void {
    const { content } = this;
    if (typeof content === 'string' || content instanceof Uint8Array) return;
    closeBody(content, undefined, { report: (error) => process.emitWarning(toError(error)) });
  }
}

/** A response with one header, of parts that are known to be right: what the constructor looks at takes it 150 ns. */
export function plainResponse(content: string | Uint8Array, contentType: string): WsgiResponse {
  const response = new WsgiResponse(UNCHECKED);
  response.content = content;
  response.headers = [['Content-Type', contentType]];
  return response;
}

/** A response of parts that are known to be right, uncopied. */
export function uncheckedResponse(
  status: number,
  headers: HeaderPair[],
  content: string | Uint8Array | Body,
): WsgiResponse {
  const response = new WsgiResponse(UNCHECKED);
  response.status = status;
  response.content = content;
  response.headers = headers;
  return response;
}

/** Text is plain text; other content may say itself what it is, as `html` does. */
function findContentType(content: string | Uint8Array | Body): string | undefined {
  if (typeof content === 'string') return content === '' ? undefined : 'text/plain; charset=utf-8';
  return 'contentType' in content && typeof content.contentType === 'string'
    ? content.contentType
    : undefined;
}

function requireText(method: string, name: unknown, value: unknown): void {
  if (typeof name === 'string' && typeof value === 'string') return;
  throw new TypeError(
    `WsgiResponse.${method} takes a header's name and value as text, ('X-Count', '5'); received ${describeValue(name)} and ${describeValue(value)}`,
  );
}

function isIterable(content: unknown): boolean {
  return (
    typeof content === 'object' &&
    content !== null &&
    (Symbol.iterator in content || Symbol.asyncIterator in content)
  );
}

function contentError(content: unknown): TypeError {
  if (isThenable(content)) void own(Promise.resolve(content));
  const remedy = isThenable(content)
    ? 'await it, and give what it gives'
    : content instanceof Response
      ? 'give its body: content: response.body'
      : typeof content === 'object' && content !== null
        ? "content: JSON.stringify(value), contentType: 'application/json'"
        : "content: String(value), or '' for none";
  return new TypeError(
    `WsgiResponse takes as content text, bytes or an iterable of these; received ${describeValue(content)}: ${remedy}`,
  );
}
