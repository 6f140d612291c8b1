import { scryptSync } from 'node:crypto';
import { move } from '../../../dist/executor/index.js';
import { HASH, HOLD_MS, STREAM } from '../../lib/executor-answers.mjs';

/** What runs in the threads of vela. */

export function nothing(_environ, startResponse) {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return ['ok'];
}

export function echo(environ, startResponse) {
  const body = environ['wsgi.input'].readSync();
  startResponse('200 OK', [['Content-Type', 'application/octet-stream']]);
  return [move(body)];
}

export function noop() {}

export const echoMoved = (bytes) => move(bytes);

/** A gibibyte, as long as somebody takes it. */
export function* streamed() {
  const chunk = Buffer.alloc(STREAM.chunkBytes, 'x');
  for (let sent = 0; sent < STREAM.bytes; sent += chunk.length) yield chunk;
}

export function wait() {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, HOLD_MS);
  return 'waited\n';
}

export function compute() {
  const endMs = performance.now() + HOLD_MS;
  let turns = 0;
  while (performance.now() < endMs) turns++;
  return `${turns > 0}\n`;
}

export const hash = () => ({ hash: scryptSync(HASH.password, HASH.salt, HASH.bytes, HASH.cost).toString('hex') });
