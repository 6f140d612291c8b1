import type { ServerConfig } from '../core/contract.js';
import { type Logger, nameLogger } from '../core/logger.js';
import { describeServer, type KnownFacts } from '../core/server-facts.js';
import { writeLine } from '../core/wire-log.js';
import { packValue } from '../core/wire-value.js';
import type { FromThread, LOG, WireFacts } from './wire.js';

/** The servers whose requests come to an executor, by number. */
export class KnownServers {
  readonly #servers: KnownFacts[] = [];
  /** By the signal that only it has: before it listens, and since. */
  readonly #starting = new WeakMap<AbortSignal, number>();
  /** One for each address that it listens on. */
  readonly #serving = new WeakMap<AbortSignal, number[]>();

  /** @param onStopping - called once when the server begins to stop */
  number(server: KnownFacts, onStopping: (index: number) => void): number {
    const known = this.#find(server);
    if (known !== undefined) return known;
    const index = this.#servers.push(server) - 1;
    if (server.host === undefined) this.#starting.set(server.stopping, index);
    else this.#serving.set(server.stopping, [...(this.#serving.get(server.stopping) ?? []), index]);
    server.stopping.addEventListener('abort', () => onStopping(index), { once: true });
    return index;
  }

  #find({ host, port, stopping }: KnownFacts): number | undefined {
    if (host === undefined) return this.#starting.get(stopping);
    return this.#serving.get(stopping)?.find((index) => {
      const known = this.#servers[index] as KnownFacts;
      return known.port === port && known.host === host;
    });
  }

  describe(index: number): WireFacts {
    const server = this.#servers[index] as KnownFacts;
    const { host, port, scheme, software, multiprocess } = describeServer(server);
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
