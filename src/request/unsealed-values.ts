/** How many are remembered, and how long they may be: as long as browsers keep cookies. So a few MiB. */
const REMEMBERED = 1000;
const LONGEST_CHARS = 4096;
/** The expiry in ms is the sixth field of Fe26.2, and authenticated with all others. */
const EXPIRY_FIELD = 5;

/**
 * Values that were unsealed lately, by their sealed text. A client sends the same cookie with each request, and to
 * decrypt it takes 90 µs. Kept as JSON, so that each request has a value of its own.
 */
export class UnsealedValues {
  readonly #texts = new Map<string, string>();

  /** What was remembered of a sealed text; undefined for none, and once it is too old. */
  find(sealed: string): { readonly value: unknown } | undefined {
    const text = this.#texts.get(sealed);
    if (text === undefined) return undefined;
    this.#texts.delete(sealed);
    if (!(Date.now() < Number(sealed.split('*', EXPIRY_FIELD + 1)[EXPIRY_FIELD]))) return undefined;
    // Back at the end: the first is the one that nobody has asked for the longest.
    this.#texts.set(sealed, text);
    return { value: JSON.parse(text) };
  }

  remember(sealed: string, value: unknown): void {
    if (sealed.length > LONGEST_CHARS) return;
    const text = JSON.stringify(value);
    if (text === undefined) return;
    this.#texts.set(sealed, text);
    if (this.#texts.size > REMEMBERED) {
      const [oldest] = this.#texts.keys();
      this.#texts.delete(oldest as string);
    }
  }
}
