import { limitInput } from '../core/any-input.js';
import type { MiddlewareFunction } from '../core/contract.js';
import { refuseUnknown, requireOptions } from '../core/errors.js';
import { PayloadTooLarge } from '../core/http-error.js';
import { optionError } from './option-error.js';
import { requireServerLimit } from './require-server-limit.js';

/** Options of {@link bodyLimit}. */
export interface BodyLimitOptions {
  /** Largest body, in bytes; no more than the server's `maxBodyBytes`. */
  limitBytes: number;
}

const OWNER = 'bodyLimit';

/**
 * Refuses larger bodies than some: with 413 (RFC 9110 §15.5.14) at once when the request states its length, else in the
 * read that goes beyond. The smallest limit counts where several are set.
 * @throws {ImproperlyConfigured} from `start`, for more than the server lets through
 * @example new WsgiHandler([bodyLimit({ limitBytes: 65_536 }), app])
 */
export function bodyLimit(options: BodyLimitOptions): MiddlewareFunction {
  const { limitBytes, ...unknown } = requireOptions(OWNER, options);
  refuseUnknown(OWNER, unknown, ['limitBytes']);
  if (!Number.isSafeInteger(limitBytes) || limitBytes < 0)
    throw optionError(OWNER, 'limitBytes', 'a whole number of bytes', limitBytes);

  const bodyLimitMiddleware: MiddlewareFunction = (environ) => {
    // A body with a stated length is never longer than that.
    const stated = environ.CONTENT_LENGTH;
    if (stated === '') limitInput(environ['wsgi.input'], limitBytes);
    else if (Number(stated) > limitBytes)
      throw new PayloadTooLarge(`The request body is larger than the limit of ${limitBytes} bytes`);
  };
  bodyLimitMiddleware.headers = [];
  bodyLimitMiddleware.start = ({ config }) => requireServerLimit(OWNER, limitBytes, config);
  bodyLimitMiddleware.describe = () => ({ name: OWNER, limitBytes });
  bodyLimitMiddleware.runsOn = 'request';
  return bodyLimitMiddleware;
}
