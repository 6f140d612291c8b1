import { channel } from 'node:diagnostics_channel';
import type { AppFunction, Environ, RequestEnd } from './contract.js';
import { ResponseHooks } from './response-hooks.js';

/** What a `vela:request:start` message holds. */
export interface RequestStartMessage {
  readonly environ: Environ;
}

/** What a `vela:request:finish` and a `vela:request:abort` message hold. */
export interface RequestEndMessage extends RequestEnd {
  readonly environ: Environ;
}

/** What a `vela:request:error` message holds. */
export interface RequestErrorMessage {
  readonly environ: Environ;
  readonly error: Error;
  /** The status of the error response. */
  readonly status: number;
}

const starts = channel('vela:request:start');
const finishes = channel('vela:request:finish');
const aborts = channel('vela:request:abort');
const errors = channel('vela:request:error');

/**
 * Tells the channels of `node:diagnostics_channel` of each request of an application: `vela:request:start`, then one of
 * `vela:request:finish` (sent, or taken over) and `vela:request:abort` (aborted by the client, or cut). Without
 * subscribers it costs three reads of a flag. The application runs within the stores that are bound to `start`.
 */
export function tellChannels(app: AppFunction): AppFunction {
  return (environ, startResponse) => {
    if (!(starts.hasSubscribers || finishes.hasSubscribers || aborts.hasSubscribers))
      return app(environ, startResponse);
    const run = (): ReturnType<AppFunction> => {
      tellEnd(environ);
      if (starts.hasSubscribers) ResponseHooks.keepContext(environ['vela.response']);
      return app(environ, startResponse);
    };
    return starts.runStores({ environ } satisfies RequestStartMessage, run);
  };
}

/** Whether somebody may follow requests by their async context, so that it must not be lost. */
export function isFollowed(): boolean {
  return starts.hasSubscribers || errors.hasSubscribers;
}

/** Tells `vela:request:error` of an error that becomes a response: so of none after the request's end. */
export function tellError(environ: Environ, error: Error, status: number): void {
  if (errors.hasSubscribers && !environ['vela.signal'].aborted)
    errors.publish({ environ, error, status } satisfies RequestErrorMessage);
}

function tellEnd(environ: Environ): void {
  environ['vela.response'].onEnd((end) => {
    const isFinished = end.outcome === 'sent' || end.outcome === 'taken';
    (isFinished ? finishes : aborts).publish({ environ, ...end } satisfies RequestEndMessage);
  });
}
