import type { Setting } from '../setting.js';

export const DEVELOPMENT = {
  debug: {
    kind: 'boolean',
    section: 'Development',
    default: false,
    text: 'show stacks and causes in error pages, and load modules of threads anew when they are saved',
    since: '0.1.0',
  },
} as const satisfies Readonly<Record<string, Setting>>;
