import { setTimeout as sleep } from 'node:timers/promises';
import { type Actor, type ActorCode, send } from 'vela/actors';

/** A philosopher: thinks, takes two forks, eats, puts them down. */
export class Philosopher implements ActorCode {
  #eaten = 0;
  #waitedMs = 0;
  #isEating = false;

  /** Thinks and eats once; again after `taskMs`. */
  async onTask(actor: Actor) {
    const { seat, seats, eatingMs, thinkingMs } = actor.config as Record<string, number>;
    await sleep(Math.random() * (thinkingMs ?? 0));
    // The lower one first: if all took the left one first, each would hold one and wait for the other, for ever.
    const forks = [seat ?? 0, ((seat ?? 0) + 1) % (seats ?? 1)].sort((a, b) => a - b);
    const began = performance.now();
    for (const fork of forks) await send('monitor', 'pickup_fork', fork);
    this.#waitedMs += performance.now() - began;
    this.#isEating = true;
    await sleep(Math.random() * (eatingMs ?? 0));
    this.#isEating = false;
    this.#eaten++;
    for (const fork of forks) await send('monitor', 'putdown_fork', fork);
  }

  onInfo(actor: Actor) {
    return {
      seat: actor.config.seat,
      eaten: this.#eaten,
      waitedMs: Math.round(this.#waitedMs),
      isEating: this.#isEating,
    };
  }
}
