import type { Environ } from '../core/contract.js';
import { TOKEN } from '../core/http-syntax.js';
import { listRequestHeaders, readHeader } from './request-header.js';
import { standInFor } from './stand-in.js';

/** The Headers of a request, of which single ones are read where they are. */
class LazyHeaders {
  readonly #environ: Environ;
  #real: Headers | undefined = undefined;

  constructor(environ: Environ) {
    this.#environ = environ;
  }

  static real(headers: LazyHeaders): Headers {
    headers.#real ??= new Headers(listRequestHeaders(headers.#environ));
    return headers.#real;
  }

  get(name: string): string | null {
    if (this.#real !== undefined) return this.#real.get(name);
    const value = readHeader(this.#environ, String(name).toLowerCase());
    if (value !== undefined) return value;
    return TOKEN.test(name) ? null : LazyHeaders.real(this).get(name);
  }

  has(name: string): boolean {
    return this.#real === undefined ? this.get(name) !== null : this.#real.has(name);
  }
}

standInFor(LazyHeaders, Headers, new Headers(), LazyHeaders.real);

/** Makes the Headers of a request. */
export function createHeaders(environ: Environ): Headers {
  return new LazyHeaders(environ) as object as Headers;
}
