import type { Buffer } from 'node:buffer';
import type { WsgiInput } from './contract.js';
import { RequestInput } from './input.js';

/** True for an input of which some bytes were read. */
export function isInputTaken(input: WsgiInput): boolean {
  return input instanceof RequestInput && RequestInput.isTaken(input);
}

/** Lowers the largest size of a request's body. @throws {PayloadTooLarge} when that is exceeded already */
export function limitInput(input: WsgiInput, limitBytes: number): void {
  if (input instanceof RequestInput) RequestInput.limit(input, limitBytes);
}

/** All of a body that is loaded, to be decoded at once: its bytes may be gone after that. */
export function takeAtOnce(input: WsgiInput): Buffer {
  return input instanceof RequestInput ? RequestInput.takeAtOnce(input) : input.readSync();
}
