import { LONGEST_TIMER_MS } from '../../core/duration.js';
import type { Setting } from '../setting.js';

export const TIMES = {
  requestTimeoutMs: {
    kind: 'integer',
    section: 'Times',
    unit: 'ms',
    minimum: 1,
    maximum: LONGEST_TIMER_MS,
    default: 30_000,
    text: 'longest wait for the application to begin its response; then 504',
    details: 'From the complete request head to `startResponse`; it stands still while body bytes arrive.',
    since: '0.1.0',
  },
  stallTimeoutMs: {
    kind: 'integer',
    section: 'Times',
    unit: 'ms',
    minimum: 1,
    maximum: LONGEST_TIMER_MS,
    default: 120_000,
    text: 'longest time without progress of a response under way; then it is cut',
    since: '0.1.0',
  },
  keepAliveTimeoutMs: {
    kind: 'integer',
    section: 'Times',
    unit: 'ms',
    minimum: 1,
    maximum: LONGEST_TIMER_MS,
    default: 10_000,
    text: 'how long the node gateway keeps an idle connection (uws: about 10 s, fixed)',
    since: '0.1.0',
  },
} as const satisfies Readonly<Record<string, Setting>>;
