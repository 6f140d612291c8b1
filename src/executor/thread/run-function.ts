import { isThenable, VelaError } from '../../core/errors.js';
import { packError } from '../../core/wire-error.js';
import { isMoved } from '../move.js';
import { FAILED, type FromThread, RESULT } from '../wire.js';

/** Calls a function, and posts what it gives. @param done - called before that; false when nobody wants it any more */
export function runFunction(
  call: (...args: unknown[]) => unknown,
  args: readonly unknown[],
  slot: number,
  post: (entry: FromThread, transfer?: readonly ArrayBuffer[]) => void,
  done: () => boolean,
): void {
  const fail = (error: unknown) => {
    if (done()) post([FAILED, slot, packError(error)]);
  };
  const give = (value: unknown) => {
    if (!done()) return;
    try {
      const isMoving = value instanceof Uint8Array && isMoved(value);
      post([RESULT, slot, value], isMoving ? [value.buffer as ArrayBuffer] : []);
    } catch (cause) {
      const message = 'What the function gave cannot be sent to another thread: give plain data';
      post([FAILED, slot, packError(new VelaError('ERR_EXECUTOR_RESULT', message, { cause }))]);
    }
  };
  try {
    const value = call(...args);
    // A thenable that is no promise may call back twice, or throw.
    if (isThenable(value)) Promise.resolve(value).then(give, fail);
    else give(value);
  } catch (error) {
    fail(error);
  }
}
