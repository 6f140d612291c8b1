import { setTimeout as sleep } from 'node:timers/promises';
import type { GatewayService, Listener } from '../gateway/gateway.js';

/** How often it looks whether its requests have ended, in ms. */
const LOOK_MS = 5;

/** A listener of uWebSockets.js and its requests. */
export class Serving {
  readonly #service: GatewayService;
  readonly #listener: Listener;

  constructor(service: GatewayService, listener: Listener) {
    this.#service = service;
    this.#listener = listener;
  }

  /** Open connections, idle ones included. */
  get connections(): number {
    return this.#listener.connections;
  }

  stopAccepting(): void {
    this.#listener.stopAccepting();
  }

  /** Accepts no more connections, and ends those that are there: idle ones too, once no request is under way any more. */
  async retire(): Promise<void> {
    const { waits, stalls } = this.#service;
    this.#service.isDraining = true;
    this.stopAccepting();
    // What was just sent leaves first.
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    while (!waits.isEmpty || !stalls.isEmpty) await sleep(LOOK_MS);
    await this.cut();
  }

  /** Ends all connections. */
  cut(): Promise<void> {
    return this.#listener.destroy();
  }
}
