import { BadRequest } from '../core/http-error.js';
import { findJsonError } from './find-json-error.js';

/**
 * JSON that came from outside. Its objects have no prototype, so that no key means anything but data.
 *
 * A key `__proto__`, and a `constructor` that holds a `prototype`, are refused: here they would be mere data, but code
 * that later merges the value into another object would change prototypes with them, and nobody sends them in good
 * faith.
 * @param maxDepth - how deep arrays and objects may lie in each other
 * @param what - named in errors: `The body`
 * @throws {BadRequest} 400, with the place of the error and without the text
 */
export function parseJson(text: string, maxDepth: number, what = 'The body'): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Its error quotes the body, so it is no cause either: causes are logged.
    throw new BadRequest(describeJsonError(text, what));
  }
  if (isObject(value)) guardJson(value, maxDepth, what, true);
  return value;
}

/**
 * Goes through a value that JSON.parse made, which has no cycles.
 * @param isBare - takes the prototypes of its objects, too, which is four fifths of the time
 * @throws {BadRequest} for what {@link parseJson} refuses
 */
export function guardJson(value: object, depthLeft: number, what: string, isBare: boolean): void {
  if (depthLeft === 0) throw new BadRequest(`${what} has arrays and objects that lie too deep in each other`);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i];
      if (isObject(item)) guardJson(item, depthLeft - 1, what, isBare);
    }
    return;
  }
  // In place: a copy costs twice as much.
  if (isBare) Object.setPrototypeOf(value, null);
  const object = value as Record<string, unknown>;
  for (const key in object) {
    if (key === '__proto__') throw new BadRequest(`${what} has a key "__proto__", which is not accepted`);
    const item = object[key];
    if (!isObject(item)) continue;
    if (key === 'constructor' && Object.hasOwn(item, 'prototype')) {
      throw new BadRequest(`${what} has a key "prototype" in "constructor", which is not accepted`);
    }
    guardJson(item, depthLeft - 1, what, isBare);
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Where a text that is no JSON is wrong, without the text. */
export function describeJsonError(text: string, what: string): string {
  if (text.trim() === '') return `${what} is empty, not JSON`;
  const at = findJsonError(text);
  if (at >= text.length) return `${what} is not JSON: it ends too early, after ${text.length} characters`;
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  return `${what} is not JSON: see character ${at + 1}, line ${line}, column ${at - before.lastIndexOf('\n')}`;
}
