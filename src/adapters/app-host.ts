import { setMaxListeners } from 'node:events';
import { type ResolvedSettings, resolveSettings } from '../app/resolve-settings.js';
import type { ServerOptions } from '../app/server-options.js';
import type { App, AppFunction, Middleware } from '../core/contract.js';
import { refuseUnknown, requireOptions } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { resolveCallable, resolveDeclaredHeaders } from '../core/parts.js';
import { tellChannels } from '../core/request-channels.js';
import { describeServer } from '../core/server-facts.js';
import type { Service } from '../core/service.js';
import { stderrLogger } from '../core/stderr-logger.js';
import type { Transport } from '../core/transport.js';
import { WaitQueue } from '../core/wait-queue.js';
import { WidestLimits } from '../core/websocket-limits.js';
import { drain } from '../server/drain.js';

/** Options of an application in another server: those of Vela's that make sense there, and where its log goes. */
export interface HostOptions
  extends Pick<
    ServerOptions,
    | 'debug'
    | 'requestTimeoutMs'
    | 'stallTimeoutMs'
    | 'maxBodyBytes'
    | 'maxRequestLineBytes'
    | 'threadWorkers'
    | 'gracefulTimeoutMs'
  > {
  /** Takes log lines. @defaultValue warnings and errors go to standard error */
  logger?: Logger;
}

const SETTINGS = [
  'debug',
  'requestTimeoutMs',
  'stallTimeoutMs',
  'maxBodyBytes',
  'maxRequestLineBytes',
  'threadWorkers',
  'gracefulTimeoutMs',
] as const;

/** The lifetime that an application has within another server. */
export interface HostedPart {
  /** Starts the application's parts; else the first request does. */
  start(): Promise<void>;
  /**
   * Refuses further requests with 503, waits for those under way for `gracefulTimeoutMs` at the most, cuts what is left, and
   * stops the application's parts.
   */
  stop(): Promise<void>;
}

/** What a server is to an application that runs in another one. */
export class AppHost implements HostedPart {
  readonly config: ResolvedSettings;
  readonly #app: App | Middleware;
  readonly #call: AppFunction;
  readonly logger: Logger;
  readonly #stopper = new AbortController();
  readonly #waits: WaitQueue;
  readonly #stalls: WaitQueue;
  readonly #services: Service<never>[] = [];
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  isStarted = false;

  /** @throws {TypeError} for what is no application; {@link ImproperlyConfigured} for wrong options */
  constructor(owner: string, app: App | Middleware, options: HostOptions) {
    const { logger = stderrLogger, ...settings } = requireOptions(owner, options);
    const others = Object.entries(settings).filter(
      ([name]) => !(SETTINGS as readonly string[]).includes(name),
    );
    refuseUnknown(owner, Object.fromEntries(others), [...SETTINGS, 'logger']);
    this.#call = tellChannels(resolveCallable(app as App, `What ${owner}() is given`));
    this.config = resolveSettings(settings);
    this.#app = app;
    this.logger = logger;
    this.#waits = new WaitQueue(this.config.requestTimeoutMs);
    this.#stalls = new WaitQueue(this.config.stallTimeoutMs);
    // Any number of requests may listen.
    setMaxListeners(0, this.#stopper.signal);
  }

  /** What requests of a scheme are served with. */
  serve<R>(transport: Transport<R>, scheme: 'http' | 'https'): Service<R> {
    const service: Service<R> = {
      app: this.#call,
      headers: resolveDeclaredHeaders(this.#app.headers),
      facts: describeServer({
        scheme,
        config: this.config,
        logger: this.logger,
        stopping: this.#stopper.signal,
      }),
      transport,
      waits: this.#waits,
      stalls: this.#stalls,
      isDraining: false,
    };
    this.#services.push(service);
    return service;
  }

  get isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  /** Once it stops it starts no more. */
  start(): Promise<void> {
    if (this.#starting === undefined && this.isStopping) return Promise.resolve();
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    const { config } = this;
    const context = {
      config,
      logger: this.logger,
      stopping: this.#stopper.signal,
      webSockets: new WidestLimits(),
    };
    await this.#app.start?.(context);
    this.isStarted = true;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#stopper.abort();
    // Whoever started it is told why it did not start.
    await this.#starting?.catch(() => {});
    await drain({ listeners: [], services: this.#services }, this.config.gracefulTimeoutMs);
    if (this.isStarted) await this.#app.stop?.();
  }
}
