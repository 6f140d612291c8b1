import type { Setting } from '../setting.js';

export const DATA = {
  dataStore: {
    kind: 'dataStore',
    section: 'Data',
    text: 'Redis or Valkey by which channels reach other machines: redis://user:password@host:6379/0?namespace=shop',
    details:
      'It needs the package ioredis: [channels](channels.md). `rediss:` is with TLS. A password in a flag can be read by all users of the machine, one in the variable cannot.',
    isSecret: true,
    since: '0.1.0',
  },
} as const satisfies Readonly<Record<string, Setting>>;
