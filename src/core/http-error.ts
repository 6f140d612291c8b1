import type { HeaderPair } from './contract.js';
import { describeValue, refuseUnknown, requireOptions } from './errors.js';
import { findReason } from './status.js';

/** One of several things that are wrong with a request. */
export interface HttpErrorDetail {
  /** Where it is, as a JSON pointer (RFC 6901): in the body, `/items/0/name`, or in what is named first, `/body/items/0`; `''` for the whole. */
  readonly path: string;
  readonly message: string;
}

/** What an HttpError may carry beside its message. */
export interface HttpErrorOptions extends ErrorOptions {
  /** Headers of the error response, after Content-Type. */
  headers?: HeaderPair[];
  /** What is wrong, one by one. The client is shown them: as `details` in JSON, as a list in HTML, as lines in text. */
  details?: readonly HttpErrorDetail[];
}

/**
 * An error that may be told to the client: thrown anywhere in a handler, it becomes the response.
 * @throws {TypeError} for a message that is no text, and for options that it does not have
 * @throws {RangeError} for another status
 * @example throw new HttpError(409, 'somebody else changed it first')
 */
export class HttpError extends Error {
  override readonly name: string = 'HttpError';
  /** The response's status code, 300 to 599. */
  readonly status: number;
  readonly headers: HeaderPair[];
  /** What is wrong, one by one; empty when the message says it all. */
  readonly details: readonly HttpErrorDetail[];

  constructor(status: number, message?: string, options: HttpErrorOptions = {}) {
    if (!Number.isInteger(status) || status < 300 || status > 599) {
      throw new RangeError(
        `${new.target.name} needs a status from 300 to 599; received ${describeValue(status)}`,
      );
    }
    if (message !== undefined && typeof message !== 'string') {
      throw new TypeError(`${new.target.name} takes its message as text; received ${describeValue(message)}`);
    }
    const { headers = [], details = [], ...rest } = checkOptions(new.target.name, options);
    super(message ?? findReason(status), rest);
    this.status = status;
    this.headers = headers;
    this.details = details;
  }
}

function checkOptions(owner: string, options: HttpErrorOptions): HttpErrorOptions {
  const { headers, details = [], cause: _cause, ...unknown } = requireOptions(owner, options);
  refuseUnknown(owner, unknown, ['headers', 'details', 'cause']);
  if (!Array.isArray(details) || !details.every(isDetail)) {
    throw new TypeError(
      `${owner} takes its details as an array of { path, message }, both text; received ${describeValue(details)}`,
    );
  }
  const isPair = (pair: unknown) =>
    Array.isArray(pair) && pair.length === 2 && pair.every((text) => typeof text === 'string');
  if (headers === undefined || (Array.isArray(headers) && headers.every(isPair))) return options;
  throw new TypeError(
    `${owner} takes its headers as an array of pairs of text, [['Retry-After', '60']]; received ${describeValue(headers)}`,
  );
}

function isDetail(detail: unknown): boolean {
  if (typeof detail !== 'object' || detail === null) return false;
  const { path, message } = detail as Partial<HttpErrorDetail>;
  return typeof path === 'string' && typeof message === 'string';
}

/** The options with one more header before theirs. */
function withHeader(owner: string, name: string, value: string, options: HttpErrorOptions): HttpErrorOptions {
  const { headers = [], ...rest } = checkOptions(owner, options);
  return { ...rest, headers: [[name, value], ...headers] };
}

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

/**
 * Not in a URI (RFC 3986 §2), though it comes: spaces, what is not ASCII, and control characters, as a location may be
 * from the request. Encoded they cannot end the header.
 */
const FOREIGN = /[\0- \x7f-\u{10ffff}]+/gu;

/** 302, or another redirect status, to a location; spaces, control characters and what is not ASCII are percent-encoded in the header. */
export class HttpRedirect extends HttpError {
  override readonly name = 'HttpRedirect';
  readonly location: string;

  constructor(location: string, status: 301 | 302 | 303 | 307 | 308 = 302, options: HttpErrorOptions = {}) {
    if (typeof location !== 'string') {
      throw new TypeError(
        `HttpRedirect takes a location such as '/new'; received ${describeValue(location)}`,
      );
    }
    if (!REDIRECTS.includes(status)) {
      throw new RangeError(
        `HttpRedirect needs a status of ${REDIRECTS.join(', ')}; received ${describeValue(status)}`,
      );
    }
    const target = location.replaceAll(FOREIGN, (text) => encodeURIComponent(Buffer.from(text).toString()));
    super(status, undefined, withHeader('HttpRedirect', 'Location', target, options));
    this.location = location;
  }
}

/** 400: the request cannot be understood. */
export class BadRequest extends HttpError {
  override readonly name = 'BadRequest';
  constructor(message?: string, options?: HttpErrorOptions) {
    super(400, message, options);
  }
}

/** 401: credentials are missing or wrong. Give a `WWW-Authenticate` header. */
export class Http401 extends HttpError {
  override readonly name = 'Http401';
  constructor(message?: string, options?: HttpErrorOptions) {
    super(401, message, options);
  }
}

/** 403: understood, and refused. */
export class PermissionDenied extends HttpError {
  override readonly name = 'PermissionDenied';
  constructor(message?: string, options?: HttpErrorOptions) {
    super(403, message, options);
  }
}

/** 404: nothing is there. */
export class Http404 extends HttpError {
  override readonly name = 'Http404';
  constructor(message?: string, options?: HttpErrorOptions) {
    super(404, message, options);
  }
}

/** 405: the path is there, the method is not. */
export class MethodNotAllowed extends HttpError {
  override readonly name = 'MethodNotAllowed';
  /** @param allow - the methods that would do, sent as the Allow header (RFC 9110 §15.5.6) */
  constructor(allow: readonly string[] = [], message?: string, options: HttpErrorOptions = {}) {
    if (!Array.isArray(allow)) {
      throw new TypeError(
        `MethodNotAllowed takes an array of methods, ['GET', 'POST']; received ${describeValue(allow)}`,
      );
    }
    super(405, message, withHeader('MethodNotAllowed', 'Allow', allow.join(', '), options));
  }
}

/** 410: it was there, and will not come back. */
export class HttpGone extends HttpError {
  override readonly name = 'HttpGone';
  constructor(message?: string, options?: HttpErrorOptions) {
    super(410, message, options);
  }
}

/** 413: the body is larger than what is accepted. */
export class PayloadTooLarge extends HttpError {
  override readonly name = 'PayloadTooLarge';
  constructor(message?: string, options?: HttpErrorOptions) {
    super(413, message, options);
  }
}

/** 415: the body's media type is not supported. */
export class Unsupported extends HttpError {
  override readonly name = 'Unsupported';
  constructor(message?: string, options?: HttpErrorOptions) {
    super(415, message, options);
  }
}

/** 422: well-formed, and wrong; `details` say where. */
export class UnprocessableEntity extends HttpError {
  override readonly name = 'UnprocessableEntity';
  constructor(message?: string, options?: HttpErrorOptions) {
    super(422, message, options);
  }
}
