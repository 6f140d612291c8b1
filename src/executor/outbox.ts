import type { MessagePort } from 'node:worker_threads';
import type { Packed } from './call.js';
import { BELL, type Control, IS_HELD } from './control.js';
import { RUN, type ToThread } from './wire.js';

/** What goes to a thread: what a turn of the loop posts shares a message. */
export class Outbox {
  readonly #port: MessagePort;
  readonly #control: Control;
  readonly #onUnsendable: (entry: ToThread, cause: unknown) => void;
  #waiting: Packed[] = [];

  constructor(port: MessagePort, control: Control, onUnsendable: (entry: ToThread, cause: unknown) => void) {
    this.#port = port;
    this.#control = control;
    this.#onUnsendable = onUnsendable;
  }

  /** @param isUrgent - behind nothing else that this turn reads */
  post(packed: Packed, isUrgent: boolean): void {
    this.#waiting.push(packed);
    if (this.#waiting.length > 1) return;
    if (isUrgent) queueMicrotask(() => this.#flush());
    else setImmediate(() => this.#flush());
  }

  clear(): void {
    this.#waiting = [];
  }

  #flush(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    // With arguments that cannot be read there a message is lost, and nothing else must be.
    for (let from = 0; from < waiting.length; ) {
      const isRun = waiting[from]?.entry[0] === RUN;
      let to = from + 1;
      while (to < waiting.length && (waiting[to]?.entry[0] === RUN) === isRun) to++;
      this.#send(from === 0 && to === waiting.length ? waiting : waiting.slice(from, to));
      from = to;
    }
    const { words } = this.#control;
    Atomics.add(words, BELL, 1);
    if (Atomics.load(words, IS_HELD) === 1) Atomics.notify(words, BELL);
  }

  #send(packed: readonly Packed[]): void {
    const transfer = packed.flatMap((one) => one.transfer ?? []);
    try {
      this.#port.postMessage(
        packed.map(({ entry }) => entry),
        transfer,
      );
    } catch {
      this.#sendEach(packed);
    }
  }

  /** Something among them cannot be sent: the others are. */
  #sendEach(packed: readonly Packed[]): void {
    for (const { entry, transfer = [] } of packed) {
      try {
        this.#port.postMessage([entry], transfer);
      } catch (cause) {
        this.#onUnsendable(entry, cause);
      }
    }
  }
}
