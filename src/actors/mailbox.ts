import { isThenable } from '../core/errors.js';
import { packError } from '../core/wire-error.js';
import { MailboxFull } from './actor-errors.js';
import type { Message } from './message.js';

/** What is done with messages. */
export interface MailboxWork {
  /** Before a message is worked on; the next one waits for it. */
  begin(message: Message): unknown;
  /** What `begin` threw: it is not worked on. */
  failed(message: Message, error: unknown): void;
  /** Works on a message, and settles it. Never rejects. */
  run(message: Message): Promise<void>;
}

/**
 * Messages that wait for an actor. They begin in the order in which they came, and at most `concurrency` are worked on at
 * once: the others wait, and at most `limit` are there.
 */
export class Mailbox {
  readonly limit: number;
  readonly #owner: string;
  readonly #concurrency: number;
  readonly #work: MailboxWork;
  readonly #waiting: Message[] = [];
  #running = 0;
  #processed = 0;
  #refused = 0;
  #isOpen = false;
  #isBeginning = false;
  #closedBy: Error | undefined;
  readonly #onIdle: (() => void)[] = [];

  constructor(owner: string, limit: number, concurrency: number, work: MailboxWork) {
    this.#owner = owner;
    this.limit = limit;
    this.#concurrency = concurrency;
    this.#work = work;
  }

  /** Numbers of messages: that wait, are worked on, are done, were refused. */
  get counts(): { waiting: number; running: number; processed: number; refused: number } {
    const { length: waiting } = this.#waiting;
    return { waiting, running: this.#running, processed: this.#processed, refused: this.#refused };
  }

  /** Begins with what waits. */
  open(): void {
    this.#isOpen = true;
    this.#next();
  }

  put(message: Message): void {
    const isFull = this.#waiting.length + this.#running >= this.limit;
    const refusal = this.#closedBy ?? (isFull ? new MailboxFull(this.#owner, this.limit) : undefined);
    if (refusal !== undefined) {
      this.#refused++;
      message.settle({ isOk: false, error: packError(refusal) });
      return;
    }
    if (!message.ack) message.settle({ isOk: true, value: undefined });
    this.#waiting.push(message);
    if (this.#isOpen) this.#next();
  }

  /** From now on takes no more; what waits is still done. */
  close(refusal: Error): void {
    this.#closedBy ??= refusal;
  }

  /** Refuses what waits, too. */
  abandon(refusal: Error): void {
    this.close(refusal);
    const error = packError(refusal);
    for (const message of this.#waiting.splice(0)) if (message.ack) message.settle({ isOk: false, error });
    this.#tellIdle();
  }

  /** Resolves when nothing waits and nothing is worked on. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle.push(resolve);
      this.#tellIdle();
    });
  }

  #next(): void {
    if (this.#isBeginning) return;
    this.#isBeginning = true;
    while (this.#running < this.#concurrency) {
      const message = this.#waiting.shift();
      if (message === undefined) break;
      this.#running++;
      try {
        const begun = this.#work.begin(message);
        if (isThenable(begun)) {
          void this.#beginLater(message, begun);
          return;
        }
        void this.#run(message);
      } catch (error) {
        this.#failed(message, error);
      }
    }
    this.#isBeginning = false;
  }

  async #beginLater(message: Message, begun: PromiseLike<unknown>): Promise<void> {
    try {
      await begun;
      void this.#run(message);
    } catch (error) {
      this.#failed(message, error);
    }
    this.#isBeginning = false;
    this.#next();
  }

  async #run(message: Message): Promise<void> {
    await this.#work.run(message);
    this.#done();
    this.#next();
  }

  #failed(message: Message, error: unknown): void {
    this.#work.failed(message, error);
    this.#done();
  }

  #done(): void {
    this.#running--;
    this.#processed++;
    this.#tellIdle();
  }

  #tellIdle(): void {
    if (this.#running === 0 && this.#waiting.length === 0) for (const tell of this.#onIdle.splice(0)) tell();
  }
}
