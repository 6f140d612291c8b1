import type { BeginningResponse, Environ, MiddlewareFunction } from '../core/contract.js';
import { isWithin, LONGEST_AGE_MS } from '../core/duration.js';
import { describeValue, refuseUnknown, requireOptions, VelaError } from '../core/errors.js';
import { own } from '../core/own.js';
import { formatSetCookie, type SetCookieOptions } from '../core/set-cookie.js';
import type { ResponseMiddleware } from '../core/wsgi-handler.js';
import { createCookieSealer } from '../request/cookie-sealer.js';
import type { Secret } from '../request/secret-keys.js';
import { requestOf } from '../request/wsgi-request.js';
import { makePrivate } from './make-private.js';
import { addToList } from './put-header.js';
import { Session } from './session-state.js';
import type { SessionStore } from './session-store.js';
import { createCookieVault, createStoreVault, type SessionVault } from './session-vault.js';

/** Options of {@link session}: either `passwords` or a `store`. */
export interface SessionOptions {
  /** Keeps sessions in the cookie, sealed: secrets of 32 bytes or more, the first seals, all unseal. */
  passwords?: readonly Secret[];
  /** Keeps sessions there; the cookie has a random key. */
  store?: SessionStore;
  /** The cookie's name. With TLS take one that begins with `__Host-`. @defaultValue `session` */
  name?: string;
  /** A session that nobody reads for so long is over, in ms. @defaultValue 1 hour */
  idleTimeoutMs?: number;
  /** A session is over so long after its begin, in ms. @defaultValue 24 hours */
  absoluteTimeoutMs?: number;
  /** Sends the cookie over TLS only. @defaultValue true if the request came so */
  secure?: boolean;
  /** @defaultValue `lax` */
  sameSite?: 'strict' | 'lax' | 'none';
  /** Sends the cookie to this domain and those below it. @defaultValue to this host only */
  domain?: string;
  /** @defaultValue `/` */
  path?: string;
}

/** A session middleware, and what saves sessions before the response begins: give the handler both. */
export type SessionMiddleware = MiddlewareFunction & { readonly save: ResponseMiddleware };

const KEY = 'vela.session';
const KNOWN = [
  'passwords',
  'store',
  'name',
  'idleTimeoutMs',
  'absoluteTimeoutMs',
  'secure',
  'sameSite',
  'domain',
  'path',
];
const HOUR_MS = 3_600_000;
/** Cookies count in seconds. */
const SHORTEST_MS = 1000;

/**
 * Sessions: what is remembered of a client. They are loaded when `sessionOf(environ)` asks for one, and saved only when
 * changed, by the response middleware `save`.
 * @throws {TypeError} for a wrong option
 * @example
 * const sessions = session({ passwords: [secret] });
 * new WsgiHandler([sessions, app], { responseMiddleware: [sessions.save] });
 */
export function session(options: SessionOptions): SessionMiddleware {
  const settings = resolve(options);
  const sessionMiddleware: MiddlewareFunction = (environ) => {
    environ[KEY] = new SessionHandle(environ, settings);
  };
  const save: ResponseMiddleware = (environ) => {
    const handle = environ[KEY];
    return handle instanceof SessionHandle ? handle.save() : undefined;
  };
  sessionMiddleware.headers = ['cookie'];
  save.headers = ['cookie'];
  sessionMiddleware.runsOn = 'request';
  save.runsOn = 'response';
  return Object.assign(sessionMiddleware, { save });
}

/**
 * The session of a request, loaded when it is asked for first.
 * @throws {VelaError} `ERR_SESSION_MISSING` without a `session()` before
 * @example const user = (await sessionOf(environ)).get('user');
 */
export function sessionOf(environ: Environ): Promise<Session> {
  const handle = environ[KEY];
  return handle instanceof SessionHandle ? handle.load() : own(Promise.reject(missingError()));
}

/** The session that the client came with; undefined without one, and without a `session()` before. */
export async function findSession(environ: Environ): Promise<Session | undefined> {
  const handle = environ[KEY];
  if (!(handle instanceof SessionHandle)) return undefined;
  const found = await handle.load();
  return found.isNew ? undefined : found;
}

function missingError(): VelaError {
  return new VelaError(
    'ERR_SESSION_MISSING',
    'There is no session: put session() before what asks for it: new WsgiHandler([sessions, app])',
  );
}

interface Settings {
  readonly vault: SessionVault;
  readonly name: string;
  readonly idleTimeoutMs: number;
  readonly absoluteTimeoutMs: number;
  readonly secure: boolean | undefined;
  readonly attributes: SetCookieOptions;
}

/** The session of a request, which may never be asked for. */
class SessionHandle {
  readonly #environ: Environ;
  readonly #settings: Settings;
  #loading: Promise<Session> | undefined;

  constructor(environ: Environ, settings: Settings) {
    this.#environ = environ;
    this.#settings = settings;
  }

  load(): Promise<Session> {
    this.#loading ??= own(this.#load());
    return this.#loading;
  }

  /** Undefined when nobody asked for it. One that was not loaded has told so to whoever asked, and has nothing to save. */
  save(): Promise<void> | undefined {
    return this.#loading?.then(
      (loaded) => loaded.save(),
      () => undefined,
    );
  }

  async #load(): Promise<Session> {
    const { vault, name, absoluteTimeoutMs } = this.#settings;
    const cookie = requestOf(this.#environ).cookies[name];
    const found = cookie === undefined ? undefined : await vault.load(cookie);
    const kept = found !== undefined && Date.now() < found.createdMs + absoluteTimeoutMs ? found : undefined;
    const loaded = new Session(vault, this.#settings, kept, cookie !== undefined);
    this.#environ['vela.response'].onStart((response) => this.#begin(loaded, response));
    return loaded;
  }

  #begin(loaded: Session, response: BeginningResponse): void {
    const { name, secure, attributes } = this.#settings;
    const { headers } = response;
    addToList(headers, 'Vary', 'Cookie');
    const cookie = this.#take(loaded, response);
    if (cookie === undefined) return;
    const age =
      cookie.value === ''
        ? { maxAgeSeconds: 0, expires: new Date(0) }
        : { maxAgeSeconds: Math.ceil(cookie.maxAgeMs / 1000) };
    const isSecure =
      secure ?? (this.#environ['wsgi.url_scheme'] === 'https' || attributes.sameSite === 'none');
    const isPrefixed = /^__(?:Host|Secure)-/.test(name);
    headers.push([
      'Set-Cookie',
      formatSetCookie(name, cookie.value, { ...attributes, ...age, secure: isSecure || isPrefixed }),
    ]);
    // A cache must not give the cookie to somebody else.
    makePrivate(headers);
  }

  /** An error response is not replaced by another one because of changes that were not saved. */
  #take(loaded: Session, response: BeginningResponse): ReturnType<typeof Session.begin> {
    try {
      return Session.begin(loaded);
    } catch (error) {
      if (Number(response.status.slice(0, 3)) < 400) throw error;
      this.#environ['vela.logger'].warn(
        { err: error },
        'changes of a session were lost with an error response',
      );
      return undefined;
    }
  }
}

function resolve(options: SessionOptions): Settings {
  const {
    passwords,
    store,
    name = 'session',
    idleTimeoutMs = HOUR_MS,
    absoluteTimeoutMs = 24 * HOUR_MS,
    secure,
    sameSite = 'lax',
    domain,
    path = '/',
    ...unknown
  } = requireOptions('session', options);
  refuseUnknown('session', unknown, KNOWN);
  for (const [key, value] of Object.entries({ idleTimeoutMs, absoluteTimeoutMs })) {
    if (!isWithin(value, SHORTEST_MS, LONGEST_AGE_MS))
      throw new TypeError(
        `Option "${key}" must be a number of ms from ${SHORTEST_MS} to ${LONGEST_AGE_MS} (68 years); received ${describeValue(value)}`,
      );
  }
  if (secure !== undefined && typeof secure !== 'boolean')
    throw new TypeError(`Option "secure" must be true or false; received ${describeValue(secure)}`);
  const attributes: SetCookieOptions = { sameSite, path, ...(domain === undefined ? {} : { domain }) };
  // Throws for what a browser would refuse.
  formatSetCookie(name, 'x', {
    ...attributes,
    secure: secure ?? (sameSite === 'none' || name.startsWith('__')),
  });
  return {
    vault: createVault(passwords, store, name, idleTimeoutMs),
    name,
    idleTimeoutMs,
    absoluteTimeoutMs,
    secure,
    attributes,
  };
}

function createVault(
  passwords: readonly Secret[] | undefined,
  store: SessionStore | undefined,
  name: string,
  ttlMs: number,
): SessionVault {
  if ((passwords === undefined) === (store === undefined)) {
    throw new TypeError(
      `session() takes either "passwords", to keep sessions in the cookie, or a "store"; received ${store === undefined ? 'neither' : 'both'}`,
    );
  }
  if (store === undefined)
    return createCookieVault(createCookieSealer({ passwords: passwords as readonly Secret[], ttlMs }), name);
  for (const method of ['get', 'set', 'destroy', 'touch'] as const) {
    if (typeof store?.[method] !== 'function')
      throw new TypeError(`Option "store" must have ${method}(); received ${describeValue(store)}`);
  }
  return createStoreVault(store);
}
