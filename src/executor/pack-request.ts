import { serialize } from 'node:v8';
import type { Environ } from '../core/contract.js';
import { LazyEnviron } from '../core/environ.js';
import { VelaError } from '../core/errors.js';
import type { RequestHost } from '../core/request-host.js';

/** Keys that the thread has of itself, that the head holds, or that have no meaning there. */
const OWN_KEYS: ReadonlySet<string> = new Set([
  'wsgi.input',
  'wsgi.errors',
  'wsgi.file_wrapper',
  'vela.signal',
  'vela.stopping',
  'vela.cfg',
  'vela.logger',
  'vela.connection',
  'vela.response',
  'vela.tunnel',
  'vela.upgrade',
  'vela.request_id',
  'vela.request',
  'vela.body',
  'vela.timings',
  'vela.opentelemetry',
]);

/** Classes whose objects are the same again in the thread. Those of other classes would come without their class. */
const CLONEABLE: readonly unknown[] = [
  Object,
  Array,
  Map,
  Set,
  Date,
  RegExp,
  ArrayBuffer,
  Uint8Array,
  Buffer,
];

/** What a request may read in the thread, beside its body. */
export interface PackOptions {
  /** In lower case; undefined for all. */
  readonly headers: readonly string[] | undefined;
  readonly clientAddress: boolean;
}

/** A request's head in one text, a line for each thing that `ThreadHead` reads: one string is what is cheapest to send. */
export function packHead(environ: Environ, host: RequestHost, options: PackOptions): string {
  const { query } = host;
  let address = '';
  let port = '';
  let gateway = '';
  if (options.clientAddress) {
    const { connection } = host;
    address = connection.remoteAddress;
    port = connection.remotePort?.toString() ?? '';
    gateway = connection.gateway;
  }
  const path = requireLine('vela.raw_path', environ['vela.raw_path']);
  const requestId = requireLine('vela.request_id', environ['vela.request_id']);
  let text = `${host.method}\n${path}\n${host.contentLength}\n${requestId}\n`;
  text += `${query === undefined ? '' : `?${query}`}\n${host.target}\n${host.protocol}\n${address}\n${port}\n`;
  text += `${host.facts.scheme}\n${gateway}\n${host.timestamp}`;
  const fields = host.fields();
  const { headers } = options;
  for (let i = 0; i < fields.length; i += 2) {
    if (headers !== undefined && !headers.includes(fields[i] as string)) continue;
    text += `\n${fields[i]}\n${fields[i + 1]}`;
  }
  return text;
}

/**
 * What was assigned to an environ, key, value, key, value; undefined for nothing. Objects go as bytes, numbers in a list, and
 * `LOST` in place of what cannot go.
 */
export function packAssigned(environ: Environ): unknown[] | undefined {
  let packed: unknown[] | undefined;
  for (const key of LazyEnviron.assignedKeys(environ)) {
    if (OWN_KEYS.has(key)) continue;
    packed ??= [];
    packed.push(key, packValue(environ[key]));
  }
  return packed;
}

/** What is assigned may hold anything, and a line of the head only one. */
function requireLine(key: string, value: string): string {
  if (!value.includes('\n')) return value;
  throw new VelaError('ERR_EXECUTOR_ENVIRON', `environ['${key}'] holds a line break: encode it`);
}

/** Stands for a value that cannot cross. */
const LOST = 0;

function packValue(value: unknown): unknown {
  if (value === null || value === undefined || typeof value === 'string' || typeof value === 'boolean')
    return value;
  if (typeof value === 'number' || typeof value === 'bigint') return [value];
  if (typeof value !== 'object' || !isCloneable(value)) return LOST;
  try {
    return new Uint8Array(serialize(value));
  } catch {
    return LOST;
  }
}

function isCloneable(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as { constructor?: unknown } | null;
  // A dictionary has none, as a Router's parameters have.
  return prototype?.constructor === undefined || CLONEABLE.includes(prototype.constructor);
}

/** True for what stands for a value that could not cross. */
export function isLost(packed: unknown): boolean {
  return packed === LOST;
}

/** An error for who reads what could not cross. */
export function lostKeyError(key: string): VelaError {
  return new VelaError(
    'ERR_EXECUTOR_KEY',
    `environ['${key}'] cannot be read in a thread of the executor: its value cannot be sent to another thread. Read it before, and assign what is needed of it as plain data`,
  );
}
