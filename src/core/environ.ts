import type { ConnectionInfo, Environ, ServerConfig, WsgiErrors, WsgiInput } from './contract.js';
import { decodePath } from './decode-path.js';
import { VelaError } from './errors.js';
import type { Logger } from './logger.js';
import {
  copyDeclaredFields,
  copyFields,
  fieldKey,
  fieldName,
  findField,
  isSingleton,
  type RequestFields,
  type RequestHead,
} from './request-fields.js';
import type { RequestHost } from './request-host.js';

const WSGI_VERSION = Object.freeze([1, 0] as const);

/** The environ of a request, read from its head only when asked. Internals are static, so that they are no keys. */
export class LazyEnviron implements Environ {
  /** The environ whose handler is on the stack: the only one of which `in` can be asked. */
  static #current: LazyEnviron | undefined;

  #host: RequestHost;
  #head: RequestHead | undefined;
  #fields: RequestFields | undefined;
  #declared: readonly string[] | undefined;
  #method: string;
  #rawPath: string;
  #query: string | undefined;
  #path: string | undefined;
  #timestamp = 0;

  constructor(host: RequestHost) {
    this.#host = host;
    this.#head = host.head;
    this.#fields = host.fields;
    this.#method = host.method;
    this.#rawPath = host.path;
    this.#query = host.query;
    if (host.facts.scheme === 'https') assign(this, 'HTTPS', 'on');
  }

  /** Copies what may be read later, while the head can still be read. */
  static keep(environ: LazyEnviron, declared: readonly string[] | undefined): void {
    const head = environ.#head;
    if (head === undefined) return;
    if (environ.#fields === undefined) {
      const fields = declared === undefined ? undefined : copyDeclaredFields(head, declared);
      if (fields !== undefined) environ.#declared = declared;
      environ.#fields = fields ?? copyFields(head);
    }
    LazyEnviron.release(environ);
  }

  /** The head cannot be read any more. */
  static release(environ: LazyEnviron): void {
    environ.#head = undefined;
  }

  /** The handler's call begins; undefined when it has returned. */
  static enter(environ: LazyEnviron | undefined): void {
    LazyEnviron.#current = environ;
  }

  /** The value of a header, by its name in lower case. */
  static header(environ: LazyEnviron, name: string): string | undefined {
    const fields = environ.#fields;
    if (fields !== undefined) {
      const value = findField(fields, name);
      if (value === undefined && environ.#declared !== undefined && !environ.#declared.includes(name)) {
        throw expired(name, 'it is not among the headers that the handler declares');
      }
      return value;
    }
    const head = environ.#head;
    if (head === undefined) throw expired(name, 'the request was answered already, in one go');
    if (isSingleton(name)) {
      const value = head.getHeader(name);
      if (value !== '') return value;
    }
    environ.#fields = copyFields(head);
    return findField(environ.#fields, name);
  }

  /** Answers `key in environ` for header keys, on behalf of the environ whose handler is on the stack. */
  static hasHeader(key: string): boolean {
    const environ = LazyEnviron.#current;
    if (environ === undefined) {
      throw new VelaError(
        'ERR_ENVIRON_IN',
        `'${key}' in environ can be asked only until the handler first awaits; compare with undefined instead: environ.${key} !== undefined`,
      );
    }
    return environ[key] !== undefined;
  }

  /** All keys that have a value: assigned ones, the fixed ones and those of the headers. */
  static keys(environ: LazyEnviron): string[] {
    if (environ.#fields === undefined) LazyEnviron.header(environ, '');
    const keys = new Set([...FIXED_KEYS, ...OPTIONAL_KEYS.filter((key) => environ[key] !== undefined)]);
    const fields = environ.#fields as RequestFields;
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i] as string;
      if (!name.includes('_')) keys.add(fieldKey(name));
    }
    for (const key of Object.keys(environ)) {
      if (environ[key] === undefined) keys.delete(key);
      else keys.add(key);
    }
    return [...keys];
  }

  get REQUEST_METHOD(): string {
    return this.#method;
  }
  set REQUEST_METHOD(method: string) {
    this.#method = method;
  }

  get PATH_INFO(): string {
    this.#path ??= decodePath(this.#rawPath);
    return this.#path;
  }
  set PATH_INFO(path: string) {
    this.#path = path;
  }

  get 'vela.raw_path'(): string {
    return this.#rawPath;
  }
  set 'vela.raw_path'(path: string) {
    assign(this, 'vela.raw_path', path);
  }

  get QUERY_STRING(): string {
    return this.#query ?? '';
  }
  set QUERY_STRING(query: string) {
    assign(this, 'QUERY_STRING', query);
  }

  get RAW_URI(): string {
    const { target } = this.#host;
    if (target !== undefined) return target;
    return this.#query === undefined ? this.#rawPath : `${this.#rawPath}?${this.#query}`;
  }
  set RAW_URI(uri: string) {
    assign(this, 'RAW_URI', uri);
  }

  get 'wsgi.input'(): WsgiInput {
    return this.#host.input;
  }
  set 'wsgi.input'(input: WsgiInput) {
    assign(this, 'wsgi.input', input);
  }

  get 'wsgi.timestamp'(): number {
    if (this.#timestamp === 0) this.#timestamp = Date.now();
    return this.#timestamp;
  }
  set 'wsgi.timestamp'(time: number) {
    this.#timestamp = time;
  }

  declare SCRIPT_NAME: string;
  declare CONTENT_TYPE: string;
  declare CONTENT_LENGTH: string;
  declare SERVER_NAME: string;
  declare SERVER_PORT: string;
  declare SERVER_PROTOCOL: string;
  declare SERVER_SOFTWARE: string;
  declare REMOTE_ADDR: string;
  declare 'wsgi.version': readonly [1, 0];
  declare 'wsgi.url_scheme': string;
  declare 'wsgi.errors': WsgiErrors;
  declare 'wsgi.multithread': boolean;
  declare 'wsgi.multiprocess': boolean;
  declare 'wsgi.run_once': boolean;
  declare 'wsgi.async': boolean;
  declare 'vela.signal': AbortSignal;
  declare 'vela.cfg': ServerConfig;
  declare 'vela.logger': Logger;
  declare 'vela.connection': ConnectionInfo;
  declare 'vela.request_id': string;
  [header: `HTTP_${string}`]: string | undefined;
  [key: string]: unknown;

  static {
    /** Keys that are read from the host: seldom, so one shape of getter serves all. */
    const hosted: Record<string, (host: RequestHost, environ: LazyEnviron) => unknown> = {
      SCRIPT_NAME: () => '',
      CONTENT_TYPE: (_, environ) => LazyEnviron.header(environ, 'content-type') ?? '',
      CONTENT_LENGTH: (host) => host.contentLength,
      SERVER_NAME: (host) => host.facts.host,
      SERVER_PORT: (host) => host.facts.port,
      SERVER_PROTOCOL: (host) => host.protocol,
      SERVER_SOFTWARE: (host) => host.facts.software,
      REMOTE_ADDR: (host) => host.connection.remoteAddress,
      'wsgi.version': () => WSGI_VERSION,
      'wsgi.url_scheme': (host) => host.facts.scheme,
      'wsgi.errors': (host) => host.facts.errors,
      'wsgi.multithread': () => false,
      'wsgi.multiprocess': (host) => host.facts.multiprocess,
      'wsgi.run_once': () => false,
      'wsgi.async': () => true,
      'vela.signal': (host) => host.signal,
      'vela.cfg': (host) => host.facts.config,
      'vela.logger': (host) => host.facts.logger,
      'vela.connection': (host) => host.connection,
      'vela.request_id': (host) => host.requestId,
    };
    for (const [key, read] of Object.entries(hosted)) {
      Object.defineProperty(LazyEnviron.prototype, key, {
        get(this: LazyEnviron) {
          return read(this.#host, this);
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
          if (key.startsWith('HTTP_'))
            return isHeaderKey(key) ? LazyEnviron.header(environ, fieldName(key)) : undefined;
          if (key === 'REMOTE_PORT') return environ.#host.connection.remotePort?.toString();
          if (key === 'vela.tunnel') return environ.#host.tunnel;
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

const OPTIONAL_KEYS = ['REMOTE_PORT', 'vela.tunnel'] as const;
const FIXED_KEYS: readonly string[] = Object.keys(
  Object.getOwnPropertyDescriptors(LazyEnviron.prototype),
).filter((key) => key !== 'constructor');

function isHeaderKey(key: string): boolean {
  return key !== 'HTTP_CONTENT_TYPE' && key !== 'HTTP_CONTENT_LENGTH';
}

function isOptionalKey(key: string): boolean {
  return key.startsWith('HTTP_') || (OPTIONAL_KEYS as readonly string[]).includes(key);
}

/** An own key, without a walk to the Proxy at the end of the chain. */
function assign(environ: LazyEnviron, key: string, value: unknown): void {
  Object.defineProperty(environ, key, { value, writable: true, enumerable: true, configurable: true });
}

function expired(name: string, why: string): VelaError {
  return new VelaError(
    'ERR_ENVIRON_EXPIRED',
    `The request header '${name}' cannot be read any more: ${why}. Read it before the first await, or declare it: app.headers = ['${name}']`,
  );
}
