import type { ConnectionInfo } from '../../core/contract.js';
import type { RequestHead } from '../../core/request-fields.js';

/** The lines behind those that every call needs, then its header lines: name, value, name, value. */
const QUERY = 0;
const TARGET = 1;
const PROTOCOL = 2;
const ADDRESS = 3;
const PORT = 4;
const SCHEME = 5;
const GATEWAY = 6;
const TIMESTAMP = 7;
const FIELDS = 8;

/** A request's head as it came from the server, in one text: what not every call needs is taken apart when it is read. */
export class ThreadHead implements RequestHead {
  readonly method: string;
  readonly path: string;
  readonly contentLength: string;
  readonly requestId: string;
  readonly #text: string;
  readonly #rest: number;
  #lines: string[] | undefined;

  constructor(text: string) {
    const path = text.indexOf('\n') + 1;
    const length = text.indexOf('\n', path) + 1;
    const id = text.indexOf('\n', length) + 1;
    const rest = text.indexOf('\n', id) + 1;
    this.method = text.slice(0, path - 1);
    this.path = text.slice(path, length - 1);
    this.contentLength = text.slice(length, id - 1);
    this.requestId = text.slice(id, rest - 1);
    this.#text = text;
    this.#rest = rest;
  }

  getQuery(): string | undefined {
    const query = this.#line(QUERY);
    return query === '' ? undefined : query.slice(1);
  }

  get target(): string {
    return this.#line(TARGET);
  }

  get protocol(): string {
    return this.#line(PROTOCOL);
  }

  get timestamp(): number {
    return Number(this.#line(TIMESTAMP));
  }

  get connection(): ConnectionInfo {
    const port = this.#line(PORT);
    return {
      remoteAddress: this.#line(ADDRESS),
      remotePort: port === '' ? undefined : Number(port),
      encrypted: this.#line(SCHEME) === 'https',
      gateway: this.#line(GATEWAY),
    };
  }

  getHeader(name: string): string {
    const lines = this.#split();
    for (let i = FIELDS; i < lines.length; i += 2) if (lines[i] === name) return lines[i + 1] as string;
    return '';
  }

  forEach(callback: (name: string, value: string) => void): void {
    const lines = this.#split();
    for (let i = FIELDS; i + 1 < lines.length; i += 2) callback(lines[i] as string, lines[i + 1] as string);
  }

  #line(index: number): string {
    return this.#split()[index] as string;
  }

  #split(): string[] {
    this.#lines ??= this.#text.slice(this.#rest).split('\n');
    return this.#lines;
  }
}
