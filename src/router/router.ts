import type {
  App,
  Environ,
  Middleware,
  MiddlewareResult,
  Part,
  PartDescription,
  StartContext,
  StartResponse,
} from '../core/contract.js';
import { describeValue } from '../core/errors.js';
import { TOKEN } from '../core/http-syntax.js';
import { nameLogger } from '../core/logger.js';
import { startParts, stopParts } from '../core/parts.js';
import type { AddRoute } from './add-route.js';
import { answerRequest } from './answer-request.js';
import { buildUrl, type UrlParams, type UrlQuery } from './build-url.js';
import { DeclaredRoutes } from './declared-routes.js';
import { describeRoute, type RouteDescription, type RouteOperation } from './describe-route.js';
import { findUnreachable } from './find-unreachable.js';
import { keepContract } from './keep-contract.js';
import { mountPart } from './mount-part.js';
import { nestRoute } from './nested-route.js';
import { type PathPattern, parsePattern } from './path-pattern.js';
import { formatRoute, readyRoutes } from './ready-route.js';
import { explainSame, explainUnreachable, refuseSameNames } from './refuse-routes.js';
import { type ResourceAt, type ResourceClass, resolveResource } from './resource.js';
import { createRoute, type Route, type RouteOptions, type RouteTarget } from './route.js';
import { resolveContract } from './route-contract.js';
import { declareHeaders, listParts } from './route-parts.js';
import { type AnyHandler, requireHandler } from './route-request.js';
import { RouteTable } from './route-table.js';
import { type ResolvedRouterOptions, type RouterOptions, resolveRouterOptions } from './router-options.js';

/** A route of this router, or a router below it, in the order of declaration. */
type Declared = Route | { readonly prefix: PathPattern; readonly router: Router<string> };

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
export class Router<const Host extends string = ''> implements Part {
  readonly runsOn = 'request';
  readonly #options: ResolvedRouterOptions;
  readonly #declared: Declared[] = [];
  readonly #routes = new DeclaredRoutes();
  /** The routers that this one is mounted in. */
  readonly #parents = new Set<Router<string>>();
  #table: RouteTable | undefined;
  #unreachable: ReadonlyMap<Route, Route> | undefined;
  /** How many servers have started it. */
  #starts = 0;
  /** Somebody counts on its headers. */
  #isFinal = false;

  /** HEAD is answered as GET is, by the gateway without the body. */
  readonly get: AddRoute<this, Host> = this.#adder(['GET']);
  readonly head: AddRoute<this, Host> = this.#adder(['HEAD']);
  readonly post: AddRoute<this, Host> = this.#adder(['POST']);
  readonly put: AddRoute<this, Host> = this.#adder(['PUT']);
  readonly patch: AddRoute<this, Host> = this.#adder(['PATCH']);
  readonly delete: AddRoute<this, Host> = this.#adder(['DELETE']);
  readonly options: AddRoute<this, Host> = this.#adder(['OPTIONS']);
  /** For every method. */
  readonly all: AddRoute<this, Host> = this.#adder(undefined);

  constructor(options: RouterOptions<Host> = {}) {
    this.#options = resolveRouterOptions(options);
  }

  /** For methods by their names, in upper case: `on(['PROPFIND'])('/files/*path', handler)`. */
  on(methods: readonly string[], ...surplus: readonly never[]): AddRoute<this, Host> {
    if (surplus.length > 0)
      throw new TypeError(
        "Router.on() takes methods alone, and gives what adds the route: router.on(['PROPFIND'])('/path', handler)",
      );
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

  /**
   * Puts a router, an application or a middleware below a prefix, which may have parameters. The routes of a router count as
   * this one's, those that it gets later too. An application sees the rest of the path, and the prefix as SCRIPT_NAME.
   * @throws {TypeError} for something else, and for a router within itself
   */
  mount(prefix: string, part: App | Middleware): this {
    if (!(part instanceof Router)) return this.#declare(mountPart(prefix, part, this.#options.home));
    const router = part as Router<string>;
    if (router.#holds(this)) throw new TypeError('A router cannot be mounted in itself');
    this.#declare({ prefix: parsePattern(prefix), router });
    router.#parents.add(this);
    return this;
  }

  /**
   * Puts a class at a path: its methods that are named by verbs answer, its static fields are the options of their routes.
   * @param args - what the class is made with, once
   * @throws {TypeError} for methods that are no verbs, and static fields that are no parameters
   */
  resource<const Path extends string, C extends ResourceClass>(
    path: Path,
    resource: C & ResourceAt<C, Path, Host>,
    ...args: ConstructorParameters<C>
  ): this {
    parsePattern(path);
    for (const { methods, path: at, options, handler } of resolveResource(path, resource, args))
      this.#add(methods, at, options, handler);
    return this;
  }

  /**
   * The path of the route that has a name, as this router sees it: without SCRIPT_NAME.
   * @throws {TypeError} for a name that there is not, and parameters that do not fit
   */
  url(name: string, params: UrlParams = {}, query: UrlQuery = {}): string {
    const { routes } = this.#find();
    const route = routes.find((one) => one.name === name);
    if (route !== undefined) return buildUrl(route, params, query);
    const known = new Set(routes.flatMap((one) => one.name ?? []));
    throw new TypeError(
      `No route has the name ${describeValue(name)}; there are ${[...known].join(', ') || 'none'}`,
    );
  }

  /** All routes in the order in which they are tried, those of mounted routers among them. */
  routes(): RouteDescription[] {
    const unreachable = this.#findUnreachable();
    return this.#find().routes.map((route) => {
      const cover = unreachable.get(route);
      return describeRoute(route, cover === undefined ? undefined : formatRoute(cover));
    });
  }

  /** The same with what each says of its requests and responses. */
  operations(): RouteOperation[] {
    const { routes } = this.#find();
    return this.routes().map((route, index) => ({ ...route, contract: (routes[index] as Route).contract }));
  }

  handle(environ: Environ, startResponse: StartResponse): MiddlewareResult | PromiseLike<MiddlewareResult> {
    return answerRequest(this.#table ?? this.#find(), this.#options.refusals, environ, startResponse);
  }

  /** The headers that it reads, when all of its middleware and applications declare theirs, and it has no handlers. */
  get headers(): readonly string[] | undefined {
    const headers = declareHeaders(this.#find().routes);
    if (headers !== undefined) this.#isFinal = true;
    return headers;
  }

  /** Starts its middleware and applications. From now on its routes stay as they are. */
  async start(context: StartContext): Promise<void> {
    for (const [route, cover] of this.#findUnreachable()) {
      if (route.unreachable !== 'warn') continue;
      const details = { route: formatRoute(route), behind: formatRoute(cover) };
      nameLogger(context.logger, 'vela.router').warn(details, explainUnreachable(route, cover));
    }
    this.#starts++;
    try {
      await startParts(listParts(this.#find().routes), context);
    } catch (error) {
      this.#starts--;
      throw error;
    }
  }

  async stop(): Promise<void> {
    if (this.#starts > 0) this.#starts--;
    await stopParts(listParts(this.#find().routes));
  }

  describe(): PartDescription {
    return { name: 'Router', routes: this.routes() };
  }

  #adder(methods: readonly string[] | undefined): AddRoute<this, Host> {
    return (path: string, ...rest: unknown[]) => {
      if (rest.length > 2)
        throw new TypeError(
          `The route ${describeValue(path)} has one handler, and its options before that: middleware stands there, { middleware: [check] }`,
        );
      return rest.length === 2
        ? this.#add(methods, path, rest[0], rest[1])
        : this.#add(methods, path, {}, rest[0]);
    };
  }

  #add(methods: readonly string[] | undefined, path: string, options: unknown, handler: unknown): this {
    const pattern = parsePattern(path);
    requireHandler(path, handler);
    const { contract, rest } = resolveContract(methods, options as RouteOptions);
    const where = () => formatRoute({ methods, pattern });
    const target: RouteTarget = { handler: keepContract(handler as AnyHandler, contract, where) };
    return this.#declare(createRoute(methods, pattern, this.#options.home, rest, contract, target));
  }

  /** @throws {TypeError} once a server has started it, and for a route that is there already */
  #declare(declared: Declared): this {
    this.#refuseLate();
    if (!('router' in declared)) {
      const same = declared.unreachable === 'ignore' ? undefined : this.#routes.findSame(declared);
      if (same !== undefined) throw new TypeError(explainSame(declared));
      this.#routes.add(declared);
    }
    this.#declared.push(declared);
    this.#forget();
    return this;
  }

  #refuseLate(): void {
    if (this.#starts > 0)
      throw new TypeError('The server has started: add routes, and mount routers and applications, before');
    if (this.#isFinal)
      throw new TypeError('The router is in a handler, which has asked for its headers: add routes before');
    for (const parent of this.#parents) parent.#refuseLate();
  }

  /** What was made of the routes is made anew. */
  #forget(): void {
    this.#table = undefined;
    this.#unreachable = undefined;
    for (const parent of this.#parents) parent.#forget();
  }

  /** Whether a router is this one, or below it. */
  #holds(router: Router<string>): boolean {
    const self = this as Router<string>;
    return router === self || this.#declared.some((one) => 'router' in one && one.router.#holds(router));
  }

  #find(): RouteTable {
    if (this.#table === undefined) {
      const routes = readyRoutes(this.#resolve());
      refuseSameNames(routes);
      this.#table = new RouteTable(routes);
      if (routes.some(({ unreachable }) => unreachable === 'refuse')) this.#findUnreachable();
    }
    return this.#table;
  }

  /** @throws {TypeError} for routes of which that is refused */
  #findUnreachable(): ReadonlyMap<Route, Route> {
    const { routes } = this.#find();
    this.#unreachable ??= findUnreachable(routes);
    for (const [route, cover] of this.#unreachable)
      if (route.unreachable === 'refuse') throw new TypeError(explainUnreachable(route, cover));
    return this.#unreachable;
  }

  /** Its routes and those of the routers in it, as one list. */
  #resolve(): Route[] {
    const { around } = this.#options;
    return this.#declared.flatMap((one) =>
      'router' in one
        ? one.router.#resolve().map((route) => nestRoute(route, { ...around, prefix: one.prefix }))
        : [nestRoute(one, around)],
    );
  }
}
