import type { ResolvedSettings } from '../app/resolve-settings.js';
import { ImproperlyConfigured, VelaError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { GatewayService, ListenAddress, Listener, Sharing } from '../gateway/gateway.js';
import { explainListenError } from '../gateway/listen-error.js';

/** What listens, and on which gateway. */
export interface OpenListeners {
  readonly gateway: 'uws' | 'node';
  /** One for each address, in their order. */
  readonly listeners: readonly Listener[];
  /** What each of them serves with: the same, but for the address that its requests see. */
  readonly services: readonly GatewayService[];
}

type Listen = typeof import('../gateway/node.js').listenNode;

/**
 * Listens on all addresses, or on none.
 * @param sharing - of each address, in a process that is not the only one to listen there
 * @throws {ImproperlyConfigured} for a gateway that cannot do what is asked; errors of listening with their `code`
 */
export async function openListeners(
  service: GatewayService,
  settings: ResolvedSettings,
  addresses: readonly ListenAddress[],
  logger: Logger,
  sharing?: readonly Sharing[],
): Promise<OpenListeners> {
  const { gateway, listen } = await chooseGateway(settings, logger);
  const listeners: Listener[] = [];
  const services: GatewayService[] = [];
  for (const [at, address] of addresses.entries()) {
    const own = addresses.length === 1 ? service : { ...service, facts: { ...service.facts } };
    try {
      const listener = await listen(own, settings, address, sharing?.[at]);
      if (!('path' in listener.address))
        Object.assign(own.facts, { host: listener.address.host, port: String(listener.address.port) });
      listeners.push(listener);
      services.push(own);
    } catch (error) {
      await Promise.all(listeners.map((one) => one.destroy()));
      throw explainListenError(error, address);
    }
  }
  return { gateway, listeners, services };
}

/** @throws {ImproperlyConfigured} for a gateway that cannot do what is asked @throws {VelaError} `ERR_UWS_UNAVAILABLE` */
export async function chooseGateway(
  settings: ResolvedSettings,
  logger: Logger,
): Promise<{ gateway: 'uws' | 'node'; listen: Listen }> {
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
      const [{ listenUws }, { loadUws }] = await Promise.all([
        import('../gateway/uws.js'),
        import('../gateway/uws-binding.js'),
      ]);
      loadUws(settings.maxHeadBytes);
      return { gateway: 'uws', listen: listenUws };
    } catch (error) {
      const isMissing = error instanceof VelaError && error.code === 'ERR_UWS_UNAVAILABLE';
      if (settings.gateway !== 'auto' || !isMissing) throw error;
      logger.warn({}, `${error.message}; serving on node:http`);
    }
  }
  const { listenNode } = await import('../gateway/node.js');
  return { gateway: 'node', listen: listenNode };
}
