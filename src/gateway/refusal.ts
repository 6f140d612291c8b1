import type { HeaderPair } from '../core/contract.js';

/** A request that a gateway refuses before the application sees it. */
export interface Refusal {
  readonly status: string;
  readonly message: string;
}

export const REFUSE_FRAMING = refusal(
  '400 Bad Request',
  'The request says in no single way how long its body is.',
);
export const REFUSE_HOST = refusal('400 Bad Request', 'A request has one Host header.');
export const REFUSE_HOST_VALUE = refusal('400 Bad Request', 'The header Host has no valid host.');
export const REFUSE_TARGET = refusal(
  '400 Bad Request',
  'The request target is neither a path nor a URL of http or https.',
);
export const REFUSE_METHOD_SYNTAX = refusal('400 Bad Request', 'The method is not a token.');
export const REFUSE_METHOD = refusal('501 Not Implemented', 'The method is not known here.');
export const REFUSE_VERSION = refusal(
  '505 HTTP Version Not Supported',
  'HTTP/1.0 and HTTP/1.1 are spoken here.',
);
export const REFUSE_LINE = refusal('414 URI Too Long', 'The request line is too long.');
export const REFUSE_FIELDS = refusal(
  '431 Request Header Fields Too Large',
  'The request has too many headers.',
);
export const REFUSE_BODY = refusal('413 Payload Too Large', 'The request body is too large.');

export const REFUSAL_HEADERS: readonly HeaderPair[] = [['Content-Type', 'text/plain; charset=utf-8']];

function refusal(status: string, message: string): Refusal {
  return { status, message: `${message}\n` };
}

/** How long a client that was refused may go on sending before its connection ends: it would not read the refusal else. */
export const LINGER_MS = 1000;
