/**
 * A class whose fields become own keys of an object that it is given: `new Keys(environ)` defines them on the environ, and
 * makes nothing. Assigned, `environ[key] = value`, a key is first looked for along the prototype chain, at whose end there is
 * a Proxy: that takes 100 ns for each, `Object.defineProperty` 130, and a field 4. The keys are the same in all three cases.
 */
export class OwnKeys {
  constructor(target: object) {
    // biome-ignore lint/correctness/noConstructorReturn: this is how fields come to be defined on an object that is there
    return target;
  }
}
