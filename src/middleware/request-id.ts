import { randomBytes } from 'node:crypto';
import { atOnce } from '../core/at-once.js';
import type { Environ, MiddlewareFunction } from '../core/contract.js';
import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import { TOKEN } from '../core/http-syntax.js';
import { fieldKey } from '../core/request-fields.js';
import { optionError } from './option-error.js';
import { putHeader } from './put-header.js';

/** Options of {@link requestId}. */
export interface RequestIdOptions {
  /** Name of the header, in requests and responses. @defaultValue `X-Request-Id` */
  header?: string;
  /**
   * Whether a request's own id is taken: true behind a proxy that sets it, or a function that says so of a request. An
   * id that is not 1 to 128 characters out of `A-Z a-z 0-9 . _ ~ + / = : @ -` is never taken. @defaultValue false
   */
  trust?: boolean | ((environ: Environ) => boolean);
  /** Makes an id, of the characters above. @defaultValue 20 random ones: 120 bits */
  generate?: () => string;
}

const OWNER = 'requestId';
const SANE = /^[\w.~+/=:@-]{1,128}$/;

/**
 * Gives each request an id: `environ['vela.request_id']`, which log lines carry, and a header of the response.
 * @example new WsgiHandler([requestId(), app])
 */
export function requestId(options: RequestIdOptions = {}): MiddlewareFunction {
  const { header = 'X-Request-Id', trust = false, generate, ...unknown } = requireOptions(OWNER, options);
  refuseUnknown(OWNER, unknown, ['header', 'trust', 'generate']);
  if (typeof header !== 'string' || !TOKEN.test(header) || header.includes('_'))
    throw optionError(OWNER, 'header', "a header's name, such as 'X-Request-Id'", header);
  if (typeof trust !== 'boolean' && typeof trust !== 'function')
    throw optionError(OWNER, 'trust', 'true, false or a function (environ) => boolean', trust);
  if (generate !== undefined && typeof generate !== 'function')
    throw optionError(OWNER, 'generate', 'a function that returns an id', generate);
  const key = fieldKey(header);

  const requestIdMiddleware: MiddlewareFunction = (environ) => {
    const isTrusted = trust === true || (trust !== false && atOnce(OWNER, 'trust', trust(environ)) === true);
    const given = isTrusted ? environ[key] : undefined;
    const isGiven = typeof given === 'string' && SANE.test(given);
    const id = isGiven
      ? given
      : generate === undefined
        ? randomId()
        : checkId(atOnce(OWNER, 'generate', generate()));
    environ['vela.request_id'] = id;
    environ['vela.response'].onStart(({ headers }) => putHeader(headers, header, id));
  };
  requestIdMiddleware.headers = trust === false ? [] : [header];
  requestIdMiddleware.runsOn = 'request';
  return requestIdMiddleware;
}

/** Random characters in stock: one call for many ids costs a tenth of one call each. */
const STOCK_BYTES = 3072;
const ID_CHARS = 20;
let stock = '';
let used = 0;

function randomId(): string {
  if (used + ID_CHARS > stock.length) {
    stock = randomBytes(STOCK_BYTES).toString('base64url');
    used = 0;
  }
  used += ID_CHARS;
  return stock.slice(used - ID_CHARS, used);
}

function checkId(id: unknown): string {
  if (typeof id === 'string' && SANE.test(id)) return id;
  throw new TypeError(
    `What "generate" of requestId() returns must be 1 to 128 characters out of A-Z a-z 0-9 . _ ~ + / = : @ -; received ${describeValue(id)}`,
  );
}
