import type { Environ, MiddlewareFunction, StartContext } from '../core/contract.js';
import { describeValue, refuseUnknown, requireOptions, VelaError } from '../core/errors.js';
import { resolveModule } from '../core/module-url.js';
import { isDeclarable } from '../core/parts.js';
import { Executor } from './executor.js';
import { RequestCall } from './request-call.js';
import { takeSharedExecutor } from './shared-executor.js';
import type { TargetKind } from './wire.js';

/** Options of {@link middlewareInExecutor} and {@link offload}. */
export interface OffloadOptions {
  /** The export that is called. @defaultValue `default` */
  name?: string;
  /**
   * The threads that it runs in: a pool of its own, from `createExecutor`, starves no other handler. It is not closed by
   * this. @defaultValue the pool of the server, of `threadWorkers` threads
   */
  executor?: Executor;
  /** The request headers that it reads, in HTTP spelling: only these are sent to the thread. @defaultValue all */
  headers?: readonly string[];
  /** Whether it reads the client's address, which costs a system call. @defaultValue true */
  clientAddress?: boolean;
}

/**
 * Runs an application or middleware in a thread, so that it may block. What it returns, throws and streams comes back as if
 * it had run here; nothing, and the request goes on.
 * @param module - the URL of its module, as a function cannot be sent to another thread
 * @throws {TypeError} at once for a function, for what is no URL of a file, and for a file that is not there
 * @see docs/executor.md
 * @example new WsgiHandler([waitForBody(), middlewareInExecutor(new URL('./blocking.js', import.meta.url), { name: 'app' })])
 */
export function middlewareInExecutor(module: URL | string, options: OffloadOptions = {}): MiddlewareFunction {
  return offloadTo('middlewareInExecutor', module, options, 'app');
}

/** The middleware for an export that is used in one way or the other. */
export function offloadTo(
  owner: string,
  module: URL | string,
  options: OffloadOptions,
  use: Exclude<TargetKind, 'function'>,
): MiddlewareFunction {
  const {
    name = 'default',
    executor: given,
    headers,
    clientAddress = true,
    ...unknown
  } = requireOptions(owner, options);
  refuseUnknown(owner, unknown, ['name', 'executor', 'headers', 'clientAddress']);
  if (typeof name !== 'string' || name === '')
    throw new TypeError(
      `Option "name" of ${owner} must be the name of an export; received ${describeValue(name)}`,
    );
  if (given !== undefined && !(given instanceof Executor))
    throw new TypeError(
      `Option "executor" of ${owner} must come from createExecutor(); received ${describeValue(given)}`,
    );
  if (headers !== undefined && !(Array.isArray(headers) && headers.every(isDeclarable)))
    throw new TypeError(
      `Option "headers" of ${owner} must be a list such as ['user-agent']; received ${describeValue(headers)}`,
    );
  if (typeof clientAddress !== 'boolean')
    throw new TypeError(
      `Option "clientAddress" of ${owner} must be true or false; received ${describeValue(clientAddress)}`,
    );
  const url = resolveModule(owner, module);
  const pack = { headers: headers?.map((one) => one.toLowerCase()), clientAddress };
  let running: Running | undefined;
  let starting: Promise<void> | undefined;
  let starts = 0;

  const offloaded: MiddlewareFunction = (environ: Environ, startResponse) => {
    if (running === undefined) throw stoppedError(owner);
    const call = new RequestCall(running.executor, environ, startResponse, pack);
    call.begin(running.target);
    return call.outcome;
  };
  offloaded.start = async (context: StartContext) => {
    starts++;
    starting ??= run(context);
    try {
      await starting;
    } catch (error) {
      starts--;
      starting = undefined;
      throw error;
    }
  };
  offloaded.stop = async () => {
    if (starts === 0 || --starts > 0) return;
    const stopping = running;
    starting = undefined;
    running = undefined;
    await stopping?.release();
  };
  async function run(context: StartContext): Promise<void> {
    const { executor, release } =
      given === undefined ? takeSharedExecutor(context) : { executor: given, release: async () => {} };
    try {
      const target = await executor.prepare({ module: url, name, use, owner, server: context });
      running = { executor, target, release };
    } catch (error) {
      await release();
      throw error;
    }
  }
  offloaded.describe = () => ({ name: owner, module: url, export: name });
  offloaded.runsOn = 'request';
  if (headers !== undefined) offloaded.headers = headers;
  return offloaded;
}

/** Where its calls go while it is started. */
interface Running {
  readonly executor: Executor;
  readonly target: number;
  /** Gives the executor back. */
  readonly release: () => Promise<void>;
}

function stoppedError(owner: string): VelaError {
  return new VelaError(
    'ERR_EXECUTOR_STOPPED',
    `${owner}() has no threads: it is started and stopped with its server, so serve the application that it is part of, with serve(), WsgiServer or testClient()`,
  );
}
