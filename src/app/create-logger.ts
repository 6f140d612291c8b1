import { pino } from 'pino';
import { formatError, ImproperlyConfigured, toError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { watchErrors } from '../middleware/stream-errors.js';
import type { LogConfig } from './log-config.js';
import { type LogFormat, type LogRules, levelOf } from './log-levels.js';
import { LogOutput } from './log-output.js';
import { startTransport } from './log-transport.js';
import { formatText } from './text-log.js';

/** A logger with loggers of namespaces below it. */
export interface NamedLoggers extends Logger {
  named(namespace: string): Logger;
}

/** Where a log's lines go. */
interface LineSink {
  write(line: string): void;
}

/**
 * The loggers of a server.
 * @param output - a log file; standard error without one
 * @throws {ImproperlyConfigured} for options that pino refuses
 */
export function createLogger(
  rules: LogRules,
  format: LogFormat,
  output?: LogOutput,
  config: LogConfig = {},
): NamedLoggers {
  const isText = isTextLog(format, output);
  // An error of a stream that nobody hears ends the process: `wsgi.errors` writes to it, too.
  watchErrors(process.stderr, ignore);
  const sink = isText ? textSink(output) : (output ?? openStderr());
  const root = makeRoot(
    { ...config, ...(isText && { messageKey: 'msg' }) },
    isText,
    levelOf(rules, 'vela'),
    sink,
  );
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
export function isTextLog(format: LogFormat, output?: LogOutput | string): boolean {
  return format === 'text' || (format === 'auto' && output === undefined && process.stderr.isTTY === true);
}

function makeRoot(config: LogConfig, isText: boolean, level: string, sink: LineSink): pino.Logger {
  const { redact, serializers, mixin, transport, timestamp, messageKey = 'msg', base, formatters } = config;
  const options: pino.LoggerOptions = {
    level,
    base: null,
    errorKey: 'err',
    messageKey,
    mixin: addPid(mixin),
    ...(redact !== undefined && { redact }),
    ...(serializers !== undefined && { serializers }),
  };
  if (isText) options.serializers = { ...serializers, err: serializeStack };
  else {
    if (base !== undefined) Object.assign(options, { base, mixin });
    if (formatters !== undefined) options.formatters = formatters;
    if (timestamp !== undefined) options.timestamp = findTimestamp(timestamp);
  }
  try {
    return pino(options, transport === undefined ? sink : both(sink, startTransport(transport)));
  } catch (cause) {
    throw new ImproperlyConfigured(`Option "logConfig" has what pino refuses: ${toError(cause).message}`, {
      cause,
    });
  }
}

/** Not as what each line has, as those of workers say whose they are: pino would write both. */
function addPid(mixin: LogConfig['mixin']): NonNullable<LogConfig['mixin']> {
  const { pid } = process;
  return mixin === undefined ? () => ({ pid }) : (...line) => ({ pid, ...mixin(...line) });
}

function both(one: LineSink, other: LineSink): LineSink {
  return {
    write(line) {
      one.write(line);
      other.write(line);
    },
  };
}

/** Lines for people; on a terminal in colours. */
function textSink(output: LogOutput | undefined): LineSink {
  if (output !== undefined) return { write: (json) => void output.write(formatText(json, false)) };
  return {
    write(json) {
      const { stderr } = process;
      stderr.write(formatText(json, stderr.isTTY === true && stderr.hasColors()));
    },
  };
}

function ignore(): void {}

/** There is no place to tell that standard error fails, but in it, later. */
function openStderr(): LogOutput {
  return new LogOutput('standard error', undefined, { failed() {}, recovered() {} });
}

function findTimestamp(timestamp: NonNullable<LogConfig['timestamp']>): () => string {
  if (typeof timestamp === 'function') return timestamp;
  return timestamp === 'iso' ? pino.stdTimeFunctions.isoTime : pino.stdTimeFunctions.epochTime;
}

function serializeStack(error: unknown): { stack: string } {
  return { stack: formatError(toError(error)) };
}
