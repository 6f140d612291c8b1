import type { Setting } from '../setting.js';

export const TLS = {
  certFile: {
    kind: 'file',
    section: 'TLS',
    text: 'TLS certificate chain, a PEM file; goes with the key',
    since: '0.1.0',
  },
  keyFile: {
    kind: 'file',
    section: 'TLS',
    text: 'TLS private key, a PEM file; goes with the certificate',
    since: '0.1.0',
  },
  passphrase: {
    kind: 'text',
    section: 'TLS',
    // A command line is for all users of a machine to read.
    flag: false,
    isSecret: true,
    text: 'of the private key',
    since: '0.1.0',
  },
  sni: {
    kind: 'certificates',
    section: 'TLS',
    flag: false,
    variable: false,
    text: 'further certificates, chosen by the host name that the client asks for',
    since: '0.1.0',
  },
} as const satisfies Readonly<Record<string, Setting>>;
