import { randomBytes } from 'node:crypto';
import type { BeginningResponse, HeaderPair, MiddlewareFunction } from '../core/contract.js';
import { refuseUnknown, requireOptions } from '../core/errors.js';
import { type Csp, type CspOptions, resolveCsp } from './content-security-policy.js';
import { optionError, requireBoolean } from './option-error.js';
import { findHeader } from './put-header.js';

/** Strict-Transport-Security (RFC 6797 §6.1). */
export interface HstsOptions {
  /** How long browsers use https only, in s. @defaultValue a year */
  maxAgeSeconds?: number;
  /** @defaultValue true */
  includeSubDomains?: boolean;
  /** Asks to be put on the list that browsers bring along. @defaultValue false */
  preload?: boolean;
}

/** Options of {@link secureHeaders}: each header can be left out with `false`. */
export interface SecureHeadersOptions {
  contentSecurityPolicy?: CspOptions | false;
  /** @defaultValue `same-origin` */
  crossOriginOpenerPolicy?:
    | 'same-origin'
    | 'same-origin-allow-popups'
    | 'noopener-allow-popups'
    | 'unsafe-none'
    | false;
  /** @defaultValue false */
  crossOriginEmbedderPolicy?: 'require-corp' | 'credentialless' | 'unsafe-none' | false;
  /** @defaultValue `same-origin` */
  crossOriginResourcePolicy?: 'same-origin' | 'same-site' | 'cross-origin' | false;
  /** @defaultValue `?1` */
  originAgentCluster?: '?1' | '?0' | false;
  /** @defaultValue `no-referrer` */
  referrerPolicy?: string | false;
  /** Sent over https only. */
  strictTransportSecurity?: HstsOptions | false;
  /** @defaultValue `nosniff` */
  xContentTypeOptions?: 'nosniff' | false;
  /** @defaultValue `off` */
  xDnsPrefetchControl?: 'off' | 'on' | false;
  /** @defaultValue `noopen` */
  xDownloadOptions?: 'noopen' | false;
  /** @defaultValue `SAMEORIGIN` */
  xFrameOptions?: 'SAMEORIGIN' | 'DENY' | false;
  /** @defaultValue `none` */
  xPermittedCrossDomainPolicies?: 'none' | 'master-only' | 'by-content-type' | 'all' | false;
  /** @defaultValue `0`, as the filters that it turned on did harm */
  xXssProtection?: '0' | false;
  /** @defaultValue false: what a site may use differs too much */
  permissionsPolicy?: string | false;
}

const OWNER = 'secureHeaders';
const YEAR_SECONDS = 31_536_000;
const REFERRER = [
  'no-referrer',
  'no-referrer-when-downgrade',
  'same-origin',
  'origin',
  'strict-origin',
  'origin-when-cross-origin',
  'strict-origin-when-cross-origin',
  'unsafe-url',
];
/** Option, header, default, and the values that there are. */
const SIMPLE: readonly (readonly [
  keyof SecureHeadersOptions,
  string,
  string | false,
  readonly string[] | RegExp,
])[] = [
  [
    'crossOriginOpenerPolicy',
    'Cross-Origin-Opener-Policy',
    'same-origin',
    ['same-origin', 'same-origin-allow-popups', 'noopener-allow-popups', 'unsafe-none'],
  ],
  [
    'crossOriginEmbedderPolicy',
    'Cross-Origin-Embedder-Policy',
    false,
    ['require-corp', 'credentialless', 'unsafe-none'],
  ],
  [
    'crossOriginResourcePolicy',
    'Cross-Origin-Resource-Policy',
    'same-origin',
    ['same-origin', 'same-site', 'cross-origin'],
  ],
  ['originAgentCluster', 'Origin-Agent-Cluster', '?1', ['?1', '?0']],
  [
    'referrerPolicy',
    'Referrer-Policy',
    'no-referrer',
    new RegExp(`^(?:${REFERRER.join('|')})(?:, ?(?:${REFERRER.join('|')}))*$`),
  ],
  ['xContentTypeOptions', 'X-Content-Type-Options', 'nosniff', ['nosniff']],
  ['xDnsPrefetchControl', 'X-DNS-Prefetch-Control', 'off', ['off', 'on']],
  ['xDownloadOptions', 'X-Download-Options', 'noopen', ['noopen']],
  ['xFrameOptions', 'X-Frame-Options', 'SAMEORIGIN', ['SAMEORIGIN', 'DENY']],
  [
    'xPermittedCrossDomainPolicies',
    'X-Permitted-Cross-Domain-Policies',
    'none',
    ['none', 'master-only', 'by-content-type', 'all'],
  ],
  ['xXssProtection', 'X-XSS-Protection', '0', ['0']],
  ['permissionsPolicy', 'Permissions-Policy', false, /^[\x20-\x7e]+$/],
];
const KNOWN = [...SIMPLE.map(([option]) => option), 'contentSecurityPolicy', 'strictTransportSecurity'];

/**
 * Headers that make browsers careful, with the defaults of helmet 8. A header that the application gives itself stays as
 * it is. Strict-Transport-Security (RFC 6797 §7.2) and the default `upgrade-insecure-requests` go over https only, by the
 * scheme at the time of the response: what `proxyHeaders()` finds counts, before this or behind it.
 * @example new WsgiHandler([secureHeaders({ xFrameOptions: 'DENY' }), app])
 */
export function secureHeaders(options: SecureHeadersOptions = {}): MiddlewareFunction {
  const {
    contentSecurityPolicy = {},
    strictTransportSecurity = {},
    ...rest
  } = requireOptions(OWNER, options);
  refuseUnknown(
    OWNER,
    Object.fromEntries(Object.entries(rest).filter(([key]) => !KNOWN.includes(key as never))),
    KNOWN,
  );
  const findPolicy = (isEncrypted: boolean) =>
    contentSecurityPolicy === false ? undefined : resolveCsp(contentSecurityPolicy, isEncrypted);
  const fixed = resolveSimple(options);
  const hsts = strictTransportSecurity === false ? [] : [formatHsts(strictTransportSecurity)];
  const plain = prepare(fixed, findPolicy(false));
  const encrypted = prepare([...fixed, ...hsts], findPolicy(true));
  const hasNonce = plain.policy !== undefined || encrypted.policy !== undefined;

  const secureHeadersMiddleware: MiddlewareFunction = (environ) => {
    const nonce = hasNonce ? randomBytes(16).toString('base64') : '';
    if (hasNonce) environ['vela.csp_nonce'] = nonce;
    environ['vela.response'].onStart((response) => {
      const { headers } = response;
      const { add, policy } = environ['wsgi.url_scheme'] === 'https' ? encrypted : plain;
      if (policy !== undefined && findHeader(headers, policy.header) === -1)
        headers.push([policy.header, policy.parts.join(`'nonce-${nonce}'`)]);
      add(response);
    });
  };
  secureHeadersMiddleware.headers = [];
  secureHeadersMiddleware.runsOn = 'request';
  return secureHeadersMiddleware;
}

/** What the responses of one scheme get. */
interface Prepared {
  readonly add: (response: BeginningResponse) => void;
  /** The policy, if it has a nonce in it. */
  readonly policy: Csp | undefined;
}

function prepare(fixed: readonly HeaderPair[], policy: Csp | undefined): Prepared {
  if (policy === undefined) return { add: addAll(fixed), policy };
  const [text, ...more] = policy.parts;
  if (more.length > 0) return { add: addAll(fixed), policy };
  const isNone = text === undefined || text === '';
  return { add: addAll(isNone ? fixed : [[policy.header, text], ...fixed]), policy: undefined };
}

function resolveSimple(options: SecureHeadersOptions): HeaderPair[] {
  return SIMPLE.flatMap(([option, header, initial, known]) => {
    const value = options[option] ?? initial;
    if (value === false) return [];
    const isKnown =
      typeof value === 'string' && (known instanceof RegExp ? known.test(value) : known.includes(value));
    const expected =
      known instanceof RegExp ? `as ${header} has it` : known.map((one) => `'${one}'`).join(', ');
    if (!isKnown) throw optionError(OWNER, option, `${expected}, or false`, value);
    return [[header, value]];
  });
}

function formatHsts(options: HstsOptions): HeaderPair {
  const {
    maxAgeSeconds = YEAR_SECONDS,
    includeSubDomains = true,
    preload = false,
    ...unknown
  } = requireOptions('strictTransportSecurity', options);
  refuseUnknown('strictTransportSecurity', unknown, ['maxAgeSeconds', 'includeSubDomains', 'preload']);
  if (!Number.isSafeInteger(maxAgeSeconds) || maxAgeSeconds < 0)
    throw optionError(OWNER, 'maxAgeSeconds', 'a whole number of seconds', maxAgeSeconds);
  requireBoolean(OWNER, 'includeSubDomains', includeSubDomains);
  requireBoolean(OWNER, 'preload', preload);
  const value = `max-age=${maxAgeSeconds}${includeSubDomains ? '; includeSubDomains' : ''}${preload ? '; preload' : ''}`;
  return ['Strict-Transport-Security', value];
}

/** A listener that adds what the response does not have, for any number of requests. */
function addAll(pairs: readonly HeaderPair[]): (response: BeginningResponse) => void {
  const names = new Set(pairs.map(([name]) => name.toLowerCase()));
  // Lengths tell most names apart, without a copy in lower case.
  const isLength: boolean[] = [];
  for (const { length } of names) isLength[length] = true;
  return ({ headers }) => {
    let given: Set<string> | undefined;
    for (let i = 0; i < headers.length; i++) {
      const name = headers[i]?.[0];
      if (typeof name !== 'string' || isLength[name.length] !== true) continue;
      const lower = name.toLowerCase();
      if (!names.has(lower)) continue;
      given ??= new Set();
      given.add(lower);
    }
    for (let i = 0; i < pairs.length; i++) {
      const pair = pairs[i] as HeaderPair;
      const name = pair[0];
      // A new pair: what an application does to it is not seen by other responses.
      if (given === undefined || !given.has(name.toLowerCase())) headers.push([name, pair[1]]);
    }
  };
}
