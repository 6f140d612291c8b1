import type { Chunk } from '../core/contract.js';
import { escapeHtml } from '../core/escape-html.js';
import { own } from '../core/own.js';

/** What may stand in a template: arrays are joined, promises awaited in their place, nothing and false are left out. */
export type HtmlValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Html
  | readonly HtmlValue[]
  | PromiseLike<HtmlValue>;

/** HTML: a body, and a part of other templates. Everything before an unsettled promise is sent at once. */
export class Html implements Iterable<Chunk | Promise<Chunk>> {
  /** What a WsgiResponse with this content states as its Content-Type. */
  readonly contentType = 'text/html; charset=utf-8';
  readonly #parts: readonly (string | Promise<string>)[];

  /** @param parts - markup as it is: use {@link html}, which escapes */
  constructor(parts: readonly (string | Promise<string>)[]) {
    this.#parts = parts;
    // One may reject before its turn, or when its turn never comes: the response is not sent, or the client leaves.
    for (const part of parts) if (typeof part !== 'string') void own(part);
  }

  *[Symbol.iterator](): IterableIterator<string | Promise<string>> {
    yield* this.#parts;
  }

  /** All of it, once its promises have settled. */
  render(): Promise<string> {
    return own(Promise.all(this.#parts).then((parts) => parts.join('')));
  }
}

/**
 * HTML with values escaped: in text, and in attributes in quotes. Values that stand in scripts, styles, event handlers
 * or URLs are not made safe by escaping.
 * @example new WsgiResponse({ content: html`<h1>Hello ${name}</h1>` })
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const parts: (string | Promise<string>)[] = [strings[0] as string];
  try {
    values.forEach((value, i) => {
      append(parts, value);
      push(parts, strings[i + 1] as string);
    });
  } catch (error) {
    ownAll(values);
    throw error;
  }
  return new Html(parts);
}

/** Markup that is safe already, for use in {@link html}. Never give it what a client sent. */
export function unsafeHtml(markup: string): Html {
  return new Html([markup]);
}

function append(parts: (string | Promise<string>)[], value: HtmlValue): void {
  if (value === null || value === undefined || typeof value === 'boolean') return;
  if (typeof value === 'string') push(parts, escapeHtml(value));
  else if (typeof value === 'number' || typeof value === 'bigint') push(parts, String(value));
  else if (value instanceof Html) for (const part of value) push(parts, part);
  else if (Array.isArray(value)) for (const item of value as readonly HtmlValue[]) append(parts, item);
  else if (isPromise(value)) push(parts, own(renderLater(value)));
  else
    throw new TypeError(
      `html takes text, numbers, html, promises and arrays of these; received ${typeof value}`,
    );
}

/** No template is made: its promises still have an owner. */
function ownAll(values: readonly unknown[]): void {
  for (const value of values) {
    if (Array.isArray(value)) ownAll(value);
    else if (value instanceof Promise) void own(value);
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown }).then === 'function';
}

async function renderLater(value: PromiseLike<unknown>): Promise<string> {
  const settled = (await value) as HtmlValue;
  return html`${settled}`.render();
}

/** Adjacent texts become one. */
function push(parts: (string | Promise<string>)[], part: string | Promise<string>): void {
  const last = parts.length - 1;
  if (typeof part === 'string' && typeof parts[last] === 'string') parts[last] += part;
  else parts.push(part);
}
