import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A user of the system. */
export interface UserEntry {
  readonly uid: number;
  /** The first group; undefined where it is not known. */
  readonly gid: number | undefined;
  readonly name: string | undefined;
}

/** Directories on the network may be asked. */
const LOOKUP_MS = 5000;

/** A user by name or number; undefined where there is none. */
export function findUser(user: string | number): UserEntry | undefined {
  const [name, , uid, gid] = findEntry('passwd', user) ?? [];
  return uid === undefined ? undefined : { uid: Number(uid), gid: Number(gid), name };
}

/** The number of a group; undefined where there is none. */
export function findGroup(group: string): number | undefined {
  const gid = findEntry('group', group)?.[2];
  return gid === undefined ? undefined : Number(gid);
}

/** The fields of an entry: of the system's file, or of what else the system asks, such as a directory on the network. */
function findEntry(base: 'passwd' | 'group', key: string | number): string[] | undefined {
  const column = typeof key === 'number' ? 2 : 0;
  const entries = readBase(base)
    .split('\n')
    .map((line) => line.split(':'));
  const found = entries.find((fields) => fields.length > 3 && fields[column] === String(key));
  if (found !== undefined) return found;
  const { status, stdout } = spawnSync('getent', [base, String(key)], {
    encoding: 'utf8',
    timeout: LOOKUP_MS,
  });
  return status === 0 ? stdout.trim().split(':') : undefined;
}

function readBase(base: string): string {
  try {
    return readFileSync(`/etc/${base}`, 'utf8');
  } catch {
    // A system without it has getent, or no names.
    return '';
  }
}
