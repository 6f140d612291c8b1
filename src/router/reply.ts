import type { HeaderPair } from '../core/contract.js';
import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import { WsgiResponse } from '../core/wsgi-response.js';
import { json } from '../response/json.js';

/** Statuses of responses without content (RFC 9110 §15.3.5, §15.3.6, §15.4.5). */
const EMPTY: readonly number[] = [204, 205, 304];

/** A status with a value for JSON, or with none; a route with `response` holds it against the schema of the status. */
export class Reply<Status extends number = number, Value = unknown> {
  readonly status: Status;
  readonly value: Value;
  readonly headers: readonly HeaderPair[];

  /** Use {@link reply}. */
  constructor(status: Status, value: Value, headers: readonly HeaderPair[]) {
    this.status = status;
    this.value = value;
    this.headers = headers;
  }
}

/** What a {@link reply} may have beside its value. */
export interface ReplyOptions {
  headers?: readonly HeaderPair[];
}

/**
 * What a route's handler returns for another status than that of a bare value.
 * @param value - sent as JSON; undefined for a response without content
 * @throws {TypeError} for a status that is none
 * @example return reply(201, user, { headers: [['Location', `/users/${user.id}`]] });
 */
export function reply<const Status extends number>(
  status: Status,
  value?: undefined,
  options?: ReplyOptions,
): Reply<Status, undefined>;
export function reply<const Status extends number, Value>(
  status: Status,
  value: Value,
  options?: ReplyOptions,
): Reply<Status, Value>;
export function reply(status: number, value?: unknown, options: ReplyOptions = {}): Reply {
  const { headers = [], ...unknown } = requireOptions('reply', options);
  refuseUnknown('reply', unknown, ['headers']);
  if (!Number.isInteger(status) || status < 200 || status > 599)
    throw new TypeError(`reply() takes a status from 200 to 599; received ${describeValue(status)}`);
  return new Reply(status, value, requirePairs(headers));
}

function requirePairs(headers: unknown): readonly HeaderPair[] {
  const isPair = (pair: unknown) =>
    Array.isArray(pair) && pair.length === 2 && pair.every((text) => typeof text === 'string');
  if (Array.isArray(headers) && headers.every(isPair)) return headers as HeaderPair[];
  throw new TypeError(
    `Option "headers" of reply must be an array of pairs of text, [['Location', '/x']]; received ${describeValue(headers)}`,
  );
}

/** The response that a reply stands for. @throws {TypeError} for a value with a status that has no content */
export function toResponse({ status, value, headers }: Reply): WsgiResponse {
  const isEmpty = EMPTY.includes(status);
  if (value === undefined) {
    const response = new WsgiResponse({ status, headers });
    return isEmpty ? response : response.setHeader('Content-Length', '0');
  }
  if (!isEmpty) return json(value, { status, headers });
  throw new TypeError(
    `reply() takes no value for ${status}, which has no content; received ${describeValue(value)}`,
  );
}
