import { atOnce } from '../core/at-once.js';
import { describeValue, refuseUnknown, requireOptions, requireRecord } from '../core/errors.js';
import { FileCache, type FileCacheOptions } from './file-cache.js';
import {
  type FileSendOptions,
  type FileSendTerms,
  requireBoolean,
  requireHeaderValue,
  resolveSendOptions,
} from './file-options.js';
import { RootFolder } from './root-folder.js';

/** Options of {@link MediaRouter}. Paths that functions and patterns are given begin at the root: `/css/a.css`. */
export interface MediaRouterOptions extends FileSendOptions {
  /** The folder. Nothing outside it is sent, whatever links lie in it. */
  root: string;
  /** Serves paths that begin so, `/static`, and passes others on. @defaultValue `''`: all paths */
  prefix?: string;
  /** Files that are sent for their folder; the first that is there. @defaultValue `['index.html']` */
  index?: readonly string[];
  /** Shows what is in a folder without such a file. @defaultValue false */
  listing?: boolean;
  /** Sends only these: suffixes such as `.css`, or patterns for the path. Other suffixes are passed on. @defaultValue all */
  serveOnly?: readonly (string | RegExp)[];
  /** With `.html`, `/about` finds `about.html`. @defaultValue `''` */
  defaultSuffix?: string;
  /** What is sent with 404, a file at the root; `''` for none. @defaultValue `404.html` */
  notFoundPage?: string;
  /** What is not found, or not asked for with GET or HEAD, is passed on to the next middleware. @defaultValue false */
  passesOn?: boolean;
  /** Sends files and folders whose names begin with a dot. @defaultValue false */
  servesDotfiles?: boolean;
  /** The Cache-Control header, `''` for none, or a function of the path. @defaultValue `no-cache`: kept, and asked for anew each time */
  cacheControl?: string | ((path: string) => string);
  /** All files are to be saved, not shown. @defaultValue false */
  download?: boolean;
  /** Further media types by suffix: `{ glb: 'model/gltf-binary' }`. */
  types?: Readonly<Record<string, string>>;
  /** Small files are kept in memory; false keeps none. */
  cache?: FileCacheOptions | false;
}

/** The same, checked and filled in. */
export interface MediaTerms extends FileSendTerms {
  readonly root: RootFolder;
  readonly prefix: string;
  readonly index: readonly string[];
  readonly listing: boolean;
  readonly defaultSuffix: string;
  readonly notFoundPage: string;
  readonly passesOn: boolean;
  readonly servesDotfiles: boolean;
  readonly download: boolean;
  readonly types: Readonly<Record<string, string>>;
  readonly cache: FileCache;
  readonly findCacheControl: (path: string) => string;
  /** @param path - that of a file, decoded, from the root */
  readonly isServed: (path: string) => boolean;
}

const KNOWN = [
  'root',
  'prefix',
  'index',
  'listing',
  'serveOnly',
  'defaultSuffix',
  'notFoundPage',
  'passesOn',
  'servesDotfiles',
  'cacheControl',
  'download',
  'types',
  'cache',
  'precompressed',
  'headers',
  'blockBytes',
  'maxRanges',
] as const;

/** @throws {TypeError} */
export function resolveMediaOptions(options: MediaRouterOptions): MediaTerms {
  const given = requireOptions('MediaRouter', options);
  const unknown = Object.keys(given).filter((key) => !(KNOWN as readonly string[]).includes(key));
  refuseUnknown('MediaRouter', Object.fromEntries(unknown.map((key) => [key, true])), KNOWN);
  const { root, prefix = '', index = ['index.html'], defaultSuffix = '', notFoundPage = '404.html' } = given;
  const { listing = false, passesOn = false, servesDotfiles = false, download = false, types = {} } = given;
  const { serveOnly, cacheControl = 'no-cache', cache } = given;
  if (typeof root !== 'string' || root === '')
    throw new TypeError(`Option "root" must be the path of a folder; received ${describeValue(root)}`);
  if (typeof prefix !== 'string' || !/^(?:\/[^/?#\\]+)*\/?$/.test(prefix))
    throw new TypeError(
      `Option "prefix" must be a path such as '/static'; received ${describeValue(prefix)}`,
    );
  if (!Array.isArray(index) || !index.every(isFileName))
    throw new TypeError(`Option "index" must be names of files; received ${describeValue(index)}`);
  if (notFoundPage !== '' && !isFileName(notFoundPage))
    throw new TypeError(
      `Option "notFoundPage" must be a file's name; received ${describeValue(notFoundPage)}`,
    );
  if (defaultSuffix !== '' && !isSuffix(defaultSuffix))
    throw new TypeError(
      `Option "defaultSuffix" must be a suffix such as '.html'; received ${describeValue(defaultSuffix)}`,
    );
  for (const [name, value] of Object.entries({ listing, passesOn, servesDotfiles, download }))
    requireBoolean(name, value);
  for (const [suffix, type] of Object.entries(
    requireRecord('MediaRouter', 'types', "'.txt': 'text/plain'", types),
  )) {
    requireHeaderValue(`types.${suffix}`, 'Content-Type', type);
    if (!/^[^./A-Z]+$/.test(suffix))
      throw new TypeError(`Option "types" has suffixes in lower case, without a dot; received "${suffix}"`);
  }
  return {
    ...resolveSendOptions(given),
    root: new RootFolder(root),
    prefix: prefix.replace(/\/$/, ''),
    index: [...index],
    listing,
    defaultSuffix,
    notFoundPage,
    passesOn,
    servesDotfiles,
    download,
    types: { ...types },
    cache: new FileCache(cache === false ? { maxEntries: 0 } : cache),
    findCacheControl: resolveCacheControl(cacheControl),
    isServed: resolveServeOnly(serveOnly),
  };
}

function isFileName(name: unknown): boolean {
  return typeof name === 'string' && /^[^/\\\0]+$/.test(name) && name !== '.' && name !== '..';
}

function isSuffix(text: unknown): boolean {
  return typeof text === 'string' && /^\.[^/\\\0]+$/.test(text);
}

function resolveCacheControl(given: string | ((path: string) => string)): (path: string) => string {
  if (typeof given === 'function')
    return (path) =>
      requireHeaderValue('cacheControl', 'Cache-Control', atOnce('MediaRouter', 'cacheControl', given(path)));
  const value = requireHeaderValue('cacheControl', 'Cache-Control', given);
  return () => value;
}

function resolveServeOnly(given: readonly (string | RegExp)[] | undefined): (path: string) => boolean {
  if (given === undefined) return () => true;
  const isKnown = (one: unknown) => (one instanceof RegExp ? !one.global && !one.sticky : isSuffix(one));
  if (!Array.isArray(given) || !given.every(isKnown))
    throw new TypeError(
      `Option "serveOnly" must be suffixes such as '.css', or RegExps without the flags g and y; received ${describeValue(given)}`,
    );
  const suffixes = given.flatMap((one) => (typeof one === 'string' ? [one.toLowerCase()] : []));
  const patterns = given.flatMap((one) => (one instanceof RegExp ? [one] : []));
  return (path) => {
    const lower = path.toLowerCase();
    return suffixes.some((suffix) => lower.endsWith(suffix)) || patterns.some((one) => one.test(path));
  };
}
