import type { HeaderPair } from '../core/contract.js';
import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import { WsgiResponse } from '../core/wsgi-response.js';
import { json } from '../response/json.js';

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
  return new Reply(status, value, headers);
}

/** The response that a reply stands for. */
export function toResponse({ status, value, headers }: Reply): WsgiResponse {
  return value === undefined ? new WsgiResponse({ status, headers }) : json(value, { status, headers });
}
