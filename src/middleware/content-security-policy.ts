import { refuseUnknown, requireOptions, requireRecord } from '../core/errors.js';
import { optionError, requireBoolean } from './option-error.js';

/** What a directive takes: sources, none (`true`), or `false` to leave the default out. */
export type CspSources = readonly string[] | boolean;

/** The Content-Security-Policy (CSP Level 3) of `secureHeaders()`. */
export interface CspOptions {
  /**
   * Directives, each with its sources: `{ 'img-src': ["'self'", 'https://cdn.example'] }`; `true` for one without sources,
   * `false` to leave a default out. The source `'nonce'`, in single quotes, stands for a new nonce of each request, which
   * handlers find in `environ['vela.csp_nonce']`.
   */
  directives?: Readonly<Record<string, CspSources>>;
  /** Whether what is not named keeps its default. @defaultValue true */
  useDefaults?: boolean;
  /** Whether browsers report only, and block nothing. @defaultValue false */
  reportOnly?: boolean;
}

/** A policy in text, cut where the nonce of a request belongs. */
export interface Csp {
  readonly header: string;
  readonly parts: readonly string[];
}

const OWNER = 'secureHeaders';
const NONCE = "'nonce'";
/** As helmet 8 has them. */
const DEFAULTS: Readonly<Record<string, CspSources>> = {
  'default-src': ["'self'"],
  'base-uri': ["'self'"],
  'font-src': ["'self'", 'https:', 'data:'],
  'form-action': ["'self'"],
  'frame-ancestors': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'object-src': ["'none'"],
  'script-src': ["'self'"],
  'script-src-attr': ["'none'"],
  'style-src': ["'self'", 'https:', "'unsafe-inline'"],
};
/** Over plain http it would have browsers ask for a site's own scripts over https, where nobody may listen. */
const ENCRYPTED_DEFAULTS: Readonly<Record<string, CspSources>> = {
  ...DEFAULTS,
  'upgrade-insecure-requests': true,
};
/** What CSP reads only in quotes: without them it would be taken for a host. */
const KEYWORD =
  /^(?:self|none|nonce|strict-dynamic|report-sample|unsafe-[a-z-]+|wasm-unsafe-eval|inline-speculation-rules|nonce-.*|sha(?:256|384|512)-.*)$/i;

/** @throws {TypeError} for what browsers would not understand */
export function resolveCsp(options: CspOptions, isEncrypted: boolean): Csp {
  const {
    directives = {},
    useDefaults = true,
    reportOnly = false,
    ...unknown
  } = requireOptions('contentSecurityPolicy', options);
  refuseUnknown('contentSecurityPolicy', unknown, ['directives', 'useDefaults', 'reportOnly']);
  requireBoolean(OWNER, 'useDefaults', useDefaults);
  requireBoolean(OWNER, 'reportOnly', reportOnly);
  const defaults = isEncrypted ? ENCRYPTED_DEFAULTS : DEFAULTS;
  const all = {
    ...(useDefaults ? defaults : {}),
    ...requireRecord('contentSecurityPolicy', 'directives', "'img-src': [...]", directives),
  };
  const texts = Object.entries(all)
    .filter(([, sources]) => sources !== false)
    .map(([name, sources]) => formatDirective(name, sources));
  if (texts.length === 0 && isEncrypted)
    throw new TypeError(
      'contentSecurityPolicy has no directives left: give some, or turn it off with contentSecurityPolicy: false',
    );
  return {
    header: reportOnly ? 'Content-Security-Policy-Report-Only' : 'Content-Security-Policy',
    parts: texts.join(';').split(NONCE),
  };
}

function formatDirective(name: string, sources: unknown): string {
  if (!/^[a-z][a-z-]*$/.test(name))
    throw optionError(OWNER, 'directives', "named as in CSP, such as 'script-src'", name);
  if (sources === true) return name;
  if (!Array.isArray(sources))
    throw optionError(OWNER, `directives.${name}`, 'a list of sources, true or false', sources);
  for (const source of sources as unknown[]) {
    if (typeof source !== 'string' || !/^[\x21-\x2b\x2d-\x3a\x3c-\x7e]+$/.test(source))
      throw optionError(
        OWNER,
        `directives.${name}`,
        'a list of sources without blanks, ";" and ","; one each',
        source,
      );
    if (KEYWORD.test(source))
      throw optionError(OWNER, `directives.${name}`, `written in single quotes: "'${source}'"`, source);
  }
  return [name, ...(sources as readonly string[])].join(' ');
}
