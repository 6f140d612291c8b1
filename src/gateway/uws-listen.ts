import { chmodSync, rmSync } from 'node:fs';
import { lockAddresses } from './address-lock.js';
import type { ListenAddress } from './gateway.js';
import { probeTcp, probeUnix } from './probe-address.js';
import type { loadUws, TemplatedApp, us_listen_socket } from './uws-binding.js';

type Binding = ReturnType<typeof loadUws>;

/** What listens, and where. */
export interface Opened {
  token: us_listen_socket;
  address: ListenAddress;
}

/** Listens on a TCP address, side by side with other processes if it is shared. @throws an error with `code`, EADDRINUSE and others */
export async function openTcp(
  uws: Binding,
  app: TemplatedApp,
  address: { host: string; port: number },
  isShared: boolean,
): Promise<Opened> {
  const unlock = isShared ? undefined : await lockAddresses([address]);
  let token: us_listen_socket | false;
  try {
    // uWebSockets.js shares ports (SO_REUSEPORT), so it would not notice another server there.
    if (!isShared) await probeTcp(address);
    token = await new Promise((resolve) => {
      app.listen(address.host, address.port, resolve);
    });
  } finally {
    unlock?.();
  }
  if (token === false) throw listenError('EADDRINUSE', `${address.host}:${address.port}`);
  return { token, address: { host: address.host, port: uws.us_socket_local_port(token) } };
}

type ListenWithOptions = (
  this: TemplatedApp,
  host: string,
  port: number,
  options: number,
  opened: (token: us_listen_socket | false) => void,
) => void;

/** Its option for a port of one's own, in place of SO_REUSEPORT. */
const EXCLUSIVE_PORT = 1;

/** Listens on an IP address at once. @returns undefined where that cannot be */
export function openTcpNow(
  uws: Binding,
  app: TemplatedApp,
  address: { readonly host: string; readonly port: number },
  isShared: boolean,
): Opened | undefined {
  const { host } = address;
  const options = isShared ? 0 : EXCLUSIVE_PORT;
  let token = listenNow(app, host, address.port, options);
  if (address.port === 0 && token !== false) {
    // On port 0 it leaves SO_REUSEADDR out, and connections that have ended keep the port from those who listen next.
    const port = uws.us_socket_local_port(token);
    uws.us_listen_socket_close(token);
    token = listenNow(app, host, port, options) || listenNow(app, host, 0, options);
  }
  return token === false ? undefined : { token, address: { host, port: uws.us_socket_local_port(token) } };
}

function listenNow(app: TemplatedApp, host: string, port: number, options: number): us_listen_socket | false {
  let token: us_listen_socket | false = false;
  // Its types leave out that there may be options behind a host.
  (app.listen as unknown as ListenWithOptions).call(app, host, port, options, (opened) => {
    token = opened;
  });
  return token;
}

/** What the system gives a new socket, less what the umask takes. */
const SOCKET_MODE = 0o777;

/** Listens on a unix socket; one that is shared is taken over. @throws an error with the code EADDRINUSE when somebody answers there */
export async function openUnix(app: TemplatedApp, path: string, isShared: boolean): Promise<Opened> {
  const unlock = isShared ? undefined : await lockAddresses([{ path }]);
  let token: us_listen_socket | false;
  try {
    if (!isShared) await probeUnix(path);
    token = await new Promise((resolve) => {
      app.listen_unix(resolve, path);
    });
  } finally {
    unlock?.();
  }
  if (!token) throw listenError('EACCES', path);
  // uWebSockets.js makes it 0700 whatever the umask; node:http follows it.
  chmodSync(path, SOCKET_MODE & ~process.umask());
  return { token, address: { path } };
}

/** Removes the file of a unix socket. */
export function closeUnixSocket(path: string): void {
  rmSync(path, { force: true });
}

/** uWebSockets.js does not say why; what is likely once the probe has found the address free. */
function listenError(code: string, where: string): Error {
  return Object.assign(new Error(`listen ${code}: cannot listen on ${where}`), { code, syscall: 'listen' });
}
