import { pino } from 'pino';
import { formatError, toError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { type LogFormat, type LogRules, levelOf } from './log-levels.js';
import { writeText } from './text-log.js';

/** A logger with loggers of namespaces below it. */
export interface NamedLoggers extends Logger {
  named(namespace: string): Logger;
}

/** The loggers of a server, which write to standard error. */
export function createLogger(rules: LogRules, format: LogFormat): NamedLoggers {
  const options = { level: levelOf(rules, 'vela'), base: { pid: process.pid }, errorKey: 'err' };
  const root = isTextLog(format)
    ? pino({ ...options, serializers: { err: serializeStack } }, { write: writeText })
    : pino(options, pino.destination({ dest: 2, sync: true }));
  const known = new Map<string, Logger>();
  return Object.assign(root, {
    named(namespace: string): Logger {
      let logger = known.get(namespace);
      if (logger === undefined) {
        logger = root.child<never>({ logger: namespace }, { level: levelOf(rules, namespace) });
        known.set(namespace, logger);
      }
      return logger;
    },
  });
}

/** Whether lines are for people. */
export function isTextLog(format: LogFormat): boolean {
  return format === 'text' || (format === 'auto' && process.stderr.isTTY === true);
}

function serializeStack(error: unknown): { stack: string } {
  return { stack: formatError(toError(error)) };
}
