import type { Environ, Part, PartDescription, StartContext } from '../core/contract.js';
import { describeValue, ImproperlyConfigured } from '../core/errors.js';
import type { WsgiResponse } from '../core/wsgi-response.js';
import { requireServerLimit } from '../middleware/require-server-limit.js';
import type { StandardSchemaV1 } from '../request/standard-schema.js';
import {
  type AnyHandler,
  declareMethod,
  type JsonRpcMethodOptions,
  requirePrefix,
} from './declare-method.js';
import { Dispatcher } from './dispatcher.js';
import {
  type JsonRpcHandlerOptions,
  type ResolvedHandlerOptions,
  resolveHandlerOptions,
} from './handler-options.js';
import type { JsonRpcCall, JsonRpcContext } from './json-rpc-call.js';
import { JsonRpcSession, type JsonRpcSessionOptions } from './json-rpc-session.js';
import type { JsonRpcMethodDescription } from './method-description.js';
import {
  createTable,
  type DeclaredMethod,
  type JsonRpcMiddleware,
  type MethodTable,
  type PlacedMethod,
} from './method-table.js';
import type { HandlerArgs, HandlerResult, JsonRpcParams, MethodType, Prefixed } from './method-types.js';
import { discoverMethod } from './openrpc.js';
import { serveHttp } from './serve-http.js';

/** What a handler calls, by whole names. */
type Calls = Readonly<Record<never, never>>;

/**
 * Methods that can be called over JSON-RPC 2.0: over HTTP as an application, and over anything else that carries
 * texts with `dispatch` and `connect`. Its type is what {@link createJsonRpcClient} knows of them. Only what was given to
 * `method` and `mount` can be called.
 * @example
 * const calc = new JsonRpcHandler().method('add', { params: [['a', 'number'], ['b', 'number']] }, (_call, a, b) => a + b);
 * const rpc = new JsonRpcHandler().method('ping', () => 'pong').mount('calc', calc);
 * await new WsgiServer(new WsgiHandler([mount('/rpc', rpc), router])).start();
 * @see {@link https://www.jsonrpc.org/specification | JSON-RPC 2.0}
 */
export class JsonRpcHandler<out M = Calls> implements Part {
  /** Never there at run time: the types of its methods, for clients. */
  declare readonly '~methods'?: M;
  readonly runsOn = 'request';
  readonly headers: readonly string[] | undefined;
  readonly #options: ResolvedHandlerOptions;
  /** Whether it has a time-out of its own, where it is mounted. */
  readonly #ownTimeoutMs: number | undefined;
  readonly #methods = new Map<string, DeclaredMethod>();
  readonly #mounts: { readonly prefix: string; readonly handler: JsonRpcHandler<unknown> }[] = [];
  readonly #middleware: JsonRpcMiddleware[] = [];
  readonly #parents = new Set<JsonRpcHandler<unknown>>();
  readonly #dispatcher: Dispatcher;
  readonly #serve: (environ: Environ) => WsgiResponse | PromiseLike<WsgiResponse>;
  #table: MethodTable | undefined;

  /** @throws {TypeError} for a wrong option */
  constructor(options: JsonRpcHandlerOptions = {}) {
    this.#options = resolveHandlerOptions(options);
    this.#ownTimeoutMs = options.timeoutMs;
    this.headers = this.#options.headers;
    this.#dispatcher = new Dispatcher(this.#options, () => this.#findTable());
    this.#serve = serveHttp(this.#dispatcher, this.#options);
  }

  /**
   * Adds a method. Its handler gets the call and the parameters, and gives the result or a promise of it.
   * @throws {TypeError} for a name that is taken or the protocol's, wrong options, and a handler whose parameters are not named
   * @example rpc.method('greet', { params: [['name', z.string()]] }, (call, name) => `Hello ${name}`)
   */
  method<const Name extends string, Result>(
    name: Name,
    handler: (call: JsonRpcCall) => Result,
  ): JsonRpcHandler<M & Record<Name, MethodType<readonly [], undefined, Result>>>;
  method<
    const Name extends string,
    Result,
    const P extends JsonRpcParams = readonly [],
    R extends StandardSchemaV1 | undefined = undefined,
  >(
    name: Name,
    options: JsonRpcMethodOptions<P, R>,
    handler: (call: JsonRpcCall, ...args: HandlerArgs<P>) => HandlerResult<R, Result>,
  ): JsonRpcHandler<M & Record<Name, MethodType<P, R, Result>>>;
  method(name: string, ...rest: readonly unknown[]): JsonRpcHandler<unknown> {
    const [options, handler] = rest.length > 1 ? rest : [{}, rest[0]];
    const declared = declareMethod(name, options as JsonRpcMethodOptions, handler as AnyHandler);
    if (this.#methods.has(name))
      throw new TypeError(`There is a method "${name}" already: take another name, or declare it once`);
    this.#methods.set(name, declared);
    this.#verify(() => this.#methods.delete(name));
    return this;
  }

  /**
   * Adds the methods of another handler, as they are and as they will be: below a prefix, `mount('calc', calc)` for `calc.add`, or
   * beside its own. Of the other handler's options `timeoutMs` counts.
   * @throws {TypeError} for a name that is taken, and for a handler within itself
   */
  mount<N>(handler: JsonRpcHandler<N>): JsonRpcHandler<M & N>;
  mount<const Prefix extends string, N>(
    prefix: Prefix,
    handler: JsonRpcHandler<N>,
  ): JsonRpcHandler<M & Prefixed<Prefix, N>>;
  mount(...given: readonly unknown[]): JsonRpcHandler<unknown> {
    const [prefix, handler] = given.length > 1 ? given : [undefined, given[0]];
    if (prefix !== undefined) requirePrefix(prefix);
    if (!(handler instanceof JsonRpcHandler))
      throw new TypeError(
        `mount() takes a JsonRpcHandler, perhaps after a prefix, mount('calc', handler); received ${describeValue(handler)}`,
      );
    if (handler === this || handler.#holds(this))
      throw new TypeError('A JsonRpcHandler cannot be mounted in itself');
    this.#mounts.push({ prefix: prefix === undefined ? '' : `${prefix}.`, handler });
    this.#verify(() => this.#mounts.pop());
    handler.#parents.add(this);
    return this;
  }

  /**
   * Runs around each call of this handler's methods, and of those mounted in it, before the parameters are checked. The first
   * that is added is the outermost.
   * @throws {TypeError} for what is no function
   * @example rpc.use(async (call, next) => { await authorize(call.request); return await next(); })
   */
  use(middleware: JsonRpcMiddleware): this {
    if (typeof middleware !== 'function')
      throw new TypeError(
        `use() takes a function, (call, next) => next(); received ${describeValue(middleware)}`,
      );
    this.#middleware.push(middleware);
    this.#changed();
    return this;
  }

  /** Answers a request: the contract's call. */
  handle(environ: Environ): WsgiResponse | PromiseLike<WsgiResponse> {
    return this.#serve(environ);
  }

  /**
   * Answers one message, over whatever it came: the text to send back, or nothing for notifications. It never rejects.
   * @param message - text, or bytes in UTF-8
   */
  async dispatch(message: string | Uint8Array, context: JsonRpcContext = {}): Promise<string | undefined> {
    return (await this.#dispatcher.dispatch(message, context)).text;
  }

  /** For a connection that carries many messages, such as a WebSocket: bounds how many of its calls run at once. */
  connect(options: JsonRpcSessionOptions = {}): JsonRpcSession {
    return new JsonRpcSession(this.#dispatcher, this.#options.maxConcurrentCalls, options);
  }

  /** All methods that can be called, by whole names. */
  listMethods(): readonly JsonRpcMethodDescription[] {
    return this.#findTable().descriptions;
  }

  /** @throws {ImproperlyConfigured} for limits that can never be reached */
  start({ config }: StartContext): void {
    const { limitBytes, timeoutMs } = this.#options;
    // Defaults are no claim: a server may well have less.
    if (limitBytes !== 1_048_576) requireServerLimit('JsonRpcHandler', limitBytes, config);
    if (this.#ownTimeoutMs !== undefined && timeoutMs >= config.requestTimeoutMs)
      throw new ImproperlyConfigured(
        `Option "timeoutMs" of JsonRpcHandler must be below the server's "requestTimeoutMs", which is ${config.requestTimeoutMs}; received ${timeoutMs}: raise that one, or lower this one`,
      );
  }

  describe(): PartDescription {
    return { name: 'JsonRpcHandler', methods: this.listMethods().map(({ signature }) => signature) };
  }

  #holds(other: JsonRpcHandler<unknown>): boolean {
    return this.#mounts.some(({ handler }) => handler === other || handler.#holds(other));
  }

  /** A name that is taken is told where it is given, and not by the first call. */
  #verify(undo: () => void): void {
    this.#changed();
    if (this.#mounts.length === 0 && this.#parents.size === 0) return;
    try {
      this.#findTables();
    } catch (error) {
      undo();
      this.#changed();
      throw error;
    }
  }

  /** @throws {TypeError} for two methods of one name, here or in what it is mounted in */
  #findTables(): void {
    this.#findTable();
    for (const parent of this.#parents) parent.#findTables();
  }

  #changed(): void {
    this.#table = undefined;
    for (const parent of this.#parents) parent.#changed();
  }

  #findTable(): MethodTable {
    if (this.#table === undefined) {
      const { discover, timeoutMs, toJsonSchema } = this.#options;
      const placed = this.#place('', [], timeoutMs);
      if (discover !== undefined) placed.push(discoverMethod(discover, timeoutMs, toJsonSchema));
      this.#table = createTable(placed);
    }
    return this.#table;
  }

  #place(prefix: string, outer: readonly JsonRpcMiddleware[], timeoutMs: number): PlacedMethod[] {
    const middleware = [...outer, ...this.#middleware];
    const own = [...this.#methods].map(([name, declared]) => ({
      name: prefix + name,
      declared,
      middleware,
      timeoutMs: declared.timeoutMs ?? timeoutMs,
    }));
    const below = this.#mounts.flatMap(({ prefix: at, handler }) =>
      handler.#place(prefix + at, middleware, handler.#ownTimeoutMs ?? timeoutMs),
    );
    return [...own, ...below];
  }
}
