import type {
  Environ,
  Middleware,
  MiddlewareFunction,
  MiddlewareResult,
  Part,
  PartDescription,
  StartContext,
  StartResponse,
} from '../core/contract.js';
import { describeValue, isThenable, refuseUnknown, requireOptions } from '../core/errors.js';
import { TOKEN } from '../core/http-syntax.js';
import { mergeDeclaredHeaders, startParts, stopParts } from '../core/parts.js';
import type { StandardSchemaV1 } from '../request/standard-schema.js';
import { buildUrl, type UrlParams, type UrlQuery } from './build-url.js';
import { callHandler } from './call-handler.js';
import type { ParamOptions } from './converters.js';
import { findMatch, refuseMethod } from './find-match.js';
import { keepContract } from './keep-contract.js';
import { type PathPattern, type PathPolicy, parsePattern } from './path-pattern.js';
import {
  createRoute,
  mountRoute,
  type Route,
  type RouteOptions,
  requireMiddleware,
  setRoute,
} from './route.js';
import { type RouteContract, resolveContract } from './route-contract.js';
import type { ConvertedParams, RouteHandler } from './route-request.js';
import { RouteTable } from './route-table.js';
import type { CheckedResult, ResponseOption, SchemaOptions, Valid } from './schema-options.js';
import { SkipRoute } from './skip-route.js';

/** Options of a {@link Router}. */
export interface RouterOptions {
  /** Runs before each handler of this router and of those mounted in it, in order. */
  middleware?: readonly Middleware[];
  /** Whether upper and lower case differ in paths. @defaultValue false */
  sensitive?: boolean;
  /** Whether a path may have one slash more at its end than its pattern. @defaultValue true */
  trailing?: boolean;
  /**
   * What becomes of a request whose path is known and whose method is not: `refuse` answers 405 with Allow, and OPTIONS
   * with 204; `pass` leaves it to what stands behind this router. @defaultValue `refuse`
   */
  otherMethods?: 'refuse' | 'pass';
}

/** What `routes()` says of a route. */
export interface RouteDescription {
  /** Undefined for all methods. */
  readonly methods: readonly string[] | undefined;
  readonly path: string;
  readonly name: string | undefined;
}

/** A route with what it says of its requests and responses: what descriptions of an API are made of. */
export interface RouteOperation extends RouteDescription {
  readonly contract: RouteContract;
}

/** Adds a route: a path, perhaps options, and its handler. */
export interface AddRoute {
  <const Path extends string>(path: Path, handler: RouteHandler<ConvertedParams<Path, object>>): Router;
  <
    const Path extends string,
    const P extends ParamOptions | StandardSchemaV1 = Record<never, never>,
    Q extends StandardSchemaV1 | undefined = undefined,
    H extends StandardSchemaV1 | undefined = undefined,
    B extends StandardSchemaV1 | undefined = undefined,
    R extends ResponseOption | undefined = undefined,
  >(
    path: Path,
    options: RouteOptions<P> & SchemaOptions<B, Q, H, R>,
    handler: RouteHandler<ConvertedParams<Path, P>, Valid<P, Q, H, B>, CheckedResult<R>>,
  ): Router;
}

/** A route of this router, or a router below it, in the order of declaration. */
type Declared = Route | { readonly prefix: PathPattern; readonly router: Router };

/**
 * Routes requests by method and path, in the syntax of path-to-regexp. It is a middleware: what no route takes, it passes
 * on, so several may stand in one WsgiHandler. The first route in the order of declaration that matches answers; one that
 * returns nothing, or throws {@link SkipRoute}, leaves the request to the next.
 * @example
 * const router = new Router()
 *   .get('/users/:id', (request) => ({ id: request.params.id }))
 *   .delete('/users/:id', { params: { id: 'int' } }, ({ params }) => remove(params.id));
 * await new WsgiServer(new WsgiHandler([router])).start();
 */
export class Router implements Part {
  readonly runsOn = 'request';
  readonly #middleware: readonly Middleware[];
  readonly #policy: PathPolicy;
  readonly #passesMethods: boolean;
  readonly #declared: Declared[] = [];
  #table: RouteTable | undefined;

  /** HEAD is answered as GET is, by the gateway without the body. */
  readonly get: AddRoute = this.#adder(['GET']);
  readonly head: AddRoute = this.#adder(['HEAD']);
  readonly post: AddRoute = this.#adder(['POST']);
  readonly put: AddRoute = this.#adder(['PUT']);
  readonly patch: AddRoute = this.#adder(['PATCH']);
  readonly delete: AddRoute = this.#adder(['DELETE']);
  readonly options: AddRoute = this.#adder(['OPTIONS']);
  /** For every method. */
  readonly all: AddRoute = this.#adder(undefined);

  constructor(options: RouterOptions = {}) {
    const {
      middleware = [],
      sensitive = false,
      trailing = true,
      otherMethods = 'refuse',
      ...unknown
    } = requireOptions('Router', options);
    refuseUnknown('Router', unknown, ['middleware', 'sensitive', 'trailing', 'otherMethods']);
    for (const [option, value] of Object.entries({ sensitive, trailing })) {
      if (typeof value !== 'boolean')
        throw new TypeError(
          `Option "${option}" of Router must be true or false; received ${describeValue(value)}`,
        );
    }
    if (otherMethods !== 'refuse' && otherMethods !== 'pass')
      throw new TypeError(
        `Option "otherMethods" of Router must be 'refuse' or 'pass'; received ${describeValue(otherMethods)}`,
      );
    this.#middleware = requireMiddleware(middleware);
    this.#policy = { sensitive, trailing };
    this.#passesMethods = otherMethods === 'pass';
  }

  /** For methods by their names, in upper case: `on(['PROPFIND'])('/files/*path', handler)`. */
  on(methods: readonly string[]): AddRoute {
    const isList = Array.isArray(methods) && methods.length > 0;
    if (
      !isList ||
      !methods.every(
        (one: unknown) => typeof one === 'string' && TOKEN.test(one) && one === one.toUpperCase(),
      )
    )
      throw new TypeError(
        `Router.on() takes names of methods in upper case, ['GET', 'POST']; received ${describeValue(methods)}`,
      );
    return this.#adder(methods);
  }

  /** Puts the routes of a router below a prefix, which may have parameters. What is added to it later is not seen. */
  mount(prefix: string, router: Router): this {
    if (!(router instanceof Router))
      throw new TypeError(
        `Router.mount() takes a Router; received ${describeValue(router)}. For an application use mount() of vela/middleware`,
      );
    if (router === this) throw new TypeError('A router cannot be mounted in itself');
    this.#declared.push({ prefix: parsePattern(prefix), router });
    this.#table = undefined;
    return this;
  }

  /**
   * The path of the route that has a name, as this router sees it: without SCRIPT_NAME.
   * @throws {TypeError} for a name that there is not, and parameters that do not fit
   */
  url(name: string, params: UrlParams = {}, query: UrlQuery = {}): string {
    const route = this.#find().routes.find((one) => one.name === name);
    if (route !== undefined) return buildUrl(route.pattern, params, query);
    const known = this.#find().routes.flatMap((one) => one.name ?? []);
    throw new TypeError(
      `No route has the name ${describeValue(name)}; there are ${known.join(', ') || 'none'}`,
    );
  }

  /** All routes in the order in which they are tried, those of mounted routers among them. */
  routes(): RouteDescription[] {
    return this.#find().routes.map(({ methods, pattern, name }) => ({ methods, path: pattern.source, name }));
  }

  /** The same with what each says of its requests and responses. */
  operations(): RouteOperation[] {
    const { routes } = this.#find();
    return this.routes().map((route, index) => ({ ...route, contract: (routes[index] as Route).contract }));
  }

  handle(environ: Environ, startResponse: StartResponse): MiddlewareResult | PromiseLike<MiddlewareResult> {
    return this.#answer(this.#find(), environ, startResponse, undefined);
  }

  /** The headers that its middleware and handlers read later, when all of them declare theirs. */
  get headers(): readonly string[] | undefined {
    return mergeDeclaredHeaders(this.#parts());
  }

  async start(context: StartContext): Promise<void> {
    this.#find();
    await startParts(this.#parts(), context);
  }

  async stop(): Promise<void> {
    await stopParts(this.#parts());
  }

  describe(): PartDescription {
    return { name: 'Router', routes: this.routes() };
  }

  #adder(methods: readonly string[] | undefined): AddRoute {
    return (path: string, ...given: unknown[]): Router => {
      const [options, handler] = given.length > 1 ? given : [{}, given[0]];
      if (typeof handler !== 'function')
        throw new TypeError(
          `The route '${path}' needs a handler, a function (request) => response; received ${describeValue(handler)}`,
        );
      const pattern = parsePattern(path);
      const where = () => `${methods?.join(', ') ?? 'any method'} ${path}`;
      const { contract, rest } = resolveContract(methods, options as RouteOptions);
      const call = callHandler(keepContract(handler as RouteHandler<never>, contract, where), where);
      this.#declared.push(createRoute(methods, pattern, this.#policy, rest, contract, call));
      this.#table = undefined;
      return this;
    };
  }

  #find(): RouteTable {
    if (this.#table === undefined) {
      const routes = this.#resolve();
      const names = routes.flatMap(({ name }) => name ?? []);
      const twice = names.find((name, index) => names.indexOf(name) !== index);
      if (twice !== undefined) throw new TypeError(`Two routes have the name "${twice}"`);
      this.#table = new RouteTable(routes);
    }
    return this.#table;
  }

  /** Its routes and those of the routers in it, as one list. */
  #resolve(): Route[] {
    return this.#declared.flatMap((one) => {
      const routes = 'router' in one ? one.router.#resolve() : [one];
      return routes.map((route) =>
        mountRoute(route, 'router' in one ? one.prefix : undefined, this.#middleware),
      );
    });
  }

  #parts(): Middleware[] {
    return [...new Set(this.#find().routes.flatMap(({ parts }) => parts))];
  }

  /** @param after - the rank of the route that did not want the request */
  #answer(
    table: RouteTable,
    environ: Environ,
    startResponse: StartResponse,
    after: number | undefined,
  ): MiddlewareResult | PromiseLike<MiddlewareResult> {
    const match = findMatch(table, environ, after);
    if (match === undefined) {
      if (after !== undefined) {
        setRoute(environ, undefined, undefined);
        return undefined;
      }
      return this.#passesMethods ? undefined : refuseMethod(table, environ);
    }
    setRoute(environ, match.value, match.params);
    const goOn = () => this.#answer(table, environ, startResponse, match.lastRank);
    const recover = (error: unknown) => {
      if (error instanceof SkipRoute) return goOn();
      throw error;
    };
    try {
      const result = runCalls(match.value.calls, 0, environ, startResponse);
      if (Array.isArray(result)) return result as MiddlewareResult;
      if (isThenable(result))
        return (result as PromiseLike<MiddlewareResult>).then((value) => value ?? goOn(), recover);
      return result ?? goOn();
    } catch (error) {
      return recover(error);
    }
  }
}

/** Calls one after the other until one answers. */
function runCalls(
  calls: readonly MiddlewareFunction[],
  from: number,
  environ: Environ,
  startResponse: StartResponse,
): MiddlewareResult | PromiseLike<MiddlewareResult> {
  for (let i = from; i < calls.length; i++) {
    const result = (calls[i] as MiddlewareFunction)(environ, startResponse);
    if (result === undefined || result === null) continue;
    if (Array.isArray(result) || !isThenable(result)) return result;
    return result.then((value) => value ?? runCalls(calls, i + 1, environ, startResponse));
  }
  return undefined;
}
