import { toError } from '../core/errors.js';
import { HttpError } from '../core/http-error.js';
import { unpackError } from '../core/wire-error.js';
import type { Call, Packed, Work } from './call.js';
import { isMoved } from './move.js';
import { FAILED, type FromThread, RESULT, RUN } from './wire.js';

/** A function that is called in a thread. */
export class FunctionCall implements Work {
  readonly isPinned: boolean;
  readonly result: Promise<unknown>;
  readonly #args: readonly unknown[];
  readonly #transfer: readonly ArrayBuffer[];
  #resolve: (value: unknown) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(args: readonly unknown[]) {
    this.#args = args;
    // The same bytes may stand there twice.
    const moved = args.flatMap((one) => (one instanceof Uint8Array && isMoved(one) ? [one.buffer] : []));
    this.#transfer = [...new Set(moved as ArrayBuffer[])];
    this.isPinned = this.#transfer.length > 0;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  pack({ slot, ticket, target }: Call): Packed {
    return { entry: [RUN, slot, ticket, target, this.#args], transfer: this.#transfer };
  }

  replied(): void {}

  told(entry: FromThread): boolean {
    if (entry[0] === RESULT) this.#resolve(entry[2]);
    else if (entry[0] === FAILED) this.#reject(unpackError(entry[2]));
    return true;
  }

  failed(error: Error): void {
    this.#reject(error);
  }

  readError(): Error | undefined {
    try {
      structuredClone(this.#args);
      return undefined;
    } catch (error) {
      return toError(error);
    }
  }

  lateError(): Error {
    return new HttpError(504, 'The call in a thread took too long');
  }
}
