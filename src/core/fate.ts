import { RequestInput } from './input.js';
import type { Fate } from './transport.js';

/** How long the rest of a request's body is waited for, in ms. */
const LINGER_MS = 1000;

/** What decides over a connection. */
interface LastRequest {
  /** The connection must end with the response. */
  readonly isLast: boolean;
  /** The application wants it to. */
  readonly closes: boolean;
  readonly isBodyPending: boolean;
  readonly input: RequestInput;
  /** The last bytes of the response follow. */
  close(): void;
}

/** What becomes of the connection after the response. @param code - its status */
export function decideFate(request: LastRequest, isDraining: boolean, code: number | undefined): Fate {
  if (code === 408) return 'close';
  if (!request.isLast && !request.closes && !isDraining) return 'keep';
  return request.isBodyPending ? 'tell' : 'close';
}

/**
 * Ends a connection that must end, in a later turn of the loop, so that no request behind this one is served, and
 * once the body has passed, as a client that still sends would not read the response. It waits for that body a
 * second at the most.
 */
export function afterBody(request: LastRequest, send: () => void): void {
  const finish = () => {
    request.close();
    send();
  };
  if (!request.isBodyPending) {
    setImmediate(finish);
    return;
  }
  const timer = setTimeout(finish, LINGER_MS);
  RequestInput.discard(request.input, () => {
    clearTimeout(timer);
    setImmediate(finish);
  });
}
