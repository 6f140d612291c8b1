import type { ServerConfig } from '../core/contract.js';
import { ImproperlyConfigured } from '../core/errors.js';

/** A limit that can never be reached is a mistake. @throws {ImproperlyConfigured} for one above the server's */
export function requireServerLimit(owner: string, limitBytes: number, config: ServerConfig): void {
  if (limitBytes <= config.maxBodyBytes) return;
  throw new ImproperlyConfigured(
    `Option "limitBytes" of ${owner}() must not be above the server's "maxBodyBytes", which is ${config.maxBodyBytes}; received ${limitBytes}: raise that one, or lower this one`,
  );
}
