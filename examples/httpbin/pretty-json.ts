import { type ResponseOptions, WsgiResponse } from 'vela';

/**
 * JSON as httpbin.org writes it: keys in order, two spaces a level, a line end at the end, and nothing but ASCII. `<` is
 * escaped too, so that a browser finds no markup in it, whatever Content-Type a client of /response-headers has asked for.
 */
export function formatJson(value: unknown): string {
  const text = JSON.stringify(value, sortKeys, 2);
  return `${text.replaceAll(/[<\x7f-\uffff]/g, toEscape)}\n`;
}

/** A response with such JSON. */
export function prettyJson(value: unknown, options: ResponseOptions = {}): WsgiResponse {
  return new WsgiResponse({ ...options, content: formatJson(value), contentType: 'application/json' });
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function toEscape(letter: string): string {
  return `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
