import type { Setting } from '../setting.js';

export const LISTENING = {
  bind: {
    kind: 'addresses',
    section: 'Listening',
    short: 'b',
    default: '127.0.0.1:8060',
    text: 'where to listen: host:port, :port (0.0.0.0), a port (127.0.0.1), [v6]:port or unix:/path',
    details:
      'Port 0 picks a free one. For several addresses give a list; on the command line repeat the flag, or put commas between them.',
    since: '0.1.0',
  },
  gateway: {
    kind: 'choice',
    section: 'Listening',
    choices: ['uws', 'node', 'auto'],
    default: 'uws',
    text: 'serve on uWebSockets.js, on node:http, or on whichever is there and can do what is asked',
    details: '`uws` is the fast one, `node` the one with the widest reach; `auto` takes uws where it can.',
    since: '0.1.0',
  },
  allowTunnels: {
    kind: 'boolean',
    section: 'Listening',
    default: false,
    text: 'let the application take raw connections over, for CONNECT and Upgrade (node gateway)',
    details: "Such requests have `environ['vela.tunnel']`.",
    since: '0.1.0',
  },
} as const satisfies Readonly<Record<string, Setting>>;
