import type { RequestHead } from '../core/request-fields.js';

/** A request target in its parts. */
export interface Target {
  readonly path: string;
  readonly query: string | undefined;
  /** The host of an absolute-form target, which counts instead of the Host header (RFC 9112 §3.2.2). */
  readonly authority: string | undefined;
}

/** Takes a request target apart: origin-form, absolute-form, authority-form (CONNECT) and `*` (RFC 9112 §3.2). */
export function splitTarget(method: string, target: string): Target {
  if (method === 'CONNECT') return { path: '', query: undefined, authority: undefined };
  const absolute = target.startsWith('/') ? undefined : /^https?:\/\/([^/?#]*)(.*)$/i.exec(target);
  const local = absolute ? (absolute[2] as string) : target;
  const mark = local.indexOf('?');
  const path = mark === -1 ? local : local.slice(0, mark);
  return {
    path: path === '' ? '/' : path,
    query: mark === -1 ? undefined : local.slice(mark + 1),
    authority: absolute?.[1],
  };
}

/** The head of a node:http request, in the shape that environ reads. */
export function readNodeHead(
  rawHeaders: readonly string[],
  target: string,
  query: string | undefined,
  authority: string | undefined,
): RequestHead {
  const forEach = (callback: (name: string, value: string) => void) => {
    if (authority !== undefined) callback('host', authority);
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = (rawHeaders[i] as string).toLowerCase();
      if (authority === undefined || name !== 'host') callback(name, rawHeaders[i + 1] as string);
    }
  };
  return {
    target,
    getQuery: () => query,
    getHeader(wanted) {
      let found: string | undefined;
      forEach((name, value) => {
        if (name === wanted) found ??= value;
      });
      return found ?? '';
    },
    forEach,
  };
}
