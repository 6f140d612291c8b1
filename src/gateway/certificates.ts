import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import { ImproperlyConfigured, toError } from '../core/errors.js';
import type { SniCertificate, TlsOptions } from './gateway.js';

/** A certificate's files, as the options name them. */
interface Files {
  readonly certFile: string;
  readonly keyFile: string;
  readonly passphrase?: string | undefined;
  /** What stands before the names of its options. */
  readonly prefix: '' | 'sni.';
}

/** Loads all certificates once, to see that they can be: uWebSockets.js would not say what is wrong. */
export function checkCertificates(tls: TlsOptions): void {
  load({ ...tls, prefix: '' });
  for (const one of tls.sni) loadSniCertificate(one);
}

/**
 * Loads a certificate for a further host name.
 * @throws {ImproperlyConfigured} that names the option, the file, what is wrong with it and what to do
 */
export function loadSniCertificate({ certFile, keyFile }: SniCertificate): SecureContext {
  return load({ certFile, keyFile, prefix: 'sni.' });
}

function load(files: Files): SecureContext {
  const cert = readPem(files.certFile, `${files.prefix}certFile`);
  const key = readPem(files.keyFile, `${files.prefix}keyFile`);
  const { passphrase } = files;
  try {
    return createSecureContext({ cert, key, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (cause) {
    throw new ImproperlyConfigured(
      findCertificateFault(files, cert) ?? findKeyFault(files, key) ?? describePair(files, cause),
      { cause },
    );
  }
}

function readPem(file: string, option: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const message = `Option "${option}" must be a file that can be read; ${toError(cause).message}: ${file}`;
    throw new ImproperlyConfigured(message, { cause });
  }
}

/** What is wrong with a certificate alone; undefined when nothing is. */
function findCertificateFault({ certFile, prefix }: Files, cert: Buffer): string | undefined {
  try {
    createSecureContext({ cert });
    return undefined;
  } catch (cause) {
    const remedy = /-----BEGIN [A-Z ]*CERTIFICATE-----/.test(cert.toString('latin1'))
      ? `it is damaged (${toError(cause).message}): make the file anew`
      : cert.includes('PRIVATE KEY-----')
        ? 'it holds a private key: exchange certFile and keyFile, if they are the wrong way round'
        : 'it has no line "-----BEGIN CERTIFICATE-----"; openssl x509 -inform der makes PEM of DER';
    return `Option "${prefix}certFile" must be a certificate in PEM; ${certFile} is not: ${remedy}`;
  }
}

/** What is wrong with a key alone; undefined when nothing is. */
function findKeyFault({ keyFile, passphrase, prefix }: Files, key: Buffer): string | undefined {
  try {
    createPrivateKey({ key, ...(passphrase === undefined ? {} : { passphrase }) });
    return undefined;
  } catch (cause) {
    if (key.includes('ENCRYPTED')) return describeLocked(keyFile, passphrase, prefix);
    const remedy = key.includes('PRIVATE KEY-----')
      ? `it is damaged (${toError(cause).message}): make the file anew`
      : key.includes('CERTIFICATE-----')
        ? 'it holds a certificate: exchange certFile and keyFile, if they are the wrong way round'
        : 'it has no line "-----BEGIN PRIVATE KEY-----"; openssl pkey -inform der makes PEM of DER';
    return `Option "${prefix}keyFile" must be a private key in PEM; ${keyFile} is not: ${remedy}`;
  }
}

function describeLocked(keyFile: string, passphrase: string | undefined, prefix: Files['prefix']): string {
  const unlock = `openssl pkey -in ${keyFile} -out plain.key writes one that is not encrypted`;
  if (prefix !== '')
    return `Option "${prefix}keyFile" must be a key without passphrase; ${keyFile} is encrypted: ${unlock}`;
  return passphrase === undefined
    ? `Option "passphrase" must be given, as the key of option "keyFile", ${keyFile}, is encrypted; or ${unlock}`
    : `Option "passphrase" must be the one that option "keyFile", ${keyFile}, is encrypted with; it does not open it`;
}

/** Each can be loaded, and they cannot be used together. */
function describePair({ certFile, keyFile, prefix }: Files, cause: unknown): string {
  const { code, message } = toError(cause) as NodeJS.ErrnoException;
  return code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' || code === 'ERR_OSSL_X509_KEY_TYPE_MISMATCH'
    ? `Option "${prefix}keyFile" must be the key of option "${prefix}certFile"; ${keyFile} belongs to another than the first one in ${certFile}: give its own key, and put the server's certificate before those of its chain`
    : `TLS cannot use the certificate ${certFile} (option "${prefix}certFile") with the key ${keyFile} (option "${prefix}keyFile"): ${message}`;
}
