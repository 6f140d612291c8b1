import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { atExit } from '../core/at-exit.js';
import { describeValue, ImproperlyConfigured } from '../core/errors.js';
import { isLivingServer } from './living-process.js';

/** A pid file that is held. */
interface Holding {
  readonly path: string;
  /** Of this very file: another one may have taken its name. */
  readonly inode: bigint;
}

/** What a pid file says. */
interface Found {
  /** Undefined for what is no number. */
  readonly pid: number | undefined;
}

const MODE = 0o644;
/** A pid and a line end take less; a longer file was meant for something else. */
const LONGEST_BYTES = 64;
/** How long others that replace the same stale file are waited for, and how often it is looked. */
const LOCK_WAIT_MS = 2000;
const LOCK_CHECK_MS = 5;
/** Locks on locks: each takes a process that was killed between two system calls. */
const MOST_LOCKS = 3;

/** It is gone already, or this user may not remove it. */
const UNREMOVABLE: ReadonlySet<string> = new Set(['ENOENT', 'EACCES', 'EPERM', 'EROFS']);

/** The paths that this process holds, or is about to. */
const held = new Set<string>();

/**
 * Writes the number of this process to a file, which no other living server holds. Of any number of processes that try at
 * once one has it.
 * @param path - absolute @param name - what the user calls it
 * @returns removes the file, if it is still this process's; it happens at exit anyway
 * @throws {ImproperlyConfigured} when a living process holds it, and for a file that cannot be written
 */
export async function takePidFile(path: string, name = 'Option "pidFile"'): Promise<() => void> {
  if (held.has(path))
    throw new ImproperlyConfigured(`${name} names ${path}, which this process holds already`);
  held.add(path);
  try {
    const holding = await hold(path, name, 0);
    const owner = process.pid;
    const release = () => {
      forget();
      if (!held.delete(path) || process.pid !== owner) return;
      removeOwn(holding);
    };
    const forget = atExit(release);
    return release;
  } catch (error) {
    held.delete(path);
    throw error;
  }
}

/**
 * A file appears whole, by `link`, which fails where there is one. A stale one is replaced by who holds the lock beside it:
 * looking and replacing are two steps, and whoever was looking may be late. The lock is such a file as well, so that it can
 * be stale itself.
 * @param depth - 0 for the pid file, 1 for its lock, ...
 */
async function hold(path: string, name: string, depth: number): Promise<Holding> {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const deadlineMs = performance.now() + LOCK_WAIT_MS;
  try {
    writeFileSync(draft, `${process.pid}\n`, { flag: 'wx', mode: MODE });
    // The umask is for files that are nobody else's business.
    chmodSync(draft, MODE);
    const holding = { path, inode: statSync(draft, { bigint: true }).ino };
    while (true) {
      if (linkTo(draft, path)) return holding;
      const found = look(path, name);
      if (found === undefined) continue;
      if (isHeld(found)) {
        if (depth === 0 || performance.now() > deadlineMs) throw heldError(name, path, found.pid);
        await sleep(LOCK_CHECK_MS);
        continue;
      }
      if (depth === MOST_LOCKS) throw heldError(name, path, found.pid);
      const lock = await hold(`${path}.lock`, name, depth + 1);
      try {
        const still = look(path, name);
        if (still !== undefined && !isHeld(still)) {
          renameSync(draft, path);
          return holding;
        }
      } finally {
        removeOwn(lock);
      }
    }
  } catch (error) {
    throw explain(name, path, error);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** @returns false where there is one already */
function linkTo(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Another process's. With this one's number it is from an earlier life: containers give the same ones each time. */
function isHeld({ pid }: Found): boolean {
  return pid !== undefined && pid !== process.pid && isLivingServer(pid);
}

/** What a pid file says; undefined when it has just gone. @throws {ImproperlyConfigured} for what is no pid file at all */
function look(path: string, name: string): Found | undefined {
  let fd: number;
  try {
    // A pipe would keep the process waiting.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    // A link that leads nowhere is there all the same.
    return lstatSync(path, { throwIfNoEntry: false }) === undefined ? undefined : { pid: undefined };
  }
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile() || stats.size > LONGEST_BYTES)
      throw new ImproperlyConfigured(
        `${name} must be a pid file; ${path} is ${stats.isFile() ? `a file of ${stats.size} bytes` : 'no file'}, and stays as it is: give another path`,
      );
    const bytes = Buffer.alloc(LONGEST_BYTES);
    const text = bytes.toString('latin1', 0, readSync(fd, bytes)).trim();
    return { pid: /^\d{1,10}$/.test(text) ? Number(text) : undefined };
  } finally {
    closeSync(fd);
  }
}

/** What cannot be removed is stale from now on, and the next one replaces it. */
function removeOwn({ path, inode }: Holding): void {
  try {
    if (lstatSync(path, { bigint: true }).ino === inode) unlinkSync(path);
  } catch (error) {
    if (!UNREMOVABLE.has(String((error as NodeJS.ErrnoException).code))) throw error;
  }
}

function heldError(name: string, path: string, pid: number | undefined): ImproperlyConfigured {
  return new ImproperlyConfigured(
    `${name} names ${path}, which the living process ${pid} holds: stop that one, or give this server a pid file of its own`,
  );
}

function explain(name: string, path: string, error: unknown): unknown {
  if (error instanceof ImproperlyConfigured) return error;
  const { code, message, syscall } = error as NodeJS.ErrnoException;
  if (syscall === undefined) return error;
  const reason =
    code === 'ENOENT'
      ? `there is no folder ${dirname(path)}: make it first`
      : code === 'EACCES'
        ? `this user may not write to ${dirname(path)}`
        : message;
  return new ImproperlyConfigured(
    `${name} must be a file that can be written; received ${describeValue(path)}: ${reason}`,
    { cause: error },
  );
}
