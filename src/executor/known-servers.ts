import type { ServerConfig } from '../core/contract.js';
import { type Logger, nameLogger } from '../core/logger.js';
import type { ServerFacts } from '../core/request-host.js';
import { writeLine } from '../core/wire-log.js';
import { packValue } from '../core/wire-value.js';
import type { FromThread, LOG, WireFacts } from './wire.js';

/** What is known of a server, whether it listens yet or not. */
export type KnownServer = Pick<ServerFacts, 'config' | 'logger' | 'stopping'> & Partial<ServerFacts>;

/** The servers whose requests come to an executor, by number. */
export class KnownServers {
  readonly #servers: KnownServer[] = [];
  /** By the signal that only it has: before it listens, and since. */
  readonly #starting = new WeakMap<AbortSignal, number>();
  /** One for each address that it listens on. */
  readonly #serving = new WeakMap<AbortSignal, number[]>();

  /** @param onStopping - called once when the server begins to stop */
  number(server: KnownServer, onStopping: (index: number) => void): number {
    const known = this.#find(server);
    if (known !== undefined) return known;
    const index = this.#servers.push(server) - 1;
    if (server.host === undefined) this.#starting.set(server.stopping, index);
    else this.#serving.set(server.stopping, [...(this.#serving.get(server.stopping) ?? []), index]);
    server.stopping.addEventListener('abort', () => onStopping(index), { once: true });
    return index;
  }

  #find({ host, port, stopping }: KnownServer): number | undefined {
    if (host === undefined) return this.#starting.get(stopping);
    return this.#serving.get(stopping)?.find((index) => {
      const known = this.#servers[index] as KnownServer;
      return known.port === port && known.host === host;
    });
  }

  describe(index: number): WireFacts {
    const server = this.#servers[index] as KnownServer;
    const {
      host = 'localhost',
      port = '',
      scheme = 'http',
      software = 'vela',
      multiprocess = false,
    } = server;
    const config = Object.freeze(
      Object.fromEntries(Object.entries(server.config).filter(([, value]) => packValue(value) !== undefined)),
    ) as ServerConfig;
    return { host, port, scheme, software, multiprocess, config, isStopping: server.stopping.aborted };
  }

  /** Writes a thread's line to its server's log. */
  log([, index, line]: Extract<FromThread, [typeof LOG, ...unknown[]]>): void {
    const logger = this.#servers[index]?.logger;
    if (logger !== undefined) writeLine(logger, line);
  }

  /** The log of some server, for what concerns all of them. */
  get logger(): Logger | undefined {
    const logger = this.#servers[0]?.logger;
    return logger && nameLogger(logger, 'vela.executor');
  }
}
