/** Names with one or more values each, in the order in which they came: a query or a form. */
export class MultiDict implements Iterable<[name: string, value: string]> {
  readonly #pairs: readonly (readonly [string, string])[];
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(pairs: Iterable<readonly [string, string]> = []) {
    const values = new Map<string, string[]>();
    this.#pairs = [...pairs];
    for (const [name, value] of this.#pairs) {
      const known = values.get(name);
      if (known === undefined) values.set(name, [value]);
      else known.push(value);
    }
    this.#values = values;
  }

  /** How many names there are. */
  get size(): number {
    return this.#values.size;
  }

  /** The first value of a name. */
  get(name: string): string | undefined {
    return this.#values.get(name)?.[0];
  }

  /** All values of a name, none for one that is not there. */
  getAll(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  keys(): IterableIterator<string> {
    return this.#values.keys();
  }

  *[Symbol.iterator](): IterableIterator<[name: string, value: string]> {
    for (const [name, value] of this.#pairs) yield [name, value];
  }

  /** The first value of each name, in an object without a prototype, so that no name means anything else. */
  toObject(): Record<string, string> {
    const object: Record<string, string> = Object.create(null);
    for (const [name, values] of this.#values) object[name] = values[0] as string;
    return object;
  }

  /** What `JSON.stringify` writes: a text, or an array of texts where there are several. */
  toJSON(): Record<string, string | readonly string[]> {
    const object: Record<string, string | readonly string[]> = Object.create(null);
    for (const [name, values] of this.#values)
      object[name] = values.length === 1 ? (values[0] as string) : values;
    return object;
  }
}
