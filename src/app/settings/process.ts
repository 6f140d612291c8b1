import type { Setting } from '../setting.js';

export const PROCESS = {
  pidFile: {
    kind: 'output',
    section: 'Process',
    short: 'p',
    text: 'file for the process id; a second server with the same file is refused',
    since: '0.1.0',
  },
  adminBind: {
    kind: 'address',
    section: 'Process',
    text: 'where the main process shows what workers and threads do, as a page; without it nowhere',
    details:
      'As `bind`, one address. Whoever reaches it may read it: [the admin page](applications.md#the-admin-page).',
    since: '0.1.0',
  },
  processName: {
    kind: 'text',
    section: 'Process',
    short: 'n',
    default: 'vela',
    text: "what ps shows in front of each process's part",
    since: '0.1.0',
  },
  user: {
    kind: 'user',
    section: 'Process',
    text: 'user to serve as, by name or number; only root may change it',
    details: 'What follows from it: [privileges](operations/privileges.md).',
    since: '0.1.0',
  },
  group: {
    kind: 'user',
    section: 'Process',
    text: 'group to serve as, by name or number; by default the first one of the user',
    since: '0.1.0',
  },
  umask: {
    kind: 'umask',
    section: 'Process',
    text: 'permissions that files and unix sockets are made without, octal: 027',
    since: '0.1.0',
  },
  chdir: {
    kind: 'folder',
    section: 'Process',
    text: 'working directory to change to before the application is loaded',
    details: 'Paths in settings are those of the folder where the program was started.',
    since: '0.1.0',
  },
} as const satisfies Readonly<Record<string, Setting>>;
