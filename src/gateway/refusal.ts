import type { HeaderPair } from '../core/contract.js';

/** A request that a gateway refuses before the application sees it. */
export interface Refusal {
  readonly status: string;
  readonly message: string;
  /** It is clear where the request ends. */
  readonly isFramingClear: boolean;
}

export const REFUSE_FRAMING = refusal(
  '400 Bad Request',
  'The request says in no single way how long its body is.',
  false,
);
export const REFUSE_HOST = refusal('400 Bad Request', 'A request has one Host header.', false);
export const REFUSE_METHOD_SYNTAX = refusal('400 Bad Request', 'The method is not a token.', false);
export const REFUSE_METHOD = refusal('501 Not Implemented', 'The method is not known here.', true);
export const REFUSE_VERSION = refusal(
  '505 HTTP Version Not Supported',
  'HTTP/1.0 and HTTP/1.1 are spoken here.',
  false,
);
export const REFUSE_LINE = refusal('414 URI Too Long', 'The request line is too long.', true);
export const REFUSE_FIELDS = refusal(
  '431 Request Header Fields Too Large',
  'The request has too many headers.',
  true,
);
export const REFUSE_BODY = refusal('413 Payload Too Large', 'The request body is too large.', true);

export const REFUSAL_HEADERS: readonly HeaderPair[] = [['Content-Type', 'text/plain; charset=utf-8']];

function refusal(status: string, message: string, isFramingClear: boolean): Refusal {
  return { status, message: `${message}\n`, isFramingClear };
}
