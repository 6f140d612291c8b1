import type { TakeTunnel } from './contract.js';
import { takenError } from './contract-errors.js';
import type { SwitchToWebSocket, UpgradeToWebSocket } from './raw-websocket.js';
import { listHeaders, type ResponseHead } from './response-head.js';
import { beginSwitch, type ResponseHooks } from './response-hooks.js';

/** The exchange whose connection is taken over. */
export interface TakenOwner {
  readonly isStarted: boolean;
  /** @param head - of the response that says so */
  takeOver(head?: ResponseHead): void;
}

/** The request whose connection is taken over. */
interface TakenRequest {
  readonly hooks: ResponseHooks | undefined;
  /** It stays readable for as long as its connection lives. */
  keepAll(): void;
}

/** `vela.tunnel`, where the gateway gives the raw connection. */
export function tunnelOf(
  take: TakeTunnel | undefined,
  owner: TakenOwner | undefined,
): TakeTunnel | undefined {
  return (
    take &&
    (() => {
      owner?.takeOver();
      return take();
    })
  );
}

/** `vela.upgrade`, where the gateway accepts the handshake. */
export function upgradeOf(
  accept: SwitchToWebSocket | undefined,
  request: TakenRequest,
  owner: TakenOwner | undefined,
): UpgradeToWebSocket | undefined {
  return (
    accept &&
    ((events, socket, options) => {
      if (owner === undefined || owner.isStarted) throw takenError(true);
      const head = beginSwitch(request.hooks, options.headers);
      request.keepAll();
      owner.takeOver(head);
      accept(events, socket, { ...options, headers: listHeaders(head) });
    })
  );
}
