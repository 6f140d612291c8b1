import type { Buffer } from 'node:buffer';
import type { WsgiInput } from '../core/contract.js';
import { RequestInput } from '../core/input.js';

const NO_FLOW = { pause() {}, resume() {} };

/** A wsgi.input whose bytes are there already. */
export function createMemoryInput(bytes: Buffer): WsgiInput {
  const input = new RequestInput(NO_FLOW, Number.POSITIVE_INFINITY, -1);
  RequestInput.push(input, bytes, true);
  RequestInput.end(input);
  return input;
}
