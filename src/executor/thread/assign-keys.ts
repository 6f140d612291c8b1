import { deserialize } from 'node:v8';
import type { Environ } from '../../core/contract.js';
import { isLost, lostKeyError } from '../pack-request.js';

/** Assigns to an environ what was assigned where it came from, as `packAssigned` packs it. */
export function assignKeys(environ: Environ, packed: readonly unknown[]): void {
  for (let i = 0; i < packed.length; i += 2) {
    const key = packed[i] as string;
    const value = packed[i + 1];
    if (isLost(value)) assignLost(environ, key);
    else if (Array.isArray(value)) environ[key] = value[0];
    else environ[key] = value instanceof Uint8Array ? deserialize(value) : value;
  }
}

/** A value that could not come along: to read it is an error, to assign another is not. */
function assignLost(environ: Environ, key: string): void {
  Object.defineProperty(environ, key, {
    get: () => {
      throw lostKeyError(key);
    },
    set: (value: unknown) => {
      Object.defineProperty(environ, key, { value, writable: true, enumerable: true, configurable: true });
    },
    configurable: true,
  });
}
