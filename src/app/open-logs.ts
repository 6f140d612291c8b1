import type { App, MiddlewareFunction } from '../core/contract.js';
import { toError } from '../core/errors.js';
import { mergeDeclaredHeaders, resolveCallable, startParts, stopParts } from '../core/parts.js';
import { accessLog } from '../middleware/access-log.js';
import { createLogger, type NamedLoggers } from './create-logger.js';
import { loadLogConfig } from './log-config.js';
import { type LogFormat, parseLogLevels } from './log-levels.js';
import { LogOutput, type OutputEvents } from './log-output.js';
import type { ServerOptions } from './server-options.js';

/** The settings that logs are opened from. */
export interface LogSettings
  extends Pick<ServerOptions, 'logFile' | 'accessLog' | 'accessLogFormat' | 'logConfig'> {
  readonly logLevel: NonNullable<ServerOptions['logLevel']>;
  readonly logFormat: LogFormat;
}

/** The logs of a server, open. */
export interface OpenLogs {
  readonly loggers: NamedLoggers;
  /** The application, whose requests are logged as `accessLog` asks for it; the same one where it asks for none. */
  logRequests(app: App): App;
  /** Gives the files to a user, who is to open them again. @throws errors of the system */
  giveTo(uid: number, gid: number): void;
  /** Closes the files, when the application has stopped. Lines that come later go to standard error. Idempotent. */
  close(): void;
}

interface Owned {
  readonly outputs: readonly LogOutput[];
  readonly loggers: NamedLoggers;
}

/** Of this process. */
const open = new Set<Owned>();

/**
 * Opens the logs that settings ask for.
 * @throws {ImproperlyConfigured} for a file that cannot be written, and for what `logConfig` may not have
 */
export async function openLogs(settings: LogSettings): Promise<OpenLogs> {
  const { logLevel, logFormat, logFile, accessLog: accessFile, accessLogFormat, logConfig } = settings;
  const config = logConfig === undefined ? {} : await loadLogConfig('Option "logConfig"', logConfig);
  const outputs: LogOutput[] = [];
  const openFile = (name: string, path: string | undefined, events: OutputEvents): LogOutput | undefined => {
    if (path === undefined) return undefined;
    const output = new LogOutput(name, path, events);
    outputs.push(output);
    return output;
  };
  try {
    const general = openFile('Option "logFile"', logFile, {
      failed: (error) => tellStderr(describeFailure(logFile, error)),
      recovered: (lost) => loggers.named('vela.log').warn({ lost }, describeRecovery(logFile, lost)),
    });
    const loggers = createLogger(parseLogLevels(logLevel), logFormat, general, config);
    const access = openFile('Option "accessLog"', accessFile === '-' ? undefined : accessFile, {
      failed: (err) => loggers.named('vela.log').error({ err }, describeFailure(accessFile, err)),
      recovered: (lost) => loggers.named('vela.log').warn({ lost }, describeRecovery(accessFile, lost)),
    });
    const middleware =
      accessFile === undefined
        ? undefined
        : accessLog({
            destination: access ?? process.stdout,
            ...(accessLogFormat !== undefined && { format: accessLogFormat }),
          });
    const owned: Owned = { outputs, loggers };
    open.add(owned);
    return {
      loggers,
      logRequests: (app) => (middleware === undefined ? app : precede(app, middleware)),
      giveTo(uid, gid) {
        for (const output of outputs) output.giveTo(uid, gid);
      },
      close() {
        if (!open.delete(owned)) return;
        for (const output of outputs) output.close();
      },
    };
  } catch (error) {
    for (const output of outputs) output.close();
    throw error;
  }
}

/** Opens all log files of this process anew, by their names: call it when they were renamed. It never throws. */
export function reopenLogs(): void {
  for (const { outputs, loggers } of open) {
    for (const output of outputs) {
      try {
        output.reopen();
      } catch (error) {
        const err = toError(error);
        loggers
          .named('vela.log')
          .error({ err }, `a log is not opened anew, and goes where it went: ${err.message}`);
      }
    }
  }
}

/** An application with a middleware before it that only looks on. */
function precede(app: App, middleware: MiddlewareFunction): App {
  const call = resolveCallable(app, 'The application');
  const headers = mergeDeclaredHeaders([middleware, app]);
  const logged: App = (environ, startResponse) => {
    void middleware(environ, startResponse);
    return call(environ, startResponse);
  };
  return Object.assign(logged, {
    start: (context: Parameters<NonNullable<App['start']>>[0]) => startParts([middleware, app], context),
    stop: () => stopParts([middleware, app]),
    ...(app.describe !== undefined && { describe: app.describe.bind(app) }),
    ...(headers !== undefined && { headers }),
  });
}

function describeFailure(path: string | undefined, { message }: Error): string {
  return `lines cannot be written to ${path}, and are lost until they can: ${message}`;
}

function describeRecovery(path: string | undefined, lost: number): string {
  return `${lost} lines were lost, as ${path} could not be written`;
}

function tellStderr(message: string): void {
  process.stderr.write(`vela: ${message}\n`);
}
