import type { Setting } from '../setting.js';

export const DEVELOPMENT = {
  debug: {
    kind: 'boolean',
    section: 'Development',
    default: false,
    text: 'show stacks and causes in error pages, and load modules of threads anew when they are saved',
    since: '0.1.0',
  },
  reload: {
    kind: 'boolean',
    section: 'Development',
    default: false,
    text: 'start anew when a source file has changed',
    since: '0.1.0',
  },
  reloadPath: {
    kind: 'folders',
    section: 'Development',
    text: 'folders that are watched for it, with those below; by default the working directory',
    since: '0.1.0',
  },
} as const satisfies Readonly<Record<string, Setting>>;
