import type { Environ } from './contract.js';
import { LazyEnviron } from './environ.js';

/** The environs behind those that {@link guardEnviron} made. */
const guarded = new WeakMap<object, LazyEnviron>();

/** An environ that tells when a key is deleted, and is the given one in all else. */
export function guardEnviron(environ: Environ, onDelete: (key: string) => void): Environ {
  const target = guarded.get(environ) ?? environ;
  const guard = new Proxy(target, {
    get: (inner, key) => Reflect.get(inner, key, inner) as unknown,
    set: (inner, key, value) => Reflect.set(inner, key, value, inner),
    deleteProperty: (_inner, key) => {
      onDelete(String(key));
      return true;
    },
  });
  if (target instanceof LazyEnviron) guarded.set(guard, target);
  return guard;
}

/** The environ itself behind what {@link guardEnviron} made. */
export function innerEnviron(environ: Environ): Environ {
  return guarded.get(environ) ?? environ;
}

/** All keys of an environ that have a value; `Object.keys` sees only assigned ones. */
export function environKeys(environ: Environ): string[] {
  const inner = innerEnviron(environ);
  return inner instanceof LazyEnviron ? LazyEnviron.keys(inner) : Object.keys(inner);
}

/** A plain copy of an environ, with every key that has a value. */
export function toObject(environ: Environ): Record<string, unknown> {
  return Object.fromEntries(environKeys(environ).map((key) => [key, environ[key]]));
}
