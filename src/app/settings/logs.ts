import { LOG_FORMATS } from '../log-levels.js';
import type { Setting } from '../setting.js';

export const LOGS = {
  logLevel: {
    kind: 'levels',
    section: 'Logs',
    default: 'info',
    text: 'least important log lines that are written, of all or of a namespace: warn vela.access:info',
    details: 'One level for all, and others for namespaces: [logs](logs.md).',
    since: '0.1.0',
  },
  logFormat: {
    kind: 'choice',
    section: 'Logs',
    choices: LOG_FORMATS,
    default: 'auto',
    text: 'log lines for people, or one JSON object a line; auto is text on a terminal, else JSON',
    since: '0.1.0',
  },
} as const satisfies Readonly<Record<string, Setting>>;
