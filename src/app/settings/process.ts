import type { Setting } from '../setting.js';

export const PROCESS = {
  pidFile: {
    kind: 'output',
    section: 'Process',
    short: 'p',
    text: 'file for the process id; a second server with the same file is refused',
    since: '0.1.0',
  },
} as const satisfies Readonly<Record<string, Setting>>;
