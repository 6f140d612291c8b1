import type { MiddlewareFunction } from 'vela';

/** What has been counted since the start. */
export interface RequestCounts {
  /** Under way. */
  current: number;
  total: number;
  /** Those that were cut, or whose client left. */
  broken: number;
  sentBytes: number;
  /** By the first digit of their status: `2xx`. */
  readonly statuses: Record<string, number>;
}

/** A middleware that counts the requests of its process, and what it has counted. */
export function countRequests(): { middleware: MiddlewareFunction; counts: RequestCounts } {
  const counts: RequestCounts = { current: 0, total: 0, broken: 0, sentBytes: 0, statuses: {} };
  const middleware: MiddlewareFunction = (environ) => {
    counts.current++;
    counts.total++;
    environ['vela.response'].onEnd(({ status, bodyBytes, outcome }) => {
      counts.current--;
      counts.sentBytes += bodyBytes;
      if (outcome !== 'sent') counts.broken++;
      const kind = `${Math.floor(status / 100)}xx`;
      counts.statuses[kind] = (counts.statuses[kind] ?? 0) + 1;
    });
  };
  middleware.headers = [];
  return { middleware, counts };
}
