import type { ListenAddress } from './gateway.js';

const CHOOSE = 'choose another with --bind or the option "bind"';

/** What to do when an address cannot be had. */
const REMEDIES: Readonly<Record<string, (address: ListenAddress) => string>> = {
  EADDRINUSE: (address) =>
    'path' in address ? CHOOSE : `another server is there: stop it, or ${CHOOSE}; port 0 takes a free one`,
  EACCES: (address) =>
    'path' in address
      ? `its directory must be one that this user may write to; ${CHOOSE}`
      : `ports below 1024 may need privileges; ${CHOOSE}`,
  EADDRNOTAVAIL: (address) =>
    'path' in address
      ? CHOOSE
      : `this machine may have no such address, while 127.0.0.1 and 0.0.0.0 (all IPv4 interfaces) are always there; ${CHOOSE}`,
  ENOTFOUND: () => `the host name has no address; ${CHOOSE}`,
  ENOENT: () => `make it, or ${CHOOSE}`,
};

/** An error of listening with what to do about it: the same `code` and other fields, and the error itself as its cause. */
export function explainListenError(error: unknown, address: ListenAddress): unknown {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return error;
  const remedy = REMEDIES[String(error.code)]?.(address);
  if (remedy === undefined) return error;
  return Object.assign(new Error(`${error.message}: ${remedy}`, { cause: error }), { ...error });
}
