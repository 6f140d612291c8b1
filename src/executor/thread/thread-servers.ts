import type { AppFunction, StartContext } from '../../core/contract.js';
import { toError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { ServerFacts } from '../../core/server-facts.js';
import type { Service } from '../../core/service.js';
import { stderrErrors } from '../../core/stderr-errors.js';
import type { Transport } from '../../core/transport.js';
import { WaitQueue } from '../../core/wait-queue.js';
import { WidestLimits } from '../../core/websocket-limits.js';
import type { FromThread, WireFacts } from '../wire.js';
import type { ThreadCall } from './thread-call.js';
import { createThreadLogger } from './thread-logger.js';

/** Time limits are the server's: nothing ends by itself here. */
const WITHOUT_END = new WaitQueue(Number.POSITIVE_INFINITY);

/** The servers whose requests the thread gets, by number. */
export class ThreadServers {
  readonly #transport: Transport<ThreadCall>;
  readonly #post: (entry: FromThread) => void;
  readonly #servers: ({ readonly facts: ServerFacts; readonly stopper: AbortController } | undefined)[] = [];

  constructor(transport: Transport<ThreadCall>, post: (entry: FromThread) => void) {
    this.#transport = transport;
    this.#post = post;
  }

  add(index: number, { isStopping, ...shared }: WireFacts): void {
    const stopper = new AbortController();
    if (isStopping) stopper.abort();
    const logger: Logger = createThreadLogger(index, this.#post);
    this.#servers[index] = {
      facts: { ...shared, logger, errors: stderrErrors, stopping: stopper.signal },
      stopper,
    };
  }

  stop(index: number): void {
    this.#servers[index]?.stopper.abort();
  }

  /** What parts are started with. */
  context(index: number): StartContext | undefined {
    const facts = this.#servers[index]?.facts;
    if (facts === undefined) return undefined;
    const { config, logger, stopping } = facts;
    // There are no WebSockets in threads, so nobody looks at this.
    return { config, logger, stopping, webSockets: new WidestLimits() };
  }

  /** For one request. */
  service(index: number, app: AppFunction): Service<ThreadCall> {
    const server = this.#servers[index];
    if (server === undefined) throw new Error('This server was never introduced');
    return {
      app,
      headers: undefined,
      facts: server.facts,
      transport: this.#transport,
      waits: WITHOUT_END,
      stalls: WITHOUT_END,
      isDraining: false,
    };
  }

  /** Logs what no request is to blame for. */
  logAny(thrown: unknown): void {
    const error = toError(thrown);
    this.#servers.find((one) => one !== undefined)?.facts.logger.error({ err: error }, error.message);
  }
}
