import type { BeginningResponse, Environ, HeaderPair, MiddlewareFunction } from '../core/contract.js';
import { LazyEnviron } from '../core/environ.js';
import { isThenable } from '../core/errors.js';
import { PermissionDenied } from '../core/http-error.js';
import { TOKEN } from '../core/http-syntax.js';
import { WsgiResponse } from '../core/wsgi-response.js';
import { type CorsOptions, type CorsPolicy, resolveCors } from './cors-options.js';
import { addToList, hasName, putHeader } from './put-header.js';

/** RFC 6454 §6.2: what no browser sends is not asked about, and not sent back. */
const SERIALIZED_ORIGIN = /^(?:null|[A-Za-z][A-Za-z\d+.-]*:\/\/[\w.~%!$&'()*+,;=:[\]-]+)$/;

type StartListener = (response: BeginningResponse) => void;

const ALLOW_ORIGIN = 'Access-Control-Allow-Origin';
const ALLOW_CREDENTIALS = 'Access-Control-Allow-Credentials';
const EXPOSE_HEADERS = 'Access-Control-Expose-Headers';
const VARY_PREFLIGHT: HeaderPair = [
  'Vary',
  'Origin, Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network',
];
/** More than this is no list of headers that a script sets. */
const MAX_REQUESTED_HEADERS = 100;

/**
 * Lets scripts of other origins read responses (CORS, Fetch Standard §3.3). A preflight is answered at once, before any
 * handler; one that is refused has status 403 and no CORS headers. Any other request goes on, with or without CORS
 * headers in its response: the browser decides by these, and whatever is no browser does not care.
 * @see {@link https://fetch.spec.whatwg.org/#http-cors-protocol | Fetch Standard, HTTP CORS protocol}
 * @example new WsgiHandler([cors({ origins: ['https://app.example'], credentials: true }), app])
 */
export function cors(options: CorsOptions): MiddlewareFunction {
  const policy = resolveCors(options);
  const { origins } = policy;
  const extra = responseHeaders(policy);
  const listeners = new Map<string, StartListener>();
  if (typeof origins !== 'function' && origins !== '*')
    for (const origin of origins) listeners.set(origin, allow(origin, true, extra));
  const allowAny = allow('*', false, extra);
  // Most requests of a site come from one origin, which is told from the last one sooner than it is hashed.
  let lastOrigin = '';
  let lastListener: StartListener | undefined;
  const findListener = (origin: string) => {
    if (origin === lastOrigin) return lastListener;
    const listener = listeners.get(origin);
    if (listener !== undefined) {
      lastOrigin = origin;
      lastListener = listener;
    }
    return listener;
  };

  const corsMiddleware: MiddlewareFunction = (environ) => {
    const isOptions = environ.REQUEST_METHOD === 'OPTIONS';
    if (origins === '*' && !isOptions) {
      environ['vela.response'].onStart(allowAny);
      return undefined;
    }
    const origin = LazyEnviron.readField(environ, 'HTTP_ORIGIN', 'origin');
    const preflight =
      isOptions && origin !== undefined && environ.HTTP_ACCESS_CONTROL_REQUEST_METHOD !== undefined
        ? readPreflight(environ)
        : undefined;
    if (origin === undefined) return decide(environ, policy, '', undefined, origins === '*' && allowAny);
    if (typeof origins !== 'function') {
      const listener = origins === '*' ? allowAny : findListener(origin);
      return decide(environ, policy, origin, preflight, listener ?? false);
    }
    if (!SERIALIZED_ORIGIN.test(origin)) return decide(environ, policy, origin, preflight, false);
    const answer = origins(origin, environ);
    const conclude = (isAllowed: unknown) =>
      decide(environ, policy, origin, preflight, isAllowed === true && allow(origin, true, extra));
    return isThenable(answer) ? answer.then(conclude) : conclude(answer);
  };
  corsMiddleware.headers = [
    'Origin',
    'Access-Control-Request-Method',
    'Access-Control-Request-Headers',
    'Access-Control-Request-Private-Network',
  ];
  corsMiddleware.runsOn = 'request';
  return corsMiddleware;
}

/** What a preflight asks for. */
interface Preflight {
  readonly method: string;
  readonly headers: string;
  readonly isPrivateNetwork: boolean;
}

/** Read at once, as headers may be gone after an await. */
function readPreflight(environ: Environ): Preflight {
  return {
    method: environ.HTTP_ACCESS_CONTROL_REQUEST_METHOD ?? '',
    headers: environ.HTTP_ACCESS_CONTROL_REQUEST_HEADERS ?? '',
    isPrivateNetwork: environ.HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK === 'true',
  };
}

/** @param listener - what an allowed origin's responses get; false for one that is not allowed */
function decide(
  environ: Environ,
  policy: CorsPolicy,
  origin: string,
  preflight: Preflight | undefined,
  listener: StartListener | false,
): WsgiResponse | undefined {
  if (preflight !== undefined) return answerPreflight(policy, origin, preflight, listener !== false);
  environ['vela.response'].onStart(listener === false ? varyOnly : listener);
  return undefined;
}

function answerPreflight(
  policy: CorsPolicy,
  origin: string,
  preflight: Preflight,
  isAllowed: boolean,
): WsgiResponse {
  const { methods, headers: allowed, credentials, maxAgeSeconds, allowPrivateNetwork } = policy;
  if (!isAllowed) throw refuse('Requests from this origin are not allowed');
  if (!methods.includes(preflight.method)) throw refuse('This method is not allowed from other origins');
  const requested = parseNames(preflight.headers);
  if (requested === undefined || (allowed !== '*' && !requested.every((name) => allowed.has(name))))
    throw refuse('One of these headers is not allowed from other origins');
  if (preflight.isPrivateNetwork && !allowPrivateNetwork)
    throw refuse('Requests from public sites into this network are not allowed');
  const headers: HeaderPair[] = [
    [ALLOW_ORIGIN, policy.origins === '*' ? '*' : origin],
    ['Access-Control-Allow-Methods', methods.join(', ')],
    ['Access-Control-Max-Age', String(maxAgeSeconds)],
  ];
  const names = allowed === '*' ? requested : [...allowed];
  if (names.length > 0) headers.push(['Access-Control-Allow-Headers', names.join(', ')]);
  if (credentials) headers.push([ALLOW_CREDENTIALS, 'true']);
  if (preflight.isPrivateNetwork) headers.push(['Access-Control-Allow-Private-Network', 'true']);
  headers.push(VARY_PREFLIGHT);
  return new WsgiResponse({ status: 204, headers });
}

function refuse(message: string): PermissionDenied {
  return new PermissionDenied(message, { headers: [VARY_PREFLIGHT] });
}

/** Header names in lower case; undefined for what is no list of names. */
function parseNames(list: string): string[] | undefined {
  if (list.trim() === '') return [];
  const names = list.split(',', MAX_REQUESTED_HEADERS + 1).map((name) => name.trim().toLowerCase());
  const isList = names.length <= MAX_REQUESTED_HEADERS && names.every((name) => TOKEN.test(name));
  return isList ? [...new Set(names)] : undefined;
}

function responseHeaders({ credentials, exposeHeaders }: CorsPolicy): HeaderPair[] {
  const pairs: HeaderPair[] = [];
  if (credentials) pairs.push([ALLOW_CREDENTIALS, 'true']);
  if (exposeHeaders.length > 0) pairs.push([EXPOSE_HEADERS, exposeHeaders.join(', ')]);
  return pairs;
}

/** Made once for each origin, so that a request makes none. */
function allow(origin: string, varies: boolean, extra: readonly HeaderPair[]): StartListener {
  return ({ headers }) => {
    putHeader(headers, ALLOW_ORIGIN, origin);
    for (const [name, value] of extra) putHeader(headers, name, value);
    if (varies) addToList(headers, 'Vary', 'Origin');
  };
}

/** An answer that another origin would have with CORS headers says so to caches, and has none itself. */
function varyOnly({ headers }: BeginningResponse): void {
  for (let i = headers.length - 1; i >= 0; i--) {
    const pair = headers[i];
    if (hasName(pair, ALLOW_ORIGIN) || hasName(pair, ALLOW_CREDENTIALS) || hasName(pair, EXPOSE_HEADERS))
      headers.splice(i, 1);
  }
  addToList(headers, 'Vary', 'Origin');
}
