import { type Dirent, readdirSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import { FolderWatches, SETTLE_MS, SOURCE_FILE } from '../core/folder-watches.js';

/** Options of {@link watchChanges}. */
export interface ChangeWatchOptions {
  /** Absolute paths. With those below, but not those of packages and tools. @defaultValue the working directory */
  folders?: readonly string[];
  /** More endings than those of JavaScript, TypeScript and JSON: `.html`. @defaultValue none */
  extensions?: readonly string[];
  /** Files have changed, made, renamed and removed ones included. @param files - absolute paths, in the order in which they were seen */
  changed(files: readonly string[]): void;
  /** A folder cannot be watched, told of the first one. @param error - with what to do about it, where that is known */
  failed(folder: string, error: Error): void;
}

/** A watch that goes on until it is closed. It keeps no process up. */
export interface ChangeWatch {
  /** How many folders it watches. */
  readonly size: number;
  close(): void;
}

const OWNER = 'watchChanges';
/** Of packages, of tools, and made by them. Those with a dot in front are left out too. */
const LEFT_OUT: ReadonlySet<string> = new Set(['node_modules', 'bower_components', 'coverage', 'dist']);
/** How often it is looked whether a watched folder that has gone is there again. */
const RETURN_CHECK_MS = 500;
/** Where files never stop changing, they are told of all the same. */
const LONGEST_SETTLE_MS = 1000;
/** So many changed files are named; how many more there are does not matter. */
const MOST_FILES = 100;
const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: 'the system watches no more for this user: raise fs.inotify.max_user_watches (sysctl)',
  EMFILE: 'the system has no more watches for this user: raise fs.inotify.max_user_instances (sysctl)',
};

/**
 * Tells when source files have changed. Changes that come within 100 ms of each other are told together.
 *
 * One watch of the system a folder: `fs.watch` with `recursive` takes one a file, those of node_modules included, and on
 * Node 20 misses files that an editor has renamed into place.
 * @throws {TypeError} for options that it does not have
 */
export function watchChanges(options: ChangeWatchOptions): ChangeWatch {
  const {
    folders = [process.cwd()],
    extensions = [],
    changed,
    failed,
    ...unknown
  } = requireOptions(OWNER, options);
  refuseUnknown(OWNER, unknown, ['folders', 'extensions', 'changed', 'failed']);
  for (const one of extensions) {
    if (typeof one !== 'string' || !/^\.[^/.\s]+$/.test(one))
      throw new TypeError(
        `Option "extensions" of ${OWNER} must be endings, such as .html; received ${describeValue(one)}`,
      );
  }
  return new Watch({ folders, extensions, changed, failed });
}

class Watch implements ChangeWatch {
  readonly #options: Required<ChangeWatchOptions>;
  readonly #watches: FolderWatches;
  /** Which folder stands behind a watched path: links may lead to the same one, or in circles, and others may take its name. */
  readonly #identities = new Map<string, string>();
  readonly #watched = new Set<string>();
  readonly #files = new Set<string>();
  /** Folders that were to be watched, and are not there. */
  readonly #gone = new Set<string>();
  #firstMs = 0;
  #settling: NodeJS.Timeout | undefined;
  #returning: NodeJS.Timeout | undefined;
  #hasFailed = false;
  #isClosed = false;

  constructor(options: Required<ChangeWatchOptions>) {
    this.#options = options;
    this.#watches = new FolderWatches({
      changed: (folder, name) => this.#seen(folder, name),
      failed: (folder, error) => this.#failed(folder, error),
    });
    for (const root of options.folders) this.#addRoot(root, false);
  }

  get size(): number {
    return this.#identities.size;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#settling);
    clearInterval(this.#returning);
    this.#watches.close();
    this.#identities.clear();
  }

  #addRoot(root: string, isNew: boolean): void {
    this.#add(root, isNew);
    if (this.#identities.has(root) || identify(root) !== undefined) return;
    this.#gone.add(root);
    this.#returning ??= setInterval(() => this.#lookForGone(), RETURN_CHECK_MS).unref();
  }

  #lookForGone(): void {
    for (const root of this.#gone) {
      if (identify(root) === undefined) continue;
      this.#gone.delete(root);
      this.#addRoot(root, true);
    }
    if (this.#gone.size > 0) return;
    clearInterval(this.#returning);
    this.#returning = undefined;
  }

  /** Watches a folder and those below. @param isNew - it came while others were watched, so its files are changes */
  #add(folder: string, isNew: boolean): void {
    const identity = identify(folder);
    if (identity === undefined || this.#watched.has(identity)) return;
    this.#identities.set(folder, identity);
    this.#watched.add(identity);
    // Before it is read: what is made meanwhile is seen twice, not never.
    this.#watches.add(folder);
    for (const entry of readFolder(folder)) {
      const path = join(folder, entry.name);
      if (isLeftOut(entry.name)) continue;
      if (entry.isDirectory() || (entry.isSymbolicLink() && identify(path) !== undefined))
        this.#add(path, isNew);
      else if (isNew) this.#note(path);
    }
  }

  #seen(folder: string, name: string): void {
    if (this.#isClosed) return;
    // One that is removed or renamed tells that of itself.
    if (this.#refresh(folder) && name !== '' && !isLeftOut(name) && !this.#refresh(join(folder, name)))
      this.#note(join(folder, name));
  }

  /** Watches what is a folder now, and not what was one. @returns whether it is one */
  #refresh(path: string): boolean {
    const identity = identify(path);
    const known = this.#identities.get(path);
    if (known !== undefined && identity !== known) this.#drop(path);
    if (identity === undefined) return false;
    if (identity !== known) this.#add(path, true);
    return true;
  }

  #drop(folder: string): void {
    for (const [path, identity] of [...this.#identities]) {
      if (path !== folder && !path.startsWith(`${folder}${sep}`)) continue;
      this.#watches.remove(path);
      this.#identities.delete(path);
      this.#watched.delete(identity);
      if (this.#options.folders.includes(path)) this.#addRoot(path, true);
    }
    this.#tell(folder);
  }

  #note(path: string): void {
    if (SOURCE_FILE.test(path) || this.#options.extensions.some((one) => path.endsWith(one)))
      this.#tell(path);
  }

  #tell(path: string): void {
    const nowMs = performance.now();
    if (this.#files.size === 0) this.#firstMs = nowMs;
    if (this.#files.size < MOST_FILES) this.#files.add(path);
    const leftMs = this.#firstMs + LONGEST_SETTLE_MS - nowMs;
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#settled(), Math.max(0, Math.min(SETTLE_MS, leftMs))).unref();
  }

  #settled(): void {
    const files = [...this.#files];
    this.#files.clear();
    this.#options.changed(files);
  }

  #failed(folder: string, error: Error): void {
    const remedy = REMEDIES[String((error as NodeJS.ErrnoException).code)];
    // It went while it was looked at.
    if (identify(folder) === undefined) return;
    this.#identities.delete(folder);
    // A limit is met by all that are left, be they thousands.
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#options.failed(folder, remedy === undefined ? error : new Error(remedy, { cause: error }));
  }
}

/** Which folder a path leads to; undefined for what is none. */
function identify(path: string): string | undefined {
  try {
    const found = statSync(path, { bigint: true, throwIfNoEntry: false });
    return found?.isDirectory() === true ? `${found.dev}:${found.ino}` : undefined;
  } catch {
    // A link in a circle, or a folder that this user may not enter.
    return undefined;
  }
}

function readFolder(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    // It has gone meanwhile, or is not for this user.
    return [];
  }
}

function isLeftOut(name: string): boolean {
  return name.startsWith('.') || LEFT_OUT.has(name);
}
