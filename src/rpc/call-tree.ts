/**
 * An object on which every property is a method of the server, and has further ones: `tree.calc.add(1, 2)` calls `calc.add`.
 * @param members - what the object itself has
 * @param call - makes a call, by the whole name
 */
export function createTree(
  members: object,
  call: (name: string, args: readonly unknown[]) => unknown,
): object {
  return new Proxy(members, {
    get(target, key) {
      if (Object.hasOwn(target, key)) return Reflect.get(target, key);
      return isSegment(key) ? createBranch(key, call) : undefined;
    },
  });
}

function createBranch(name: string, call: (name: string, args: readonly unknown[]) => unknown): unknown {
  return new Proxy(function method() {}, {
    apply: (_target, _self, args: readonly unknown[]) => call(name, args),
    get: (_target, key) => (isSegment(key) ? createBranch(`${name}.${key}`, call) : undefined),
  });
}

/** Symbols are asked for by the language, and `then` by whoever awaits the object: it is no promise. */
function isSegment(key: string | symbol): key is string {
  return typeof key === 'string' && key !== 'then';
}
