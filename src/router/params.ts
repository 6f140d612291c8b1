/** Parameters of a path by name: decoded text, lists of it for wildcards, or what a converter makes. It inherits nothing. */
export interface Params {
  [name: string]: unknown;
}

/** An object that inherits nothing, and is as fast as one that inherits: `Object.create(null)` is a slow dictionary. */
class Empty implements Params {
  [name: string]: unknown;
}
Object.setPrototypeOf(Empty.prototype, null);
Reflect.deleteProperty(Empty.prototype, 'constructor');

export function createParams(): Params {
  return new Empty();
}
