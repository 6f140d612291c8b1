import { own } from '../core/own.js';
import { WaitQueue } from '../core/wait-queue.js';
import type { JsonRpcCall } from './json-rpc-call.js';
import type { JsonRpcMethodDescription, MethodList } from './method-description.js';

/** A method as it was declared. */
export interface DeclaredMethod {
  /** Checks the parameters, calls the handler and checks what it gives. */
  readonly run: (call: JsonRpcCall) => unknown;
  readonly timeoutMs: number | undefined;
  readonly description: JsonRpcMethodDescription;
}

/** Runs around a call: what it returns is the result, what it throws the error. `next` calls what is within. */
export type JsonRpcMiddleware = (call: JsonRpcCall, next: () => Promise<unknown>) => unknown;

/** A method as calls meet it. */
export interface ReadyMethod {
  readonly run: (call: JsonRpcCall) => unknown;
  /** Where calls wait that are not done at once. */
  readonly waits: WaitQueue;
}

/** All methods, by whole names: in a Map, so that nothing is there but what was put there. */
export interface MethodTable extends MethodList {
  readonly methods: ReadonlyMap<string, ReadyMethod>;
}

/** A method with what lies around it. */
export interface PlacedMethod {
  readonly name: string;
  readonly declared: DeclaredMethod;
  /** The outermost first. */
  readonly middleware: readonly JsonRpcMiddleware[];
  readonly timeoutMs: number;
}

/** @throws {TypeError} for two methods of one name */
export function createTable(placed: readonly PlacedMethod[]): MethodTable {
  const methods = new Map<string, ReadyMethod>();
  const descriptions: JsonRpcMethodDescription[] = [];
  const queues = new Map<number, WaitQueue>();
  for (const { name, declared, middleware, timeoutMs } of placed) {
    if (methods.has(name))
      throw new TypeError(`There are two methods "${name}": take another name, or another prefix`);
    const waits = queues.get(timeoutMs) ?? new WaitQueue(timeoutMs);
    queues.set(timeoutMs, waits);
    methods.set(name, { run: surround(middleware, declared.run), waits });
    const { description } = declared;
    const signature = name + description.signature.slice(description.name.length);
    descriptions.push({ ...description, name, signature });
  }
  return { methods, descriptions };
}

function surround(
  middleware: readonly JsonRpcMiddleware[],
  run: (call: JsonRpcCall) => unknown,
): (call: JsonRpcCall) => unknown {
  return middleware.reduceRight<(call: JsonRpcCall) => unknown>(
    (inner, one) => (call: JsonRpcCall) => one(call, () => own((async () => inner(call))())),
    run,
  );
}
