import { resolveSettings } from '../app/resolve-settings.js';
import type { AppFunction } from '../core/contract.js';
import { describeServer } from '../core/server-facts.js';
import { stderrLogger } from '../core/stderr-logger.js';
import { WaitQueue } from '../core/wait-queue.js';
import { DEFAULT_WEBSOCKET_LIMITS } from '../core/websocket-limits.js';
import type { GatewayConfig, GatewayService } from '../gateway/gateway.js';

/** A program that was written for node:http has no other limits than those it has set itself. */
const NO_LIMITS = {
  maxBodyBytes: Number.MAX_SAFE_INTEGER,
  requestTimeoutMs: Number.POSITIVE_INFINITY,
  stallTimeoutMs: Number.POSITIVE_INFINITY,
};

/** What a server of `vela/http` serves with. */
export interface RequestService {
  readonly service: GatewayService;
  readonly config: GatewayConfig;
}

export function createRequestService(app: AppFunction): RequestService {
  const config: GatewayConfig = Object.freeze({ ...resolveSettings({}), ...NO_LIMITS });
  const service: GatewayService = {
    app,
    headers: undefined,
    facts: describeServer({
      config,
      logger: stderrLogger,
      // A listener of node:http has no way to ask for it.
      stopping: new AbortController().signal,
    }),
    waits: new WaitQueue(config.requestTimeoutMs),
    stalls: new WaitQueue(config.stallTimeoutMs),
    isDraining: false,
    webSockets: DEFAULT_WEBSOCKET_LIMITS,
  };
  return { service, config };
}
