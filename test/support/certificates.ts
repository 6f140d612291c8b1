/** Self-signed certificates for TLS tests, made by the openssl command. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

/** Makes an authority, and what it has signed for a host name or address. */
export function createAuthority(
  folder: string,
  name: string,
): CertificateFiles & { readonly caFile: string } {
  const at = (end: string) => join(folder, end);
  const run = (...args: string[]) => {
    const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl failed: ${stderr}`);
  };
  const made = { caFile: at('ca.pem'), certFile: at('signed.pem'), keyFile: at('signed.key') };
  const newKey = ['req', '-newkey', 'rsa:2048', '-nodes'];
  run(
    ...newKey,
    '-x509',
    '-days',
    '2',
    '-keyout',
    at('ca.key'),
    '-out',
    made.caFile,
    '-subj',
    '/CN=authority',
  );
  run(...newKey, '-keyout', made.keyFile, '-out', at('signed.csr'), '-subj', `/CN=${name}`);
  writeFileSync(at('names'), `subjectAltName=DNS:${name},IP:127.0.0.1`);
  const signing = ['-CA', made.caFile, '-CAkey', at('ca.key'), '-CAcreateserial', '-extfile', at('names')];
  run('x509', '-req', '-days', '2', '-in', at('signed.csr'), '-out', made.certFile, ...signing);
  return made;
}
