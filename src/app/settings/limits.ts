import type { Setting } from '../setting.js';

export const LIMITS = {
  maxRequestLineBytes: {
    kind: 'integer',
    section: 'Limits',
    unit: 'bytes',
    minimum: 64,
    maximum: 1_048_576,
    default: 8192,
    text: 'longest request line; more is 414 (uws: its query counts when it is read)',
    since: '0.1.0',
  },
  maxHeadBytes: {
    kind: 'integer',
    section: 'Limits',
    unit: 'bytes',
    minimum: 1024,
    maximum: 1_048_576,
    default: 16_384,
    text: 'largest request head, line and headers together; more is 431',
    details: 'One value for all uws servers of a process.',
    since: '0.1.0',
  },
  maxHeaderFields: {
    kind: 'integer',
    section: 'Limits',
    minimum: 1,
    maximum: 10_000,
    default: 100,
    text: 'most request headers; more is 431 (uws: 98 at the most)',
    since: '0.1.0',
  },
  maxBodyBytes: {
    kind: 'integer',
    section: 'Limits',
    unit: 'bytes',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    default: 16_777_216,
    text: 'largest request body; more is 413',
    since: '0.1.0',
  },
} as const satisfies Readonly<Record<string, Setting>>;
