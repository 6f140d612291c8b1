import type {
  ConnectionInfo,
  Environ,
  ResponseControl,
  ServerConfig,
  WsgiErrors,
  WsgiInput,
} from './contract.js';
import { decodePath } from './decode-path.js';
import { VelaError } from './errors.js';
import { fileWrapper } from './file-wrapper.js';
import { requireHost } from './host.js';
import type { Logger } from './logger.js';
import { fieldKey, fieldName } from './request-fields.js';
import type { RequestHost } from './request-host.js';

const WSGI_VERSION = Object.freeze([1, 0] as const);

/** The environ of a request, read from its head only when asked. Internals are static, so that they are no keys. */
export class LazyEnviron implements Environ {
  /** The environ whose handler is on the stack: the only one of which `in` can be asked. */
  static #current: LazyEnviron | undefined;

  readonly #host: RequestHost;
  #path: string | undefined = undefined;
  #isPathAssigned = false;
  #requestId: string | undefined = undefined;

  constructor(host: RequestHost) {
    this.#host = host;
    if (host.facts.scheme === 'https') assign(this, 'HTTPS', 'on');
  }

  /** The handler's call begins; undefined when it has returned. */
  static enter(environ: LazyEnviron | undefined): void {
    LazyEnviron.#current = environ;
  }

  /** The value of a header, by its name in lower case. @throws {BadRequest} for a Host that is none, see docs/compatibility.md */
  static header(environ: LazyEnviron, name: string): string | undefined {
    const value = environ.#host.header(name);
    return name === 'host' ? requireHost(value) : value;
  }

  /** As `environ[key]` for the key of a header, without the Proxy at the end of the chain, which costs as much again. */
  static readField(environ: Environ, key: `HTTP_${string}`, name: string): string | undefined {
    return #host in environ && !Object.hasOwn(environ, key)
      ? LazyEnviron.header(environ, name)
      : environ[key];
  }

  /** What stands behind an environ of a gateway; undefined for another one, such as a copy. */
  static hostOf(environ: Environ): RequestHost | undefined {
    return #host in environ ? environ.#host : undefined;
  }

  /** The keys that were assigned. */
  static assignedKeys(environ: Environ): string[] {
    const keys = Object.keys(environ);
    if (!(#host in environ)) return keys;
    if (environ.#isPathAssigned) keys.push('PATH_INFO');
    if (environ.#requestId !== undefined) keys.push('vela.request_id');
    return keys;
  }

  /** Answers `key in environ` for header keys, on behalf of the environ whose handler is on the stack. */
  static hasHeader(key: string): boolean {
    const environ = LazyEnviron.#current;
    if (environ === undefined) {
      throw new VelaError(
        'ERR_ENVIRON_IN',
        `'${key}' in environ can be asked only while the handler is called, not after an await; compare with undefined instead: environ.${key} !== undefined`,
      );
    }
    return environ[key] !== undefined;
  }

  /** All keys that have a value: assigned ones, the fixed ones and those of the headers. */
  static keys(environ: LazyEnviron): string[] {
    const keys = new Set([...FIXED_KEYS, ...OPTIONAL_KEYS.filter((key) => environ[key] !== undefined)]);
    for (const name of environ.#host.headerNames()) {
      if (!name.includes('_') && environ.#host.header(name) !== undefined) keys.add(fieldKey(name));
    }
    for (const key of Object.keys(environ)) {
      if (environ[key] === undefined) keys.delete(key);
      else keys.add(key);
    }
    return [...keys];
  }

  get REQUEST_METHOD(): string {
    return this.#host.method;
  }
  set REQUEST_METHOD(method: string) {
    assign(this, 'REQUEST_METHOD', method);
  }

  get PATH_INFO(): string {
    this.#path ??= decodePath(this.#host.path);
    return this.#path;
  }
  set PATH_INFO(path: string) {
    this.#path = path;
    this.#isPathAssigned = true;
  }

  /** A field, as it is assigned in every request of many applications, and an own key costs 150 ns. */
  get 'vela.request_id'(): string {
    return this.#requestId ?? this.#host.requestId;
  }
  set 'vela.request_id'(id: string) {
    this.#requestId = id;
  }

  // The keys that middleware reads of every request: a getter of its own costs a third of one that serves all.
  get RAW_URI(): string {
    return this.#host.target;
  }
  set RAW_URI(target: string) {
    assign(this, 'RAW_URI', target);
  }

  get REMOTE_ADDR(): string {
    return this.#host.connection.remoteAddress;
  }
  set REMOTE_ADDR(address: string) {
    assign(this, 'REMOTE_ADDR', address);
  }

  get SERVER_PROTOCOL(): string {
    return this.#host.protocol;
  }
  set SERVER_PROTOCOL(protocol: string) {
    assign(this, 'SERVER_PROTOCOL', protocol);
  }

  get 'wsgi.timestamp'(): number {
    return this.#host.timestamp;
  }
  set 'wsgi.timestamp'(timestamp: number) {
    assign(this, 'wsgi.timestamp', timestamp);
  }

  get 'wsgi.url_scheme'(): string {
    return this.#host.facts.scheme;
  }
  set 'wsgi.url_scheme'(scheme: string) {
    assign(this, 'wsgi.url_scheme', scheme);
  }

  get 'vela.raw_path'(): string {
    return this.#host.path;
  }
  set 'vela.raw_path'(path: string) {
    assign(this, 'vela.raw_path', path);
  }

  get 'vela.response'(): ResponseControl {
    return this.#host.response;
  }
  set 'vela.response'(response: ResponseControl) {
    assign(this, 'vela.response', response);
  }

  get 'wsgi.input'(): WsgiInput {
    return this.#host.input;
  }
  set 'wsgi.input'(input: WsgiInput) {
    assign(this, 'wsgi.input', input);
  }

  declare SCRIPT_NAME: string;
  declare QUERY_STRING: string;
  declare CONTENT_TYPE: string;
  declare CONTENT_LENGTH: string;
  declare SERVER_NAME: string;
  declare SERVER_PORT: string;
  declare SERVER_SOFTWARE: string;
  declare 'wsgi.version': readonly [1, 0];
  declare 'wsgi.errors': WsgiErrors;
  declare 'wsgi.multithread': boolean;
  declare 'wsgi.multiprocess': boolean;
  declare 'wsgi.run_once': boolean;
  declare 'wsgi.async': boolean;
  declare 'wsgi.file_wrapper': Environ['wsgi.file_wrapper'];
  declare 'vela.signal': AbortSignal;
  declare 'vela.stopping': AbortSignal;
  declare 'vela.cfg': ServerConfig;
  declare 'vela.logger': Logger;
  declare 'vela.connection': ConnectionInfo;
  [header: `HTTP_${string}`]: string | undefined;
  [key: string]: unknown;

  static {
    /** Keys that are read seldom: one shape of getter serves all. */
    const hosted: Record<string, (host: RequestHost) => unknown> = {
      SCRIPT_NAME: () => '',
      QUERY_STRING: (host) => host.query ?? '',
      CONTENT_TYPE: (host) => host.header('content-type') ?? '',
      CONTENT_LENGTH: (host) => host.contentLength,
      SERVER_NAME: (host) => host.facts.host,
      SERVER_PORT: (host) => host.facts.port,
      SERVER_SOFTWARE: (host) => host.facts.software,
      'wsgi.version': () => WSGI_VERSION,
      'wsgi.errors': (host) => host.facts.errors,
      'wsgi.multithread': () => false,
      'wsgi.multiprocess': (host) => host.facts.multiprocess,
      'wsgi.run_once': () => false,
      'wsgi.async': () => true,
      'wsgi.file_wrapper': () => fileWrapper,
      'vela.signal': (host) => host.signal,
      'vela.stopping': (host) => host.facts.stopping,
      'vela.cfg': (host) => host.facts.config,
      'vela.logger': (host) => host.facts.logger,
      'vela.connection': (host) => host.connection,
    };
    for (const [key, read] of Object.entries(hosted)) {
      Object.defineProperty(LazyEnviron.prototype, key, {
        get(this: LazyEnviron) {
          return read(this.#host);
        },
        set(this: LazyEnviron, value: unknown) {
          assign(this, key, value);
        },
        configurable: true,
      });
    }
    /** Keys that only some requests have: `in` must be false for the others, so these are no accessors. */
    Object.setPrototypeOf(
      LazyEnviron.prototype,
      new Proxy(Object.prototype, {
        get: (target, key, environ: LazyEnviron) => {
          if (typeof key !== 'string') return Reflect.get(target, key, environ);
          const name = fieldName(key);
          if (name !== undefined) return LazyEnviron.header(environ, name);
          if (key === 'REMOTE_PORT') return environ.#host.connection.remotePort?.toString();
          if (key === 'vela.tunnel') return environ.#host.tunnel;
          if (key === 'vela.upgrade') return environ.#host.upgrade;
          return Reflect.get(target, key, environ);
        },
        has: (target, key) => {
          if (typeof key !== 'string' || !isOptionalKey(key)) return Reflect.has(target, key);
          return LazyEnviron.hasHeader(key);
        },
      }),
    );
  }
}

const OPTIONAL_KEYS = ['REMOTE_PORT', 'vela.tunnel', 'vela.upgrade'] as const;
const FIXED_KEYS: readonly string[] = Object.keys(
  Object.getOwnPropertyDescriptors(LazyEnviron.prototype),
).filter((key) => key !== 'constructor');

function isOptionalKey(key: string): boolean {
  return key.startsWith('HTTP_') || (OPTIONAL_KEYS as readonly string[]).includes(key);
}

/** An own key, without a walk to the Proxy at the end of the chain. */
function assign(environ: LazyEnviron, key: string, value: unknown): void {
  Object.defineProperty(environ, key, { value, writable: true, enumerable: true, configurable: true });
}
