import type { WsgiInput } from '../core/contract.js';
import { toError } from '../core/errors.js';
import { RequestInput } from '../core/input.js';
import { packError } from '../core/wire-error.js';
import type { Call } from './call.js';
import { packBytes } from './move.js';
import { BODY, BODY_END, BODY_LOST, BODY_WINDOW_BYTES, type ToThread, TRANSFER_BYTES } from './wire.js';

/** Sends a request's body to a thread as it comes, as fast as it is taken there. */
export class BodyFeed {
  readonly #call: Call;
  readonly #steps: AsyncIterator<Buffer>;
  #unpaidBytes = 0;
  #isStopped = false;
  #goOn: (() => void) | undefined;
  /** Where the rest goes, once the thread has not taken the request. */
  #rest: RequestInput | undefined;
  #isRestPaused = false;
  /** The thread still sends back what had come to it: the rest waits behind that. */
  #isReturning = false;
  /** A chunk is waited for. */
  #isStarved = true;
  /** The thread was told that all has been sent, or that the rest is lost. */
  #finish: ((rest: RequestInput) => void) | undefined;

  /** @param steps - of the request's body */
  constructor(call: Call, steps: AsyncIterator<Buffer>) {
    this.#call = call;
    this.#steps = steps;
    void this.#run();
  }

  /** The thread has taken so many bytes on. */
  credit(bytes: number): void {
    this.#unpaidBytes -= bytes;
    if (this.#unpaidBytes < BODY_WINDOW_BYTES) this.#wake();
  }

  /** No more is wanted. */
  stop(): void {
    this.#isStopped = true;
    this.#wake();
  }

  /** The client is what is waited for. */
  get isStarved(): boolean {
    return this.#isStarved;
  }

  /** The rest goes to an input of its own, behind what the thread gives back until `returned` is called. */
  divert(unread: Uint8Array | undefined): WsgiInput {
    const rest = new RequestInput(
      {
        pause: () => {
          this.#isRestPaused = true;
        },
        resume: () => {
          this.#isRestPaused = false;
          this.#wake();
        },
      },
      Number.POSITIVE_INFINITY,
      -1,
    );
    this.#rest = rest;
    this.#isReturning = true;
    if (unread !== undefined) this.giveBack(unread);
    return rest;
  }

  giveBack(bytes: Uint8Array): void {
    if (this.#rest !== undefined)
      RequestInput.push(this.#rest, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), true);
  }

  /** All is back. @param error - or it is lost */
  returned(error?: Error): void {
    if (this.#rest === undefined || !this.#isReturning) return;
    if (error !== undefined) {
      RequestInput.lose(this.#rest, error);
      this.stop();
      return;
    }
    this.#isReturning = false;
    this.#finish?.(this.#rest);
    this.#wake();
  }

  async #run(): Promise<void> {
    try {
      for (;;) {
        const step = await this.#steps.next();
        this.#isStarved = false;
        await this.#room();
        if (this.#isStopped) break;
        if (step.done === true) {
          this.#end();
          return;
        }
        this.#send(step.value);
        await this.#room();
        if (this.#isStopped) break;
        this.#isStarved = true;
      }
      await this.#steps.return?.();
    } catch (error) {
      await this.#room();
      this.#lose(toError(error));
    }
  }

  /** Waits until more may be sent on. */
  async #room(): Promise<void> {
    while (this.#isFull && !this.#isStopped) {
      await new Promise<void>((resolve) => {
        this.#goOn = resolve;
      });
    }
  }

  get #isFull(): boolean {
    if (this.#rest !== undefined) return this.#isReturning || this.#isRestPaused;
    return this.#unpaidBytes >= BODY_WINDOW_BYTES;
  }

  #send(chunk: Buffer): void {
    if (this.#rest !== undefined) {
      RequestInput.push(this.#rest, chunk, true);
      return;
    }
    const { thread, slot, ticket } = this.#call;
    this.#unpaidBytes += chunk.length;
    const { bytes, isTransferred } = packBytes(chunk, TRANSFER_BYTES);
    const transfer = isTransferred ? [bytes.buffer as ArrayBuffer] : undefined;
    thread?.post({ entry: [BODY, slot, ticket, bytes], transfer });
  }

  #end(): void {
    this.#finishWith(
      (rest) => RequestInput.end(rest),
      (slot, ticket) => [BODY_END, slot, ticket],
    );
  }

  #lose(error: Error): void {
    this.#finishWith(
      (rest) => RequestInput.lose(rest, error),
      (slot, ticket) => [BODY_LOST, slot, ticket, packError(error)],
    );
  }

  #finishWith(finish: (rest: RequestInput) => void, tell: (slot: number, ticket: number) => ToThread): void {
    this.#finish = finish;
    const { thread, slot, ticket } = this.#call;
    if (this.#rest === undefined) thread?.post({ entry: tell(slot, ticket) });
    else if (!this.#isReturning) finish(this.#rest);
  }

  #wake(): void {
    this.#goOn?.();
    this.#goOn = undefined;
  }
}
