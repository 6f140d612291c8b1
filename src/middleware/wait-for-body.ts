import type { MiddlewareFunction } from '../core/contract.js';
import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';

/** Options of {@link waitForBody}. */
export interface WaitForBodyOptions {
  /** Largest body, in bytes; a larger one is answered 413. @defaultValue 1 MiB */
  limitBytes?: number;
}

const DEFAULT_LIMIT_BYTES = 1_048_576;

/**
 * Waits until the request's body is in memory, so that the handlers after it can read it without waiting, with
 * `environ['wsgi.input'].readSync()`. A request without a body passes at once.
 * @example new WsgiHandler([waitForBody({ limitBytes: 65_536 }), app])
 */
export function waitForBody(options: WaitForBodyOptions = {}): MiddlewareFunction {
  const { limitBytes = DEFAULT_LIMIT_BYTES, ...unknown } = requireOptions('waitForBody', options);
  if (!Number.isSafeInteger(limitBytes) || limitBytes < 0) {
    throw new TypeError(
      `Option "limitBytes" must be a whole number of bytes; received ${describeValue(limitBytes)}`,
    );
  }
  refuseUnknown('waitForBody', unknown, ['limitBytes']);

  const waitForBodyMiddleware: MiddlewareFunction = (environ) => environ['wsgi.input'].load(limitBytes);
  waitForBodyMiddleware.headers = [];
  waitForBodyMiddleware.runsOn = 'request';
  return waitForBodyMiddleware;
}

/** `waitForBody()` under the name that it has in pulsar. */
export const waitForBodyMiddleware: MiddlewareFunction = waitForBody();
