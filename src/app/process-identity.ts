import { chownSync } from 'node:fs';
import { describeValue, ImproperlyConfigured, toError } from '../core/errors.js';
import { findGroup, findUser, type UserEntry } from './find-user.js';
import { parseUmask } from './process-kinds.js';
import type { ServerOptions } from './server-options.js';

/** The settings that say as whom and where a process runs. */
export type IdentitySettings = Pick<ServerOptions, 'user' | 'group' | 'umask' | 'chdir'>;

/** As whom and where a process is to run. Each step is for a time of its own, and does nothing where nothing was asked for. */
export interface ProcessIdentity {
  /** Changes the working directory and the umask: before the application is loaded and files are made. */
  settle(): void;
  /** Gives what was made to the user, who is to open or remove it later. @throws errors of the system */
  give(path: string): void;
  /** The same, for what gives itself. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /**
   * Becomes the user, for good: supplementary groups, group, user. All that needs root is done by then. It is for the main
   * thread, and changes all others with it.
   * @throws {ImproperlyConfigured} when the system refuses
   */
  become(): void;
}

/** Not in the types of Node 20. */
type InitGroups = NodeJS.Process & { initgroups?(user: string, extraGroup: number): void };

interface Change {
  readonly uid: number;
  readonly gid: number;
  /** Undefined for a number that has no name, which has no groups of its own. */
  readonly userName: string | undefined;
}

/**
 * Looks up the user and the group.
 * @throws {ImproperlyConfigured} for those that there are not, and where this process may not change to them
 */
export function resolveIdentity({ user, group, umask, chdir }: IdentitySettings): ProcessIdentity {
  const change = resolveChange(user, group);
  return {
    settle() {
      if (chdir !== undefined) process.chdir(chdir);
      if (umask !== undefined) process.umask(typeof umask === 'number' ? umask : parseUmask(umask));
    },
    give(path) {
      if (change !== undefined) chownSync(path, change.uid, change.gid);
    },
    owner: change && { uid: change.uid, gid: change.gid },
    become() {
      if (change !== undefined) become(change);
    },
  };
}

/**
 * The title of a process, as `ps` shows it: `shop: worker web`.
 * @param processName - the setting @param role - `arbiter`, `monitor`, `worker`, ... @param name - which of them; `''` for the only one
 */
export function title(processName: string, role: string, name = ''): string {
  const text = `${processName}: ${role}${name === '' ? '' : ` ${name}`}`;
  // ps shows what it is given, and a terminal obeys it.
  return text.replace(/\p{C}/gu, '?');
}

/** Undefined where nothing is to be changed. */
function resolveChange(
  user: string | number | undefined,
  group: string | number | undefined,
): Change | undefined {
  if (user === undefined && group === undefined) return undefined;
  const [own, ownGroup] = [process.geteuid?.(), process.getegid?.()];
  if (own === undefined || ownGroup === undefined)
    throw new ImproperlyConfigured(
      `Options "user" and "group" are for systems with users of POSIX; ${process.platform} has none: leave them out`,
    );
  const entry: UserEntry =
    user === undefined ? { uid: own, gid: ownGroup, name: undefined } : requireUser(user);
  const gid = group === undefined ? entry.gid : requireGroup(group);
  if (gid === undefined)
    throw new ImproperlyConfigured(
      `Option "user" is ${user}, a number without a name, so that its group is not known: give "group" too`,
    );
  if (entry.uid === own && gid === ownGroup) return undefined;
  if (own !== 0)
    throw new ImproperlyConfigured(
      `Option "${user === undefined || entry.uid === own ? 'group' : 'user'}" can be changed by root only; this process is of user ${own} and group ${ownGroup}: start it as root, or as the one that it shall be, and leave the option out`,
    );
  return { uid: entry.uid, gid, userName: entry.name };
}

function requireUser(user: string | number): UserEntry {
  const found = findUser(user);
  if (found !== undefined) return found;
  if (typeof user === 'number') return { uid: user, gid: undefined, name: undefined };
  throw new ImproperlyConfigured(
    `Option "user" must be a user of this system; received ${describeValue(user)}, which there is not: useradd --system ${user} makes it`,
  );
}

function requireGroup(group: string | number): number {
  if (typeof group === 'number') return group;
  const found = findGroup(group);
  if (found !== undefined) return found;
  throw new ImproperlyConfigured(
    `Option "group" must be a group of this system; received ${describeValue(group)}, which there is not: groupadd --system ${group} makes it`,
  );
}

function become({ uid, gid, userName }: Change): void {
  try {
    // Groups first, as they need root.
    if (userName !== undefined) (process as InitGroups).initgroups?.(userName, gid);
    else process.setgroups?.([gid]);
    process.setgid?.(gid);
    process.setuid?.(uid);
  } catch (cause) {
    throw new ImproperlyConfigured(
      `This process cannot become user ${userName ?? uid} and group ${gid}: ${toError(cause).message}`,
      { cause },
    );
  }
  const isChanged = process.getuid?.() === uid && process.geteuid?.() === uid && process.getegid?.() === gid;
  if (!isChanged || (uid !== 0 && canBecomeRoot()))
    throw new ImproperlyConfigured(
      `This process is not user ${userName ?? uid} for good: it would serve as root`,
    );
}

function canBecomeRoot(): boolean {
  try {
    process.setuid?.(0);
    return true;
  } catch {
    return false;
  }
}
