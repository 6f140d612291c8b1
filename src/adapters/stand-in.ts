/** A class of the platform. */
interface Platform {
  readonly prototype: object;
}

/**
 * Makes a class stand in for one of the platform: its objects are `instanceof` that one, and what they do not have themselves
 * they ask of a real one, which is made then.
 * @param sample - an object of the platform's: where it keeps its state under symbols, as Node 20's does, code of the
 * platform that is given a stand-in finds that of the real one
 * @param real - gives the real one
 */
export function standInFor<T extends object>(
  own: { readonly prototype: T },
  platform: Platform,
  sample: object,
  real: (one: T) => object,
): void {
  const { prototype } = own;
  const inherited = Object.getOwnPropertyDescriptors(platform.prototype) as Record<
    PropertyKey,
    PropertyDescriptor
  >;
  for (const key of Reflect.ownKeys(inherited)) {
    if (Object.hasOwn(prototype, key)) continue;
    const { value, get } = inherited[key] as PropertyDescriptor;
    if (typeof value === 'function')
      Object.defineProperty(prototype, key, { ...METHOD, value: forward(key, real) });
    else if (get !== undefined) defineRead(prototype, key, real);
  }
  for (const key of Object.getOwnPropertySymbols(sample)) defineRead(prototype, key, real);
  Object.setPrototypeOf(prototype, platform.prototype);
}

const METHOD = { writable: true, configurable: true, enumerable: false };

function forward<T>(key: PropertyKey, real: (one: T) => object) {
  return function forwarded(this: T, ...args: unknown[]): unknown {
    const target = real(this) as Record<PropertyKey, (...args: unknown[]) => unknown>;
    return target[key]?.(...args);
  };
}

function defineRead<T>(prototype: object, key: PropertyKey, real: (one: T) => object): void {
  Object.defineProperty(prototype, key, {
    get(this: T): unknown {
      return Reflect.get(real(this), key);
    },
    configurable: true,
    enumerable: typeof key === 'string',
  });
}
