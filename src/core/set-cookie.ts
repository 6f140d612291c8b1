import { stringifySetCookie } from 'cookie';
import { isWithin, LONGEST_AGE_SECONDS } from './duration.js';
import { describeValue, refuseUnknown, requireOptions, toError } from './errors.js';

/** Attributes of a cookie (RFC 6265 §5.2, and its draft successor). */
export interface SetCookieOptions {
  /** How long the browser keeps it, in whole seconds; without it and `expires` until the browser is closed. */
  maxAgeSeconds?: number;
  expires?: Date;
  /** The paths it is sent to. @defaultValue `/` */
  path?: string;
  /** Sends it to this domain and those below it; without, to this host only. */
  domain?: string;
  /** Sends it over TLS only. @defaultValue false, true for names that begin with `__Host-` or `__Secure-` */
  secure?: boolean;
  /** Hides it from scripts. @defaultValue true */
  httpOnly?: boolean;
  /** Whether requests from other sites carry it. `none` needs `secure`. @defaultValue `lax` */
  sameSite?: 'strict' | 'lax' | 'none';
  /** Keeps it apart for each top-level site (CHIPS). @defaultValue false */
  partitioned?: boolean;
}

const KNOWN = ['maxAgeSeconds', 'expires', 'path', 'domain', 'secure', 'httpOnly', 'sameSite', 'partitioned'];

/** What browsers take for a date (RFC 6265 §5.1.1): of years of four digits, from 1601 on. */
const EARLIEST_MS = Date.UTC(1601, 0);
const LATEST_MS = Date.UTC(10_000, 0) - 1;

/**
 * Writes a Set-Cookie value. The cookie's value is percent-encoded.
 * @throws {TypeError} for a name, value or attribute that a browser would refuse
 */
export function formatSetCookie(name: string, value: string, options: SetCookieOptions = {}): string {
  if (typeof name !== 'string' || typeof value !== 'string')
    throw new TypeError(
      `A cookie has a name and a value as text, ('size', '5'); received ${describeValue(name)} and ${describeValue(value)}`,
    );
  const isHost = name.startsWith('__Host-');
  const {
    maxAgeSeconds,
    expires,
    path = '/',
    domain,
    secure = isHost || name.startsWith('__Secure-'),
    httpOnly = true,
    sameSite = 'lax',
    partitioned = false,
    ...unknown
  } = requireOptions('setCookie', options);
  refuseUnknown('setCookie', unknown, KNOWN);
  if (!secure && (isHost || name.startsWith('__Secure-') || sameSite === 'none' || partitioned)) {
    throw new TypeError(
      `The cookie "${name}" needs secure: true, for its name, sameSite 'none' or partitioned`,
    );
  }
  if (isHost && (domain !== undefined || path !== '/')) {
    throw new TypeError(
      `The cookie "${name}" takes no domain, and the path "/", as its name begins with __Host-`,
    );
  }
  if (maxAgeSeconds !== undefined && !isWithin(maxAgeSeconds, -LONGEST_AGE_SECONDS, LONGEST_AGE_SECONDS))
    throw explain(name, options, new TypeError('option maxAge is invalid'));
  if (expires instanceof Date && !isWithin(expires.getTime(), EARLIEST_MS, LATEST_MS))
    throw explain(name, options, new TypeError('option expires is invalid'));
  try {
    return stringifySetCookie(
      {
        name,
        value: encodeURIComponent(value),
        path,
        httpOnly,
        secure,
        sameSite,
        partitioned,
        ...(maxAgeSeconds === undefined ? {} : { maxAge: maxAgeSeconds }),
        ...(expires === undefined ? {} : { expires }),
        ...(domain === undefined ? {} : { domain }),
      },
      { encode: (text) => text },
    );
  } catch (error) {
    throw explain(name, options, error);
  }
}

/** What the package `cookie` names in its errors: the option here, and what it must be. */
const EXPECTED: Readonly<Record<string, readonly [keyof SetCookieOptions, string]>> = {
  maxAge: ['maxAgeSeconds', `a whole number of seconds, at the most ${LONGEST_AGE_SECONDS} (68 years)`],
  expires: ['expires', 'a valid Date, of the years 1601 to 9999'],
  path: ['path', "a path such as '/', in ASCII and without semicolons"],
  domain: ['domain', "a host's name such as 'example.org', without scheme and port"],
  sameSite: ['sameSite', "'strict', 'lax' or 'none'"],
};

/** The package's error, saying what was expected, what came, and where. */
function explain(name: string, options: SetCookieOptions, error: unknown): unknown {
  const [, wrong = ''] = /^(?:argument|option) (\w+) is invalid/.exec(toError(error).message) ?? [];
  if (wrong === 'name') {
    return new TypeError(
      `setCookie takes a name such as 'sid', in ASCII and without blanks, "=" and ";"; received ${describeValue(name)}`,
    );
  }
  const [option, expected] = EXPECTED[wrong] ?? [];
  if (option === undefined) return error;
  return new TypeError(
    `Option "${option}" of the cookie "${name}" must be ${expected}; received ${describeValue(options[option])}`,
  );
}

/** What tells cookies apart (RFC 6265 §5.3): name, domain and path. */
export function findCookieScope(cookie: string): string {
  const [pair = '', ...attributes] = cookie.split(/; ?/);
  const scope = attributes.filter((attribute) => /^(?:domain|path)=/i.test(attribute)).sort();
  return [pair.slice(0, pair.indexOf('=')), ...scope].join(';');
}
