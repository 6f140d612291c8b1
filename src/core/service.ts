import type { AppFunction } from './contract.js';
import type { IncomingService } from './incoming-service.js';
import type { WaitQueue } from './wait-queue.js';

/** What all requests of one server share. */
export interface Service<R> extends IncomingService<R> {
  readonly app: AppFunction;
  /** Requests whose response has not begun. */
  readonly waits: WaitQueue;
  /** Responses under way. */
  readonly stalls: WaitQueue;
  /** The server is stopping: connections end with their current response. */
  isDraining: boolean;
}
