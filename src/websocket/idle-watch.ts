import type { Waiting, WaitQueue } from '../core/wait-queue.js';

/** What is done about the silence of a client. */
export interface SilenceActions<O> {
  ping(owner: O): void;
  /** Nothing has come, not even a pong. */
  expire(owner: O): void;
  /** It is not read at present, so its silence says nothing. It is asked all the same. */
  isHeld(owner: O): boolean;
}

/** Watches the silence of a client: one that says nothing is asked by a ping, and ended when it does not answer. */
export class IdleWatch<O> implements Waiting {
  waitPrevious: Waiting | undefined = undefined;
  waitNext: Waiting | undefined = undefined;
  waitQueue: WaitQueue | undefined = undefined;
  waitDue = 0;
  readonly #queue: WaitQueue;
  readonly #owner: O;
  readonly #actions: SilenceActions<O>;
  #isAsked = false;
  #isOver = false;

  /** @param queue - its waits take half of the time that silence may last */
  constructor(queue: WaitQueue, owner: O, actions: SilenceActions<O>) {
    this.#queue = queue;
    this.#owner = owner;
    this.#actions = actions;
    queue.join(this);
  }

  /** Something came. */
  touch(): void {
    if (this.#isOver) return;
    this.#isAsked = false;
    this.#queue.join(this);
  }

  leave(): void {
    this.#isOver = true;
    this.#queue.leave(this);
  }

  expire(): void {
    const isHeld = this.#actions.isHeld(this.#owner);
    if (this.#isAsked && !isHeld) {
      this.#actions.expire(this.#owner);
      return;
    }
    this.#isAsked = !isHeld;
    this.#queue.join(this);
    // Of one that is not read, only a ping that cannot be sent tells that it is gone.
    this.#actions.ping(this.#owner);
  }
}
