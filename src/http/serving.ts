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

/** Those that accept no more, until their requests have ended. */
export class Retiring {
  readonly #ends = new Map<Serving, Promise<void>>();

  get list(): readonly Serving[] {
    return [...this.#ends.keys()];
  }

  add(serving: Serving): void {
    const end = serving.retire().then(() => void this.#ends.delete(serving));
    this.#ends.set(serving, end);
  }

  /** Resolves when all have ended, those that come meanwhile included. */
  async ended(): Promise<void> {
    while (this.#ends.size > 0) await Promise.all(this.#ends.values());
  }
}
