import type { ServerConfig, WsgiErrors } from './contract.js';
import type { Logger } from './logger.js';
import { stderrErrors } from './stderr-errors.js';
import { VERSION } from './version.js';

/** What all requests of one server have in common. */
export interface ServerFacts {
  readonly host: string;
  readonly port: string;
  readonly scheme: 'http' | 'https';
  readonly software: string;
  readonly multiprocess: boolean;
  readonly config: ServerConfig;
  readonly logger: Logger;
  readonly errors: WsgiErrors;
  /** Aborts when the server begins to stop. */
  readonly stopping: AbortSignal;
}

/** What must be known of a server; the rest can be taken for granted, until it listens. */
export type KnownFacts = Pick<ServerFacts, 'config' | 'logger' | 'stopping'> & Partial<ServerFacts>;

export function describeServer(known: KnownFacts): ServerFacts {
  const { scheme = 'http' } = known;
  return {
    host: 'localhost',
    port: scheme === 'http' ? '80' : '443',
    scheme,
    software: `vela/${VERSION}`,
    multiprocess: false,
    errors: stderrErrors,
    ...known,
  };
}
