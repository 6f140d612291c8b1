import { deserialize, serialize } from 'node:v8';

/** A value on its way to another thread or process. An object goes as bytes: so it is read once, and what cannot go is known before. */
export type WireValue = readonly [plain: unknown] | Uint8Array;

/** @returns undefined for what cannot cross: functions, symbols, and objects that hold such */
export function packValue(value: unknown): WireValue | undefined {
  if (value === null || typeof value !== 'object')
    return typeof value === 'function' || typeof value === 'symbol' ? undefined : [value];
  try {
    const bytes = new Uint8Array(serialize(value));
    // V8 writes some things that it cannot read again, such as an error that is its own cause.
    deserialize(bytes);
    return bytes;
  } catch {
    return undefined;
  }
}

export function unpackValue(packed: WireValue): unknown {
  return packed instanceof Uint8Array ? deserialize(packed) : packed[0];
}
