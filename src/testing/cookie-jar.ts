import { parseSetCookie, stringifyCookie } from 'cookie';

interface Kept {
  value: string;
  path: string;
  expires: number;
}

/** The cookies of one client of one host (RFC 6265 §5.3, §5.4). */
export class CookieJar {
  readonly #cookies = new Map<string, Kept & { name: string }>();

  /** Keeps what a Set-Cookie header says. */
  store(setCookie: string, requestPath: string): void {
    const { name, value, path, expires, maxAge } = parseSetCookie(setCookie);
    // Browsers leave out a cookie without a name.
    if (value === undefined || name === '') return;
    const kept = {
      name,
      value,
      path: path?.startsWith('/') === true ? path : defaultPath(requestPath),
      expires:
        maxAge === undefined ? (expires?.getTime() ?? Number.POSITIVE_INFINITY) : Date.now() + maxAge * 1000,
    };
    const key = `${name};${kept.path}`;
    if (kept.expires <= Date.now()) this.#cookies.delete(key);
    else this.#cookies.set(key, kept);
  }

  /** The Cookie header for a path, longer paths first; undefined without cookies. */
  header(requestPath: string): string | undefined {
    const now = Date.now();
    const sent = [...this.#cookies.values()]
      .filter((one) => one.expires > now && isPathMatch(requestPath, one.path))
      .sort((a, b) => b.path.length - a.path.length);
    return sent.length === 0
      ? undefined
      : sent.map(({ name, value }) => stringifyCookie({ [name]: value })).join('; ');
  }
}

function defaultPath(requestPath: string): string {
  const end = requestPath.lastIndexOf('/');
  return end <= 0 ? '/' : requestPath.slice(0, end);
}

function isPathMatch(requestPath: string, cookiePath: string): boolean {
  if (requestPath === cookiePath) return true;
  return (
    requestPath.startsWith(cookiePath) && (cookiePath.endsWith('/') || requestPath[cookiePath.length] === '/')
  );
}
