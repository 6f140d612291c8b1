import { ActorTimeout, unpackActorError } from '../actors/actor-errors.js';
import { type Parcel, postParcel } from '../actors/parcels.js';
import { COUNT, RELAY, type RelayEntry } from './relay-wire.js';

/** Longer texts cost more as JSON than otherwise, in UTF-16 units. */
const LONGEST_TEXT = 4096;

/** Takes batches to one other process of this program, one after the other. */
export class Courier {
  /** The id of its actor. */
  readonly #target: string;
  readonly #answerMs: number | undefined;
  /** One for all batches: each has its own time. */
  #timer: NodeJS.Timeout | undefined;
  #batch = 0;
  /** Hears of the batch that is under way. */
  #settled: ((error?: Error) => void) | undefined;

  /** @param answerMs - how long a batch's answer is waited for; by default until it comes, or the process is gone */
  constructor(target: string, answerMs?: number) {
    this.#target = target;
    this.#answerMs = answerMs;
  }

  /** @param settled - called once; a batch that is not answered in time may still arrive, before those that follow */
  send(entries: readonly RelayEntry[], settled: ((error?: Error) => void) | undefined): void {
    if (settled === undefined) {
      this.#post(entries, undefined);
      return;
    }
    const batch = ++this.#batch;
    this.#settled = settled;
    this.#watchTime();
    this.#post(entries, (outcome) => {
      if (batch === this.#batch) this.#settle(outcome.isOk ? undefined : unpackActorError(outcome.error));
    });
  }

  #post(entries: readonly RelayEntry[], settle: Parcel['settle']): void {
    const isPlain = entries.every(isSmallText);
    postParcel({ target: this.#target, kind: RELAY, content: entries, isPlain, settle });
  }

  #watchTime(): void {
    const answerMs = this.#answerMs;
    if (answerMs === undefined) return;
    this.#timer ??= setTimeout(
      () => this.#settle(new ActorTimeout(this.#target, RELAY, answerMs)),
      answerMs,
    ).unref();
    this.#timer.refresh();
  }

  #settle(error: Error | undefined): void {
    const settled = this.#settled;
    this.#settled = undefined;
    settled?.(error);
  }
}

function isSmallText(entry: RelayEntry): boolean {
  return entry[0] === COUNT || (typeof entry[4] === 'string' && entry[4].length <= LONGEST_TEXT);
}
