import { describeValue, VelaError } from './errors.js';
import { PayloadTooLarge } from './http-error.js';

/** @throws {TypeError} unless it is a size that can be read */
export function checkSize(size: unknown): void {
  if (!Number.isInteger(size)) {
    throw new TypeError(
      `A size to read must be a whole number of bytes, or left out; received ${describeValue(size)}`,
    );
  }
}

export function checkLimit(limitBytes: unknown): void {
  if (typeof limitBytes !== 'number' || !(limitBytes >= 0)) {
    throw new TypeError(`load() takes a limit in bytes, or nothing; received ${describeValue(limitBytes)}`);
  }
}

export function tooLarge(limitBytes: number): PayloadTooLarge {
  return new PayloadTooLarge(`The request body is larger than the limit of ${limitBytes} bytes`);
}

export function closedError(): VelaError {
  return new VelaError('ERR_INPUT_CLOSED', 'The request was answered before its body was read');
}

export function notLoadedError(): VelaError {
  return new VelaError(
    'ERR_INPUT_NOT_LOADED',
    'readSync() needs the whole body in memory: put waitForBody() before this handler, and behind decodeBody() where there is one, or await read() instead',
  );
}
