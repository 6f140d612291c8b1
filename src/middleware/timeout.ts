import type { MiddlewareFunction, ResponseControl } from '../core/contract.js';
import { ImproperlyConfigured, refuseUnknown, requireOptions } from '../core/errors.js';
import { HttpError } from '../core/http-error.js';
import { type Waiting, WaitQueue } from '../core/wait-queue.js';
import { optionError, requireMs } from './option-error.js';

/** Options of {@link timeout}. */
export interface TimeoutOptions {
  /**
   * Longest time from this middleware to the beginning of the response, in ms; below the server's `requestTimeoutMs`. It
   * comes up to a sixteenth late.
   */
  timeoutMs: number;
  /** 503: try again; 504: something behind this server is slow (RFC 9110 §15.6.4, §15.6.5). @defaultValue 503 */
  status?: 503 | 504;
}

const OWNER = 'timeout';

/**
 * Answers for a handler that takes too long, and aborts its work: `environ['vela.signal']` aborts. What the handler does
 * afterwards has no effect. A response that has begun is not bounded; the server's `stallTimeoutMs` watches over it.
 * @throws {ImproperlyConfigured} from `start`, when the server's own time-out would come first
 * @example new WsgiHandler([timeout({ timeoutMs: 2000 }), app])
 */
export function timeout(options: TimeoutOptions): MiddlewareFunction {
  const { timeoutMs, status = 503, ...unknown } = requireOptions(OWNER, options);
  refuseUnknown(OWNER, unknown, ['timeoutMs', 'status']);
  requireMs(OWNER, 'timeoutMs', timeoutMs);
  if (status !== 503 && status !== 504) throw optionError(OWNER, 'status', '503 or 504', status);
  const queue = new WaitQueue(timeoutMs);

  const timeoutMiddleware: MiddlewareFunction = (environ) => {
    const control = environ['vela.response'];
    const wait = new Wait(control, status);
    const leave = () => queue.leave(wait);
    queue.join(wait);
    control.onStart(leave);
    control.onEnd(leave);
  };
  timeoutMiddleware.headers = [];
  timeoutMiddleware.start = ({ config }) => {
    if (timeoutMs < config.requestTimeoutMs) return;
    throw new ImproperlyConfigured(
      `Option "timeoutMs" of timeout() must be below the server's "requestTimeoutMs", which is ${config.requestTimeoutMs}; received ${timeoutMs}: raise that one, or lower this one`,
    );
  };
  timeoutMiddleware.stop = () => queue.stop();
  timeoutMiddleware.describe = () => ({ name: OWNER, timeoutMs, status });
  timeoutMiddleware.runsOn = 'request';
  return timeoutMiddleware;
}

/** A request whose response has not begun. */
class Wait implements Waiting {
  waitPrevious: Waiting | undefined = undefined;
  waitNext: Waiting | undefined = undefined;
  waitQueue: WaitQueue | undefined = undefined;
  waitDue = 0;
  readonly #control: ResponseControl;
  readonly #status: number;

  constructor(control: ResponseControl, status: number) {
    this.#control = control;
    this.#status = status;
  }

  expire(): void {
    this.#control.fail(new HttpError(this.#status, 'The request took too long'));
  }
}
