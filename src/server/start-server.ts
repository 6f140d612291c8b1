import { setMaxListeners } from 'node:events';
import { formatUrl, parseAddresses } from '../app/address.js';
import { type OpenLogs, openLogs } from '../app/open-logs.js';
import { resolveIdentity } from '../app/process-identity.js';
import type { ResolvedSettings } from '../app/resolve-settings.js';
import { noteDataStore } from '../channels/data-store.js';
import type { App, ServerConfig } from '../core/contract.js';
import { describeValue, ImproperlyConfigured, refuseUnknown, requireOptions } from '../core/errors.js';
import { resolveCallable, resolveDeclaredHeaders } from '../core/parts.js';
import { tellChannels } from '../core/request-channels.js';
import { describeServer } from '../core/server-facts.js';
import { WaitQueue } from '../core/wait-queue.js';
import { WidestLimits } from '../core/websocket-limits.js';
import type { GatewayService, ListenAddress, Listener, Sharing } from '../gateway/gateway.js';
import { drain } from './drain.js';
import { observe } from './observe.js';
import { openListeners } from './open-listeners.js';

/** What a process that is one of several listens on. */
export interface AddressShare {
  readonly addresses: readonly ListenAddress[];
  /** In their order. */
  readonly sharing: readonly Sharing[];
}

/** What a server's process is to others. */
export interface ProcessRole {
  readonly share?: AddressShare | undefined;
  /** Called for each request. */
  readonly worked?: (() => unknown) | undefined;
}

/** Options of a server's `close`, in ms. */
export interface CloseOptions {
  /** How long requests under way may take. @defaultValue the option `gracefulTimeoutMs` */
  timeoutMs?: number;
  /** How long connections without a request are kept, so that one that is just being sent is answered. @defaultValue 0 */
  idleMs?: number;
}

/** A server that listens in this process. */
export interface Server {
  /** Where it can be reached: `http://127.0.0.1:8060`, or `unix:/path`; of several addresses the first. */
  readonly url: string;
  /** The same for all of its addresses. */
  readonly urls: readonly string[];
  /** The concrete address, with the port that was picked when 0 was asked for; of several the first. */
  readonly address: ListenAddress;
  /** All addresses, in the order of the option `bind`. */
  readonly addresses: readonly ListenAddress[];
  /** Name of the gateway that serves. */
  readonly gateway: 'uws' | 'node';
  /** Open connections, idle ones included. */
  readonly connections: number;
  /**
   * Stops: accepts no more, waits for the requests under way, cuts what is left after `timeoutMs`, stops the
   * application's parts. Idempotent.
   * @throws {AggregateError} when a part's `stop` fails
   */
  close(options?: CloseOptions): Promise<void>;
}

/**
 * Serves an application in this process, with settings that were checked.
 * @param role - of a process that is one of several
 * @returns when it listens on all addresses
 * @throws errors of listening with their `code`; what a part's `start` throws
 */
export async function startServer(
  app: App,
  settings: ResolvedSettings,
  role: ProcessRole = {},
): Promise<Server> {
  resolveCallable(app, 'The application');
  const logs = await openLogs(settings);
  try {
    return await listenWith(logs, app, settings, role);
  } catch (error) {
    logs.close();
    throw error;
  }
}

async function listenWith(
  { loggers, logRequests, giveTo, close: closeLogs }: OpenLogs,
  given: App,
  settings: ResolvedSettings,
  { share, worked }: ProcessRole,
): Promise<Server> {
  const identity = resolveIdentity(settings);
  const addresses = share?.addresses ?? parseAddresses(settings.bind);
  const app = logRequests(given);
  const call = resolveCallable(app, 'The application');
  const headers = resolveDeclaredHeaders(app.headers);
  const stopper = new AbortController();
  // Any number of requests may listen.
  setMaxListeners(0, stopper.signal);
  const facts = describeServer({
    scheme: settings.tls === undefined ? 'http' : 'https',
    multiprocess: share !== undefined,
    config: hideSecrets(settings),
    logger: loggers.named('vela.wsgi'),
    stopping: stopper.signal,
  });
  const webSockets = new WidestLimits();
  noteDataStore(settings.dataStore);
  const service: GatewayService = {
    app: tellChannels(worked === undefined ? call : observe(call, worked)),
    headers,
    facts,
    waits: new WaitQueue(settings.requestTimeoutMs),
    stalls: new WaitQueue(settings.stallTimeoutMs),
    isDraining: false,
    webSockets,
  };
  await app.start?.({ config: facts.config, logger: facts.logger, stopping: facts.stopping, webSockets });
  const opened = await openListeners(
    service,
    settings,
    addresses,
    loggers.named('vela.server'),
    share?.sharing,
  ).catch(async (error: unknown) => {
    await app.stop?.();
    throw error;
  });
  const { listeners, gateway } = opened;
  const { owner } = identity;
  if (owner !== undefined) giveTo(owner.uid, owner.gid);
  const concrete = listeners.map(({ address }) => address);
  const urls = concrete.map((address) => formatUrl(address, facts.scheme));
  for (const one of concrete) if ('path' in one) identity.give(one.path);
  let closing: Promise<void> | undefined;
  return {
    url: urls[0] as string,
    urls,
    address: concrete[0] as ListenAddress,
    addresses: concrete,
    gateway,
    get connections() {
      return countConnections(listeners);
    },
    async close(closeOptions = {}) {
      const given = requireOptions('close', closeOptions);
      const { timeoutMs = settings.gracefulTimeoutMs, idleMs = 0, ...unknown } = given;
      refuseUnknown('close', unknown, ['timeoutMs', 'idleMs']);
      for (const [name, ms] of Object.entries({ timeoutMs, idleMs }))
        if (!Number.isFinite(ms) || ms < 0)
          throw new ImproperlyConfigured(
            `Option "${name}" must be a number of milliseconds; received ${describeValue(ms)}`,
          );
      stopper.abort();
      closing ??= drain(opened, timeoutMs, idleMs)
        .then(() => app.stop?.())
        .finally(closeLogs);
      return closing;
    },
  };
}

function countConnections(listeners: readonly Listener[]): number {
  return listeners.reduce((sum, { connections }) => sum + connections, 0);
}

/** What handlers may see: not where the keys are, nor how they open. */
function hideSecrets({ tls: _tls, ...visible }: ResolvedSettings): ServerConfig {
  return Object.freeze(visible);
}
