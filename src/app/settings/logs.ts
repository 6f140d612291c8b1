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
  logFile: {
    kind: 'output',
    section: 'Logs',
    text: 'file that the log is appended to, in place of standard error',
    details: 'Its folder must be there.',
    since: '0.1.0',
  },
  logConfig: {
    kind: 'file',
    section: 'Logs',
    text: 'JSON or JS file with more options of the log, such as redact and transport',
    details: '[Logs](logs.md) lists them.',
    since: '0.1.0',
  },
  accessLog: {
    kind: 'output',
    section: 'Logs',
    takesStdout: true,
    text: 'file that a line for each request is appended to; - is standard output',
    details: 'The application needs no `accessLog()` for it.',
    since: '0.1.0',
  },
  accessLogFormat: {
    kind: 'accessFormat',
    section: 'Logs',
    default: 'combined',
    text: "common, combined, json, or a format of gunicorn's",
    details: 'Of `accessLog`; those of the middleware have their own.',
    since: '0.1.0',
  },
} as const satisfies Readonly<Record<string, Setting>>;
