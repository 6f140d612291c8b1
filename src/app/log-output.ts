import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  openSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { describeValue, ImproperlyConfigured, toError } from '../core/errors.js';

/** What becomes of an output's lines. */
export interface OutputEvents {
  /** Lines cannot be written. Told once, until it works again. */
  failed(error: Error): void;
  /** It works again. @param lostLines - how many were not written meanwhile */
  recovered(lostLines: number): void;
}

/** For the user who writes it and the group that reads it, less the umask. */
const MODE = 0o640;
const STDERR = 2;
/** An output that failed is tried again after this long: an attempt a line would cost more than the line. */
const RETRY_MS = 1000;
/** How long a write waits for a pipe that is full, which another process made non-blocking. */
const FULL_MS = 100;

/**
 * Where lines go: a file, opened for append, or standard error. Each write is one system call, made at once: on a local
 * file system lines of several processes do not mix, and at exit nothing is left to be written. It throws for no write.
 */
export class LogOutput {
  readonly #name: string;
  readonly #path: string | undefined;
  readonly #events: OutputEvents;
  #fd: number;
  #isFailing = false;
  #retryAtMs = 0;
  #lostLines = 0;
  /** The last write ended within a line. */
  #isTorn = false;

  /**
   * @param name - what the user calls it @param path - absolute; standard error without one
   * @throws {ImproperlyConfigured} for a file that cannot be written
   */
  constructor(name: string, path: string | undefined, events: OutputEvents) {
    this.#name = name;
    this.#path = path;
    this.#events = events;
    this.#fd = path === undefined ? STDERR : openForAppend(name, path);
  }

  /** @param text - whole lines, with their ends */
  write(text: string, done?: () => void): boolean {
    if (!this.#isFailing || performance.now() >= this.#retryAtMs) this.#attempt(text);
    else this.#lostLines += countLines(text);
    done?.();
    return true;
  }

  /** As a stream is listened to. Its failures go to its events. */
  on(): void {}
  off(): void {}

  /**
   * Opens the file anew, by its name: what was renamed meanwhile gets no more lines.
   * @throws {ImproperlyConfigured} when it cannot be opened; the lines go where they went
   */
  reopen(): void {
    if (this.#path === undefined || this.#fd === STDERR) return;
    const before = this.#fd;
    this.#fd = openForAppend(this.#name, this.#path);
    closeSync(before);
    this.#isTorn = false;
    this.#retryAtMs = 0;
  }

  /** Gives the file to a user, who is to open it again. @throws errors of the system */
  giveTo(uid: number, gid: number): void {
    if (this.#fd !== STDERR && fstatSync(this.#fd).isFile()) fchownSync(this.#fd, uid, gid);
  }

  /** Closes the file. Lines that come later go to standard error. */
  close(): void {
    if (this.#fd === STDERR) return;
    closeSync(this.#fd);
    this.#fd = STDERR;
  }

  #attempt(text: string): void {
    try {
      this.#writeAll(Buffer.from(this.#isTorn ? `\n${text}` : text));
    } catch (error) {
      this.#lostLines += countLines(text);
      this.#retryAtMs = performance.now() + RETRY_MS;
      if (this.#isFailing) return;
      this.#isFailing = true;
      this.#events.failed(toError(error));
      return;
    }
    this.#isTorn = false;
    if (!this.#isFailing) return;
    const lost = this.#lostLines;
    this.#isFailing = false;
    this.#lostLines = 0;
    this.#events.recovered(lost);
  }

  #writeAll(bytes: Buffer): void {
    let written = 0;
    let fullSinceMs: number | undefined;
    while (written < bytes.length) {
      try {
        written += writeSync(this.#fd, bytes, written);
      } catch (error) {
        fullSinceMs ??= performance.now();
        const isFull = (error as NodeJS.ErrnoException).code === 'EAGAIN';
        if (isFull && performance.now() - fullSinceMs < FULL_MS) {
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
          continue;
        }
        this.#isTorn ||= written > 0;
        throw error;
      }
    }
  }
}

/** @throws {ImproperlyConfigured} for what is there and is no file, and for a folder that is not there */
export function checkOutput(name: string, path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (
    found !== undefined
      ? isWritable(found)
      : statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory()
  )
    return;
  const reason =
    found === undefined
      ? `there is no folder ${dirname(path)}: make it first`
      : found.isDirectory()
        ? 'it is a folder'
        : 'it is a pipe or a socket; standard error needs no file, and standard output is -';
  throw refusal(name, path, reason);
}

function openForAppend(name: string, path: string): number {
  try {
    // A pipe without a reader would keep the process waiting.
    checkOutput(name, path);
    return openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, MODE);
  } catch (error) {
    if (error instanceof ImproperlyConfigured) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const isForbidden = code === 'EACCES' || code === 'EPERM';
    throw refusal(name, path, isForbidden ? 'this user may not write it' : message, error);
  }
}

/** A file, or a device such as /dev/null. */
function isWritable(found: Stats): boolean {
  return found.isFile() || found.isCharacterDevice();
}

function refusal(name: string, path: string, reason: string, cause?: unknown): ImproperlyConfigured {
  return new ImproperlyConfigured(
    `${name} must be a file that can be written; received ${describeValue(path)}: ${reason}`,
    { cause },
  );
}

function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
