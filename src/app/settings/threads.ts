import type { Setting } from '../setting.js';

export const THREADS = {
  threadWorkers: {
    kind: 'integer',
    section: 'Threads',
    minimum: 1,
    maximum: 1024,
    default: 5,
    text: 'most threads for handlers that block, made as they are needed',
    details:
      'They belong to the pool that `middlewareInExecutor` and `offload` share: [executor](executor.md).',
    since: '0.1.0',
  },
} as const satisfies Readonly<Record<string, Setting>>;
