import { setMaxListeners } from 'node:events';
import { formatUrl, parseAddress } from '../app/address.js';
import type { ServerOptions } from '../app/server-options.js';
import { type ResolvedSettings, resolveSettings } from '../app/settings.js';
import { createLogger } from '../app/text-logger.js';
import type { App, ServerConfig, WsgiErrors } from '../core/contract.js';
import {
  describeValue,
  ImproperlyConfigured,
  refuseUnknown,
  requireOptions,
  VelaError,
} from '../core/errors.js';
import type { Exchange } from '../core/exchange.js';
import type { Logger } from '../core/logger.js';
import { resolveCallable, resolveDeclaredHeaders } from '../core/parts.js';
import { tellChannels } from '../core/request-channels.js';
import type { ServerFacts } from '../core/request-host.js';
import { VERSION } from '../core/version.js';
import { WaitQueue } from '../core/wait-queue.js';
import type { GatewayService, ListenAddress, Listener } from '../gateway/gateway.js';
import { explainListenError } from '../gateway/listen-error.js';

/** How often a stopping server looks whether its requests have ended. */
const DRAIN_CHECK_MS = 10;
/** How long connections have to take the last bytes, and requests that were cut to clean up. */
const LINGER_MS = 100;

/** A server that listens in this process. */
export interface Server {
  /** Where it can be reached: `http://127.0.0.1:8060`, or `unix:/path`. */
  readonly url: string;
  /** The concrete address, with the port that was picked when 0 was asked for. */
  readonly address: ListenAddress;
  /** Name of the gateway that serves. */
  readonly gateway: 'uws' | 'node';
  /** Open connections, idle ones included. */
  readonly connections: number;
  /**
   * Stops: accepts no more, waits for the requests under way, cuts what is left after `timeoutMs`, stops the
   * application's parts. Idempotent.
   * @throws {AggregateError} when a part's `stop` fails
   */
  close(options?: { timeoutMs?: number }): Promise<void>;
}

/**
 * Serves an application in this process.
 * @returns when it listens
 * @throws {ImproperlyConfigured} for wrong options; errors of listening with their `code`; what a part's `start` throws
 * @example const server = await serve(app, { bind: '127.0.0.1:8060' })
 */
export async function serve(app: App, options: ServerOptions = {}): Promise<Server> {
  const settings = resolveSettings(options);
  const logger = createLogger(settings.logLevel, settings.logFormat);
  const address = parseAddress(settings.bind);
  const call = resolveCallable(app, 'The application');
  const headers = resolveDeclaredHeaders(app.headers);
  const stopper = new AbortController();
  // Any number of requests may listen.
  setMaxListeners(0, stopper.signal);
  const facts = describeServer(settings, logger, stopper.signal);
  const service: GatewayService = {
    app: tellChannels(call),
    headers,
    facts,
    waits: new WaitQueue(settings.requestTimeoutMs),
    stalls: new WaitQueue(settings.stallTimeoutMs),
    isDraining: false,
  };
  await app.start?.({ config: facts.config, logger, stopping: facts.stopping });
  let opened: { listener: Listener; gateway: 'uws' | 'node' };
  try {
    opened = await listen(service, settings, address, logger);
  } catch (error) {
    await app.stop?.();
    throw explainListenError(error, address);
  }
  const { listener, gateway } = opened;
  if (!('path' in listener.address))
    Object.assign(facts, { host: listener.address.host, port: String(listener.address.port) });
  let closing: Promise<void> | undefined;
  return {
    url: formatUrl(listener.address, facts.scheme),
    address: listener.address,
    gateway,
    get connections() {
      return listener.connections;
    },
    async close(closeOptions = {}) {
      const { timeoutMs = settings.gracefulTimeoutMs, ...unknown } = requireOptions('close', closeOptions);
      refuseUnknown('close', unknown, ['timeoutMs']);
      if (!Number.isFinite(timeoutMs) || timeoutMs < 0) {
        throw new ImproperlyConfigured(
          `Option "timeoutMs" must be a number of milliseconds; received ${describeValue(timeoutMs)}`,
        );
      }
      stopper.abort();
      closing ??= drain(service, listener, timeoutMs).then(() => app.stop?.());
      return closing;
    },
  };
}

async function listen(
  service: GatewayService,
  settings: ResolvedSettings,
  address: ListenAddress,
  logger: Logger,
): Promise<{ listener: Listener; gateway: 'uws' | 'node' }> {
  const isNode = settings.gateway === 'node' || (settings.gateway === 'auto' && settings.allowTunnels);
  if (settings.gateway === 'auto' && isNode)
    logger.warn({}, 'serving on node:http, as "allowTunnels" needs it');
  if (settings.gateway === 'uws' && settings.allowTunnels) {
    throw new ImproperlyConfigured(
      'Option "allowTunnels" needs the node gateway: give gateway: "node" (--gateway node)',
    );
  }
  if (!isNode) {
    try {
      const { listenUws } = await import('../gateway/uws.js');
      return { listener: await listenUws(service, settings, address), gateway: 'uws' };
    } catch (error) {
      const isMissing = error instanceof VelaError && error.code === 'ERR_UWS_UNAVAILABLE';
      if (settings.gateway !== 'auto' || !isMissing) throw error;
      logger.warn({}, `${error.message}; serving on node:http`);
    }
  }
  const { listenNode } = await import('../gateway/node.js');
  return { listener: await listenNode(service, settings, address), gateway: 'node' };
}

function describeServer(settings: ResolvedSettings, logger: Logger, stopping: AbortSignal): ServerFacts {
  const scheme = settings.tls === undefined ? 'http' : 'https';
  return {
    host: 'localhost',
    port: scheme === 'http' ? '80' : '443',
    scheme,
    software: `vela/${VERSION}`,
    multiprocess: false,
    config: hideSecrets(settings),
    logger,
    errors: createErrors(),
    stopping,
  };
}

/** What handlers may see: not where the keys are, nor how they open. */
function hideSecrets({ tls: _tls, ...visible }: ResolvedSettings): ServerConfig {
  return Object.freeze(visible);
}

function createErrors(): WsgiErrors {
  return {
    write: (text) => void process.stderr.write(text),
    writelines: (lines) => {
      for (const line of lines) process.stderr.write(line);
    },
    flush: () => {},
  };
}

/** Stop accepting, drain, kill. */
async function drain(service: GatewayService, listener: Listener, timeoutMs: number): Promise<void> {
  service.isDraining = true;
  listener.stopAccepting();
  const isIdle = () => service.waits.isEmpty && service.stalls.isEmpty;
  await waitUntil(isIdle, timeoutMs);
  const late = [...service.waits, ...service.stalls];
  for (const exchange of late) (exchange as Exchange<never>).cutOff();
  service.waits.stop();
  service.stalls.stop();
  // What was cut has this long for its `finally` blocks, other connections to take their last bytes.
  await waitUntil(() => late.length === 0 && listener.connections === 0, LINGER_MS);
  await listener.destroy();
}

async function waitUntil(isDone: () => boolean, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!isDone() && performance.now() < deadline) {
    await new Promise((resolve) => {
      setTimeout(resolve, DRAIN_CHECK_MS);
    });
  }
}
