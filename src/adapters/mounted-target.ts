import type { IncomingMessage } from 'node:http';

/** A request target, and what of it has led to the place where an application is mounted. */
export interface PrefixedTarget {
  /** Undecoded; `''` at the root. */
  readonly prefix: string;
  /** Undecoded, with the query: `''`, or it begins with a slash or `?`. */
  readonly rest: string;
}

/** What Express and Connect put beside `url`, of which they cut the prefix off. */
type MountedRequest = Pick<IncomingMessage, 'url'> & {
  readonly baseUrl?: unknown;
  readonly originalUrl?: unknown;
};

/** Finds out where in another server an application is mounted. What others have made of `url` counts. */
export function splitPrefix({ url = '/', baseUrl, originalUrl }: MountedRequest): PrefixedTarget {
  if (typeof originalUrl !== 'string' || originalUrl === url) return { prefix: '', rest: url };
  // At the very prefix `url` has a slash that was never sent.
  const bare = url.startsWith('/') ? url.slice(1) : url;
  if (typeof baseUrl === 'string' && baseUrl !== '') {
    const isBare = originalUrl === baseUrl + bare && (bare === '' || bare.startsWith('?'));
    return { prefix: baseUrl, rest: isBare ? bare : url };
  }
  if (originalUrl.endsWith(url)) return { prefix: originalUrl.slice(0, -url.length), rest: url };
  const isBare = (bare === '' || bare.startsWith('?')) && originalUrl.endsWith(bare);
  return isBare
    ? { prefix: originalUrl.slice(0, originalUrl.length - bare.length), rest: bare }
    : { prefix: '', rest: url };
}
