import type { Environ } from '../core/contract.js';
import { refuseUnknown, requireOptions } from '../core/errors.js';
import { TOKEN } from '../core/http-syntax.js';
import { optionError, requireBoolean } from './option-error.js';

/** Options of `cors()`. */
export interface CorsOptions {
  /**
   * Who may: origins as browsers send them, `https://app.example`, without a path; `'*'` for everybody, not with
   * `credentials`; or a function that says so of an origin. `'null'`, which sandboxed pages and files send, is allowed
   * only where it is in the list or the function says so.
   */
  origins: '*' | readonly string[] | ((origin: string, environ: Environ) => boolean | PromiseLike<boolean>);
  /** The methods that scripts may use. @defaultValue GET, HEAD, PUT, PATCH, POST, DELETE */
  methods?: readonly string[];
  /** The request headers that scripts may set; `'*'` for all. @defaultValue `['Content-Type']` */
  headers?: '*' | readonly string[];
  /** The response headers that scripts may read, beside those that they always may. @defaultValue none */
  exposeHeaders?: readonly string[];
  /** Whether requests with cookies, HTTP authentication or client certificates are answered. @defaultValue false */
  credentials?: boolean;
  /** How long browsers keep the answer to a preflight, in s. @defaultValue 600 */
  maxAgeSeconds?: number;
  /** Whether public sites may send requests to this server in a private network. @defaultValue false */
  allowPrivateNetwork?: boolean;
}

/** Options, checked and filled in. */
export interface CorsPolicy {
  readonly origins: CorsOptions['origins'];
  readonly methods: readonly string[];
  /** In lower case. */
  readonly headers: '*' | ReadonlySet<string>;
  readonly exposeHeaders: readonly string[];
  readonly credentials: boolean;
  readonly maxAgeSeconds: number;
  readonly allowPrivateNetwork: boolean;
}

const OWNER = 'cors';
const METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE'] as const;
const DEFAULT_MAX_AGE_SECONDS = 600;
const KNOWN = [
  'origins',
  'methods',
  'headers',
  'exposeHeaders',
  'credentials',
  'maxAgeSeconds',
  'allowPrivateNetwork',
];

/** @throws {TypeError} for options that make no sense, or no policy */
export function resolveCors(options: CorsOptions): CorsPolicy {
  const {
    origins,
    methods = METHODS,
    headers = ['Content-Type'],
    exposeHeaders = [],
    credentials = false,
    maxAgeSeconds = DEFAULT_MAX_AGE_SECONDS,
    allowPrivateNetwork = false,
    ...unknown
  } = requireOptions(OWNER, options);
  refuseUnknown(OWNER, unknown, KNOWN);
  requireBoolean(OWNER, 'credentials', credentials);
  requireBoolean(OWNER, 'allowPrivateNetwork', allowPrivateNetwork);
  if (origins === '*' && credentials)
    throw new TypeError(
      'cors() takes no "credentials" for origins \'*\', as that would give every site what its visitors may see: list the origins',
    );
  if (!Number.isSafeInteger(maxAgeSeconds) || maxAgeSeconds < 0)
    throw optionError(OWNER, 'maxAgeSeconds', 'a whole number of seconds', maxAgeSeconds);
  requireTokens('methods', methods);
  requireTokens('exposeHeaders', exposeHeaders);
  if (exposeHeaders.includes('*') && credentials)
    throw optionError(OWNER, 'exposeHeaders', 'a list of names when there are credentials', '*');
  if (headers !== '*') requireTokens('headers', headers);
  return {
    origins: checkOrigins(origins),
    methods: [...methods],
    headers: headers === '*' ? headers : new Set(headers.map((name) => name.toLowerCase())),
    exposeHeaders: [...exposeHeaders],
    credentials,
    maxAgeSeconds,
    allowPrivateNetwork,
  };
}

function checkOrigins(origins: CorsOptions['origins']): CorsOptions['origins'] {
  if (origins === '*' || typeof origins === 'function') return origins;
  if (!Array.isArray(origins))
    throw optionError(OWNER, 'origins', "a list of origins, '*' or a function", origins);
  for (const origin of origins as unknown[]) {
    if (origin === 'null' || (typeof origin === 'string' && isOrigin(origin))) continue;
    throw optionError(
      OWNER,
      'origins',
      "origins as browsers send them, such as 'https://app.example', without path or slash at the end",
      origin,
    );
  }
  return [...(origins as readonly string[])];
}

/** Schemes of browser extensions and apps have opaque origins in URL, so these are checked by their form. */
function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { origin } = new URL(text);
  return origin === 'null' ? /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s@]+$/.test(text) : origin === text;
}

function requireTokens(option: string, names: unknown): asserts names is readonly string[] {
  const isList =
    Array.isArray(names) && names.every((name: unknown) => typeof name === 'string' && TOKEN.test(name));
  if (!isList) throw optionError(OWNER, option, 'a list of names', names);
}
