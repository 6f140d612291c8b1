import type { MessagePort } from 'node:worker_threads';
import type { Packed } from './call.js';
import { BELL, type Control, IS_HELD } from './control.js';
import { RUN, type ToThread } from './wire.js';

/** Settled: what follows it runs when the code at hand has returned. */
const AT_ONCE = Promise.resolve();

/** What goes to a thread: what a turn of the loop posts shares a message. */
export class Outbox {
  readonly #port: MessagePort;
  readonly #control: Control;
  readonly #onUnsendable: (entry: ToThread, cause: unknown) => void;
  #waiting: Packed[] = [];
  readonly #flushed = () => this.#flush();

  constructor(port: MessagePort, control: Control, onUnsendable: (entry: ToThread, cause: unknown) => void) {
    this.#port = port;
    this.#control = control;
    this.#onUnsendable = onUnsendable;
  }

  /** @param isUrgent - behind nothing else that this turn reads */
  post(packed: Packed, isUrgent: boolean): void {
    this.#waiting.push(packed);
    if (this.#waiting.length > 1) return;
    // `queueMicrotask` keeps an async context, which takes 0.3 µs and nobody reads here.
    if (isUrgent) void AT_ONCE.then(this.#flushed);
    else setImmediate(this.#flushed);
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
    const entries: ToThread[] = [];
    let transfer: ArrayBuffer[] | undefined;
    for (const one of packed) {
      entries.push(one.entry);
      if (one.transfer !== undefined && one.transfer.length > 0)
        transfer = transfer === undefined ? [...one.transfer] : transfer.concat(one.transfer);
    }
    try {
      this.#port.postMessage(entries, transfer);
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
