import type { MiddlewareFunction } from '../core/contract.js';
import { refuseUnknown, requireOptions } from '../core/errors.js';
import { optionError } from './option-error.js';
import { requireServerLimit } from './require-server-limit.js';

/** Options of {@link waitForBody}. */
export interface WaitForBodyOptions {
  /**
   * Largest body, in bytes; a larger one is answered 413. No more than the server's `maxBodyBytes`.
   * @defaultValue 1 MiB, or `maxBodyBytes` where that is less
   */
  limitBytes?: number;
}

const OWNER = 'waitForBody';
const DEFAULT_LIMIT_BYTES = 1_048_576;

/**
 * Waits until the request's body is in memory, so that the handlers after it can read it without waiting, with
 * `environ['wsgi.input'].readSync()`. A request without a body passes at once.
 * @throws {ImproperlyConfigured} from `start`, for a limit above what the server lets through
 * @example new WsgiHandler([waitForBody({ limitBytes: 65_536 }), app])
 */
export function waitForBody(options: WaitForBodyOptions = {}): MiddlewareFunction {
  const { limitBytes = DEFAULT_LIMIT_BYTES, ...unknown } = requireOptions(OWNER, options);
  refuseUnknown(OWNER, unknown, ['limitBytes']);
  if (!Number.isSafeInteger(limitBytes) || limitBytes < 0)
    throw optionError(OWNER, 'limitBytes', 'a whole number of bytes', limitBytes);

  const loadBody: MiddlewareFunction = (environ) => environ['wsgi.input'].load(limitBytes);
  loadBody.headers = [];
  loadBody.runsOn = 'request';
  // The default is no claim: a server may well let less through.
  if (options.limitBytes !== undefined)
    loadBody.start = ({ config }) => requireServerLimit(OWNER, limitBytes, config);
  return loadBody;
}

/** `waitForBody()` under the name that it has in pulsar. */
export const waitForBodyMiddleware: MiddlewareFunction = waitForBody();
