import type { Environ } from '../core/contract.js';
import { Unsupported } from '../core/http-error.js';

/**
 * Refuses a body that is compressed: its bytes mean nothing yet.
 * @throws {Unsupported} 415, with the Accept-Encoding that would do (RFC 9110 §15.5.16)
 */
export function refuseCoded(environ: Environ): void {
  const coding = environ.HTTP_CONTENT_ENCODING?.trim().toLowerCase();
  if (coding === undefined || coding === '' || coding === 'identity') return;
  throw new Unsupported('A body with a Content-Encoding is not accepted here', {
    headers: [['Accept-Encoding', 'identity']],
  });
}
