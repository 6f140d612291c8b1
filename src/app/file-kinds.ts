import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { describeValue, ImproperlyConfigured } from '../core/errors.js';
import { checkOutput } from './log-output.js';

/** A file that can be read; absolute, as the working directory may change. @throws {ImproperlyConfigured} */
export function checkFile(name: string, value: unknown): string {
  if (typeof value !== 'string') throw wrong(name, 'a file path', value);
  try {
    accessSync(value, constants.R_OK);
  } catch (cause) {
    throw new ImproperlyConfigured(
      `${name} must be a file that can be read; received ${describeValue(value)}: ${describeAccess(resolve(value), cause)}`,
      { cause },
    );
  }
  return resolve(value);
}

/** A folder, as an absolute path. @throws {ImproperlyConfigured} */
export function checkFolder(name: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw wrong(name, "a folder's path", value);
  const path = resolve(value);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return path;
  const reason = found === undefined ? `there is no ${path}` : `${path} is none`;
  throw new ImproperlyConfigured(`${name} must be a folder; received ${describeValue(value)}: ${reason}`);
}

/** Folders, one or a list. @throws {ImproperlyConfigured} */
export function checkFolders(name: string, value: unknown): readonly string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) throw wrong(name, 'a folder, or a list of them', value);
  return list.map((one) => checkFolder(name, one));
}

/** A file to write, as an absolute path. @throws {ImproperlyConfigured} */
export function checkOutputSetting(
  name: string,
  value: unknown,
  { takesStdout = false }: { readonly takesStdout?: boolean },
): string {
  if (typeof value !== 'string' || value === '')
    throw wrong(name, `a file path${takesStdout ? ', or -' : ''}`, value);
  if (value !== '-') {
    const path = resolve(value);
    checkOutput(name, path);
    return path;
  }
  if (takesStdout) return value;
  throw new ImproperlyConfigured(`${name} must be a file path; received "-": a file of that name is ./-`);
}

function describeAccess(path: string, cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code === 'ENOENT'
    ? `there is no ${path}`
    : `${path} cannot be read by this user`;
}

function wrong(name: string, expected: string, received: unknown): ImproperlyConfigured {
  return new ImproperlyConfigured(`${name} must be ${expected}; received ${describeValue(received)}`);
}
