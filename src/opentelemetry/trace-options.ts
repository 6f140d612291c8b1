import type { Attributes } from '@opentelemetry/api';
import type { Environ, RequestEnd } from '../core/contract.js';
import { refuseUnknown, requireOptions } from '../core/errors.js';
import { METHODS, TOKEN } from '../core/http-syntax.js';
import { fieldKey } from '../core/request-fields.js';
import { optionError } from '../middleware/option-error.js';
import { createRedactor } from './redact-query.js';

/** Options of {@link traceRequests}. */
export interface TraceRequestsOptions {
  /** Leaves requests out, such as those of a load balancer: no span, no metrics. @defaultValue none */
  skip?: (environ: Environ) => boolean;
  /**
   * Whether a trace that the client began goes on here. Where it does not, a trace begins, linked to that of the client: for
   * servers that anybody reaches, as a client may choose the id, and that a span is recorded. @defaultValue true
   */
  acceptParent?: boolean | ((environ: Environ) => boolean);
  /** Further attributes of the span, at its beginning, where samplers see them. */
  attributes?: (environ: Environ) => Attributes;
  /** Further attributes of the span, at its end. */
  endAttributes?: (environ: Environ, end: RequestEnd) => Attributes;
  /** Request headers to record, as `http.request.header.<name>`. Mind secrets. @defaultValue none */
  requestHeaders?: readonly string[];
  /** Response headers to record, as `http.response.header.<name>`. Mind secrets. @defaultValue none */
  responseHeaders?: readonly string[];
  /** Parameters of the query whose values are hidden, beside those of signed URLs; in any case of letters. @defaultValue none */
  sensitiveParameters?: readonly string[];
  /** The methods that are told by their name, in place of the usual nine; others are `_OTHER`. */
  knownMethods?: readonly string[];
  /**
   * Tells the client the trace: in the header `traceresponse`, or in Server-Timing, which scripts of a browser can read.
   * @defaultValue `none`
   */
  responseHeader?: 'none' | 'traceresponse' | 'server-timing';
}

/** Options, checked and worked out. */
export interface TraceSettings {
  readonly skip: TraceRequestsOptions['skip'] | undefined;
  readonly acceptParent: boolean | ((environ: Environ) => boolean);
  readonly attributes: TraceRequestsOptions['attributes'] | undefined;
  readonly endAttributes: TraceRequestsOptions['endAttributes'] | undefined;
  /** Key of the environ, name of the attribute, name of the header. */
  readonly requestHeaders: readonly (readonly [key: string, attribute: string, name: string])[];
  /** Name in lower case, name of the attribute. */
  readonly responseHeaders: readonly (readonly [name: string, attribute: string])[];
  readonly redact: (query: string) => string;
  readonly knownMethods: ReadonlySet<string>;
  readonly responseHeader: 'none' | 'traceresponse' | 'server-timing';
}

const OWNER = 'traceRequests';
const RESPONSE_HEADERS: readonly unknown[] = ['none', 'traceresponse', 'server-timing'];
const KNOWN = [
  'skip',
  'acceptParent',
  'attributes',
  'endAttributes',
  'requestHeaders',
  'responseHeaders',
  'sensitiveParameters',
  'knownMethods',
  'responseHeader',
];

/** @throws {TypeError} for an option that there is not, and for a value that does not fit */
export function resolveTraceOptions(options: TraceRequestsOptions): TraceSettings {
  const {
    skip,
    acceptParent = true,
    attributes,
    endAttributes,
    requestHeaders = [],
    responseHeaders = [],
    sensitiveParameters = [],
    knownMethods = METHODS,
    responseHeader = 'none',
    ...unknown
  } = requireOptions(OWNER, options);
  refuseUnknown(OWNER, unknown, KNOWN);
  requireFunction('skip', skip, '(environ) => boolean');
  requireFunction('attributes', attributes, '(environ) => attributes');
  requireFunction('endAttributes', endAttributes, '(environ, end) => attributes');
  if (typeof acceptParent !== 'boolean' && typeof acceptParent !== 'function')
    throw optionError(OWNER, 'acceptParent', 'true, false or a function (environ) => boolean', acceptParent);
  requireNames('requestHeaders', requestHeaders, "names of headers, such as ['x-tenant']", TOKEN);
  requireNames('responseHeaders', responseHeaders, "names of headers, such as ['x-cache']", TOKEN);
  requireNames('sensitiveParameters', sensitiveParameters, "names of parameters, such as ['token']", /./);
  requireNames('knownMethods', knownMethods, "methods, such as ['GET', 'PURGE']", TOKEN);
  if (!RESPONSE_HEADERS.includes(responseHeader))
    throw optionError(OWNER, 'responseHeader', "'none', 'traceresponse' or 'server-timing'", responseHeader);
  return {
    skip,
    acceptParent,
    attributes,
    endAttributes,
    requestHeaders: requestHeaders.map((name) => [
      fieldKey(name),
      `http.request.header.${name.toLowerCase()}`,
      name,
    ]),
    responseHeaders: responseHeaders.map((name) => [
      name.toLowerCase(),
      `http.response.header.${name.toLowerCase()}`,
    ]),
    redact: createRedactor(sensitiveParameters),
    knownMethods: new Set(knownMethods),
    responseHeader,
  };
}

function requireFunction(option: string, value: unknown, shape: string): void {
  if (value !== undefined && typeof value !== 'function')
    throw optionError(OWNER, option, `a function ${shape}`, value);
}

function requireNames(option: string, value: unknown, expected: string, pattern: RegExp): void {
  const isList =
    Array.isArray(value) && value.every((one: unknown) => typeof one === 'string' && pattern.test(one));
  if (!isList) throw optionError(OWNER, option, `a list of ${expected}`, value);
}
