import { describeValue } from '../core/errors.js';

/** Whether an Origin names a host as the Host header does. The scheme is not compared: behind a proxy it may be known to the proxy alone. */
export function isSameHost(origin: string, host: string | undefined): boolean {
  const scheme = origin.indexOf('://');
  return host !== undefined && scheme !== -1 && origin.slice(scheme + 3).toLowerCase() === host.toLowerCase();
}

/** An option that is a list of origins. @throws {TypeError} for what browsers do not send so */
export function requireOrigins(option: string, origins: readonly string[]): ReadonlySet<string> {
  if (!Array.isArray(origins))
    throw new TypeError(`Option "${option}" must be an array; received ${describeValue(origins)}`);
  for (const origin of origins as readonly unknown[]) {
    if (typeof origin === 'string' && isOrigin(origin)) continue;
    throw new TypeError(
      `Option "${option}" takes origins as browsers send them, such as 'https://app.example.com', without path; received ${describeValue(origin)}`,
    );
  }
  return new Set(origins);
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text && text !== 'null';
}
