import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { importFile } from '../app/import-file.js';
import type { App } from '../core/contract.js';
import { askNearest, describeValue, ImproperlyConfigured } from '../core/errors.js';
import { WsgiHandler } from '../core/wsgi-handler.js';
import { isClass } from '../router/is-class.js';
import { Router } from '../router/router.js';
import { adaptForeign, findForeign, type Interface } from './adapt-foreign.js';

/** An application of a module. */
export interface LoadedApp {
  readonly app: App;
  /** The module as it was given. */
  readonly file: string;
  /** The name of its export. */
  readonly name: string;
  /** It was made of an application of another kind, which keeps the rules of that kind. */
  readonly isAdapted: boolean;
}

/** What may be left out of a module's name. */
const ENDINGS = ['', '.js', '.mjs', '.cjs', '.ts', '.mts', '.cts', '/index.js', '/index.ts'] as const;
/** Exports that are taken without being named. */
const DEFAULT_NAMES = ['default', 'app'] as const;

/**
 * Loads an application: `module`, or `module:export`. A function is one, as is an object with `handle`; those of other kinds are
 * adapted, see {@link adaptForeign}.
 * @param target - a path, relative to the working directory, which may lack its ending
 * @param kind - what a function is, where it is not Vela's
 * @throws {ImproperlyConfigured} for a module that is not there, and for an export that is not there or no application;
 * what the module itself throws
 */
export async function loadApp(target: string, kind?: Interface): Promise<LoadedApp> {
  const { path, file, name } = findModule(target);
  const exported = unwrap(await importFile(path));
  const names = Object.keys(exported);
  const found =
    name ??
    DEFAULT_NAMES.find((one) => isApp(exported[one]) || findForeign(exported[one]) !== undefined) ??
    DEFAULT_NAMES.find((one) => Object.hasOwn(exported, one));
  if (found === undefined || !Object.hasOwn(exported, found)) {
    const hint = name === undefined ? '' : askNearest(name, names);
    throw new ImproperlyConfigured(
      `${file} has no export ${name === undefined ? '"default" or "app"' : `"${name}"`}${hint}; it exports ${list(exported)}: name one as in ${file}:NAME; a program that listens by itself is run with node --import vela/http/register ${file}`,
    );
  }
  const value = exported[found];
  const adapted = adaptForeign(value, file, kind);
  if (adapted !== undefined) return { app: adapted, file, name: found, isAdapted: true };
  // What its routes do not know it passes on: to the 404 of a handler.
  if (value instanceof Router) return { app: new WsgiHandler([value]), file, name: found, isAdapted: false };
  if (isApp(value)) return { app: value, file, name: found, isAdapted: false };
  throw new ImproperlyConfigured(
    `The export "${found}" of ${file} is no application, but ${describeExport(value)}; it exports ${list(exported)}: an application is a function (environ, startResponse), or an object with handle`,
  );
}

function isApp(value: unknown): value is App {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  if (isClass(value)) return false;
  return typeof value === 'function' || ('handle' in value && typeof value.handle === 'function');
}

/** @throws {ImproperlyConfigured} */
function findModule(target: string): { path: string; file: string; name: string | undefined } {
  const [, before = target, after] = /^(.+):([\w$]+)$/.exec(target) ?? [];
  for (const [file, name] of [
    [target, undefined],
    [before, after],
  ] as const) {
    const path = ENDINGS.map((ending) => resolve(`${file}${ending}`)).find(isFile);
    if (path !== undefined) return { path, file, name };
  }
  throw new ImproperlyConfigured(
    `There is no module ${describeValue(before)}: no file ${resolve(before)}, nor one that ends in .js, .mjs or .ts; give its path, as in vela serve ./server.js:app`,
  );
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** A CommonJS module's `exports` stand under `default`, with those beside it that Node has seen. */
function unwrap(module: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { default: all, 'module.exports': _whole, ...rest } = module;
  const isCompiled = all !== null && typeof all === 'object' && '__esModule' in all;
  return isCompiled ? { ...rest, ...all } : { ...rest, ...('default' in module ? { default: all } : {}) };
}

function list(exported: Readonly<Record<string, unknown>>): string {
  const each = Object.entries(exported).map(([name, value]) => `"${name}" (${describeExport(value)})`);
  return each.length === 0 ? 'nothing' : each.join(', ');
}

function describeExport(value: unknown): string {
  return isClass(value) ? 'a class' : describeValue(value);
}
