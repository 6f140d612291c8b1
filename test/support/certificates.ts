/** Self-signed certificates for TLS tests, made by the openssl command. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate and its key, as PEM files. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A folder for a test's files. */
export interface TemporaryFolder {
  readonly path: string;
  remove(): void;
}

export function createFolder(): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), 'vela-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Whether a command can be run here. */
export function hasCommand(command: string, argument = '--version'): boolean {
  return spawnSync(command, [argument], { stdio: 'ignore' }).status === 0;
}

/** Makes a certificate for a host name; with a passphrase the key is encrypted. */
export function createCertificate(folder: string, hostname: string, passphrase?: string): CertificateFiles {
  const certFile = join(folder, `${hostname.replace('*', 'any')}.pem`);
  const keyFile = join(folder, `${hostname.replace('*', 'any')}.key`);
  const secret = passphrase === undefined ? ['-nodes'] : ['-passout', `pass:${passphrase}`];
  const { status, stderr } = spawnSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-days', '2', '-keyout', keyFile, '-out', certFile],
      ...['-subj', `/CN=${hostname}`, '-addext', `subjectAltName=DNS:${hostname}`, ...secret],
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`openssl failed: ${stderr}`);
  return { certFile, keyFile };
}
