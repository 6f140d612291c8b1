import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import { ImproperlyConfigured, toError } from '../core/errors.js';
import type { TlsOptions } from './gateway.js';

/**
 * Loads a certificate and its key.
 * @throws {ImproperlyConfigured} that names the files and what is wrong with them
 */
export function loadCertificate(certFile: string, keyFile: string, passphrase?: string): SecureContext {
  try {
    return createSecureContext({
      cert: readFileSync(certFile),
      key: readFileSync(keyFile),
      ...(passphrase === undefined ? {} : { passphrase }),
    });
  } catch (cause) {
    throw new ImproperlyConfigured(
      `TLS cannot use the certificate ${certFile} with the key ${keyFile}: ${toError(cause).message}`,
      { cause },
    );
  }
}

/** Loads all certificates once, to see that they can be: uWebSockets.js would not say what is wrong. */
export function checkCertificates(tls: TlsOptions): void {
  loadCertificate(tls.certFile, tls.keyFile, tls.passphrase);
  for (const { certFile, keyFile } of tls.sni) loadCertificate(certFile, keyFile);
}
