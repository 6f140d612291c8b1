import type { HeaderPair } from '../core/contract.js';

/** A request that a gateway refuses before the application sees it. */
export interface Refusal {
  readonly status: string;
  readonly message: string;
}

export const REFUSE_FRAMING: Refusal = {
  status: '400 Bad Request',
  message: 'The request says in no single way how long its body is.\n',
};
export const REFUSE_METHOD_SYNTAX: Refusal = {
  status: '400 Bad Request',
  message: 'The method is not a token.\n',
};
export const REFUSE_METHOD: Refusal = {
  status: '501 Not Implemented',
  message: 'The method is not known here.\n',
};
export const REFUSE_LINE: Refusal = {
  status: '414 URI Too Long',
  message: 'The request line is too long.\n',
};
export const REFUSE_FIELDS: Refusal = {
  status: '431 Request Header Fields Too Large',
  message: 'The request has too many headers.\n',
};
export const REFUSE_BODY: Refusal = {
  status: '413 Payload Too Large',
  message: 'The request body is too large.\n',
};

export const REFUSAL_HEADERS: readonly HeaderPair[] = [['Content-Type', 'text/plain; charset=utf-8']];
