import type { Logger } from '../core/logger.js';
import { packError, unpackError } from '../core/wire-error.js';
import { packValue, unpackValue } from '../core/wire-value.js';
import type { ActorProxy } from './actor-proxy.js';
import { type Frame, LOG, type LogLevel, type WireDetail } from './wire.js';

/** Writes what an actor logs to the arbiter's log, with the name of the actor. */
export class LogRelay {
  readonly #logger: Logger;
  readonly #actor: ActorProxy;

  constructor(logger: Logger, actor: ActorProxy) {
    this.#logger = logger;
    this.#actor = actor;
  }

  write([, level, details, message]: Extract<Frame, [typeof LOG, ...unknown[]]>): void {
    const pairs = details.map(([key, value, error]) => [
      key,
      error === undefined ? value && unpackValue(value) : unpackError(error),
    ]);
    this.#logger[level]({ actor: this.#actor.name, ...Object.fromEntries(pairs) }, message);
  }
}

/** The logger of an actor in a process or thread. */
export function createRelayedLogger(tell: (frame: Frame) => void): Logger {
  const write = (level: LogLevel) => (details: object, message: string) => {
    tell([LOG, level, Object.keys(details).map((key) => packDetail(details, key)), String(message)]);
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

/** Whatever it is: a line must not fail for what it tells. */
function packDetail(details: object, key: string): WireDetail {
  try {
    const value: unknown = Reflect.get(details, key);
    if (value instanceof Error) return [key, undefined, packError(value)];
    return [key, packValue(value) ?? [String(value)], undefined];
  } catch {
    return [key, ['(cannot be shown)'], undefined];
  }
}
