import { AsyncLocalStorage } from 'node:async_hooks';

/** The request that the present code works for, so that log lines can name it. */
export interface RequestContext {
  readonly requestId: string;
  readonly method: string;
  /** As the client sent it. */
  readonly target: string;
}

export const requestContext = new AsyncLocalStorage<RequestContext>();
