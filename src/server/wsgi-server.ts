import type { Actor } from '../actors/actor.js';
import { describeReach, formatUrl } from '../app/address.js';
import { Application, type ApplicationOptions } from '../app/application.js';
import type { Inheritance } from '../app/application-part.js';
import type { NamedLoggers } from '../app/create-logger.js';
import { Recycling } from '../app/recycling.js';
import type { ServerOptions } from '../app/server-options.js';
import { SETTINGS } from '../app/settings.js';
import type { App } from '../core/contract.js';
import { resolveCallable } from '../core/parts.js';
import { openExecutors } from '../executor/open-executors.js';
import type { ListenAddress, Sharing } from '../gateway/gateway.js';
import type { ClaimedAddresses } from './claim-addresses.js';
import { type AddressShare, type Server, startServer } from './start-server.js';
import { warnResets } from './warn-resets.js';

/** Options of a {@link WsgiServer}. */
export interface WsgiServerOptions
  extends ServerOptions,
    Pick<ApplicationOptions, 'name' | 'prefix' | 'hooks'> {}

/** What a worker is told of where it serves. */
interface WorkerFacts {
  readonly gateway: 'uws' | 'node';
  readonly share: AddressShare;
}

/** How long a worker that was replaced keeps connections without a request, in ms. */
const IDLE_MS = 1000;
/** The first of a process's descriptors that its maker chooses: before it are the standard ones and the channel. */
const FIRST_DESCRIPTOR = 4;

/**
 * A server as a script's last line: it reads the command line, the environment and the config file, serves from worker
 * processes, says when it is ready, and stops on signals. Its name is `wsgi`, unless it is given one, or a prefix.
 * @example await new WsgiServer(app, { bind: ':8060', workers: 4 }).start()
 */
export class WsgiServer extends Application {
  readonly #app: App;
  #claimed: ClaimedAddresses | undefined;
  #server: Server | undefined;
  /** How many were begun in this process. */
  #requests = 0;

  /** @throws {ImproperlyConfigured} for wrong options */
  constructor(app: App, options: WsgiServerOptions = {}) {
    const isNamed = typeof options !== 'object' || options === null || options.prefix !== undefined;
    super(isNamed ? options : { name: 'wsgi', ...options }, SETTINGS);
    this.#app = app;
  }

  /** Where it can be reached: `http://127.0.0.1:8060`, or `unix:/path`; of several addresses the first. */
  get url(): string {
    return this.urls[0] as string;
  }

  /** The same for all of its addresses. */
  get urls(): readonly string[] {
    const scheme = this.settings.tls === undefined ? 'http' : 'https';
    return this.addresses.map((address) => formatUrl(address, scheme));
  }

  /** Its addresses, with the port that was picked where 0 was asked for, in the order of the option `bind`. */
  get addresses(): readonly ListenAddress[] {
    return this.#server?.addresses ?? this.#claimed?.addresses ?? this.notStarted('addresses');
  }

  /** Name of the gateway that serves. */
  get gateway(): 'uws' | 'node' {
    return this.#server?.gateway ?? this.#claimed?.gateway ?? this.notStarted('a gateway');
  }

  override async workerStart(worker: Actor): Promise<void> {
    const { settings } = this;
    if (worker.isMonitor()) {
      this.#server = await startServer(this.#app, settings, { worked: () => this.#requests++ });
      return;
    }
    const { gateway, share } = worker.config as typeof worker.config & WorkerFacts;
    const recycling = new Recycling(worker, settings);
    const worked = () => recycling.worked(++this.#requests);
    this.#server = await startServer(this.#app, { ...settings, gateway }, { share, worked });
  }

  override async workerStop(worker: Actor): Promise<void> {
    // Where others serve already, clients have time to find out.
    await this.#server?.close({ idleMs: worker.isRetired() ? IDLE_MS : 0 });
  }

  override workerInfo(): object {
    return {
      connections: this.#server?.connections ?? 0,
      requests: this.#requests,
      executors: openExecutors().map((executor) => executor.metrics()),
    };
  }

  protected override async prepare(loggers: NamedLoggers): Promise<Inheritance> {
    // What is no application is told here, once.
    resolveCallable(this.#app, 'The application');
    const { settings } = this;
    if (settings.workers === 0) return super.prepare(loggers);
    const { claimAddresses } = await import('./claim-addresses.js');
    const claimed = await claimAddresses(settings, loggers.named('vela.server'));
    this.#claimed = claimed;
    if (claimed.gateway === 'uws' && settings.workers > 1) warnResets(loggers.named('vela.server'));
    const { addresses, gateway, descriptors } = claimed;
    const sharing: Sharing[] = addresses.map((_address, at) => ({
      descriptor: descriptors[at] === undefined ? undefined : FIRST_DESCRIPTOR + at,
    }));
    return { config: { gateway, share: { addresses, sharing } } satisfies WorkerFacts, descriptors };
  }

  protected override describe(): { where: string; how: readonly string[] } {
    const where = this.addresses.map((address, at) => `${this.urls[at]}${describeReach(address)}`);
    return { where: `on ${where.join(' and ')}`, how: [this.gateway] };
  }

  protected override workersReady(): void {
    this.#claimed?.taken();
  }

  protected override async release(): Promise<void> {
    this.#claimed?.release();
  }
}
