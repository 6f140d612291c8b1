import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type {
  LoggerOptions,
  TransportMultiOptions,
  TransportSingleOptions,
  TransportTargetOptions,
} from 'pino';
import { askNearest, describeValue, ImproperlyConfigured, isPlainObject, toError } from '../core/errors.js';
import { importFile } from './import-file.js';

/** What a file of `logConfig` may have: options of pino's. */
export interface LogConfig
  extends Pick<LoggerOptions, 'redact' | 'formatters' | 'serializers' | 'base' | 'messageKey' | 'mixin'> {
  /** `epoch`, `iso`, or a function as pino takes it. */
  timestamp?: 'epoch' | 'iso' | (() => string);
  /** Where lines go as well. */
  transport?: TransportSingleOptions | TransportMultiOptions;
}

interface Rule {
  readonly expected: string;
  fits(value: unknown): boolean;
}

const isText = (value: unknown) => typeof value === 'string' && value !== '';
const isFunction = (value: unknown) => typeof value === 'function';
const isTarget = (value: unknown) => isPlainObject(value) && isText((value as { target?: unknown }).target);

const RULES: Readonly<Record<keyof LogConfig, Rule>> = {
  redact: {
    expected: "a list of paths, ['req.headers.cookie'], or { paths, censor, remove }",
    fits: (value) =>
      isTextList(value) || (isPlainObject(value) && isTextList((value as { paths?: unknown }).paths)),
  },
  formatters: {
    expected: 'an object of functions: level, bindings, log',
    fits: (value) => isFunctions(value) && Object.keys(value).every((key) => FORMATTERS.includes(key)),
  },
  serializers: { expected: 'an object of functions, one for each key that they are for', fits: isFunctions },
  base: {
    expected: 'an object of what each line has, or null',
    fits: (value) => value === null || isPlainObject(value),
  },
  messageKey: { expected: 'a text', fits: isText },
  mixin: { expected: 'a function that gives an object', fits: isFunction },
  timestamp: {
    expected: "'epoch', 'iso' or a function",
    fits: (value) => value === 'epoch' || value === 'iso' || isFunction(value),
  },
  transport: {
    expected: '{ target, options } or { targets: [{ target, options, level }] }',
    fits: (value) =>
      isTarget(value) || (isPlainObject(value) && isList((value as { targets?: unknown }).targets, isTarget)),
  },
};
const FORMATTERS = ['level', 'bindings', 'log'];
/** Options of pino's that stand elsewhere. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  level: 'the setting logLevel decides it',
  destination: 'the setting logFile decides it',
  customLevels: 'the levels are debug, info, warn and error',
  errorKey: 'errors stand under err; formatters.log may move them',
};

/**
 * Loads and checks a file of `logConfig`.
 * @param name - what the user calls the setting @param path - of a .json file, or of a module with a default export
 * @throws {ImproperlyConfigured}
 */
export async function loadLogConfig(name: string, path: string): Promise<LogConfig> {
  const file = resolve(path);
  const given = await readConfig(name, file);
  if (!isPlainObject(given))
    throw new ImproperlyConfigured(
      `${name} must give an object of pino's options, as JSON or as the default export; ${path} gives ${describeValue(given)}`,
    );
  for (const [key, value] of Object.entries(given as object)) {
    const rule = Object.hasOwn(RULES, key) ? RULES[key as keyof LogConfig] : undefined;
    const where = `"${key}" in ${path}, which ${name} names,`;
    if (rule === undefined) throw new ImproperlyConfigured(`${where} ${explainUnknown(key)}`);
    if (!rule.fits(value))
      throw new ImproperlyConfigured(`${where} must be ${rule.expected}; received ${describeValue(value)}`);
  }
  const { transport, ...config } = given as LogConfig;
  if (transport === undefined) return config;
  if ('targets' in transport && config.formatters?.level !== undefined)
    throw new ImproperlyConfigured(
      `"transport" in ${path}, which ${name} names, has targets, which choose lines by the numbers of levels: leave formatters.level out`,
    );
  return { ...config, transport: locateTransport(transport, file) };
}

async function readConfig(name: string, file: string): Promise<unknown> {
  try {
    return file.endsWith('.json') ? JSON.parse(readFileSync(file, 'utf8')) : (await importFile(file)).default;
  } catch (error) {
    if (error instanceof ImproperlyConfigured) throw error;
    const message = toError(error).message.replace(/\s*\n\s*/g, ' ');
    throw new ImproperlyConfigured(`${name} names ${file}, which cannot be read: ${message}`, {
      cause: error,
    });
  }
}

function explainUnknown(key: string): string {
  if (Object.hasOwn(ELSEWHERE, key)) return `has no place there: ${ELSEWHERE[key]}`;
  const known = Object.keys(RULES);
  return `is unknown there${askNearest(key, known)}; there may be ${known.join(', ')}`;
}

/** Modules of transports are found from the file that names them; a target without a level gets all lines. */
function locateTransport(transport: NonNullable<LogConfig['transport']>, file: string): typeof transport {
  if ('targets' in transport) {
    const targets = transport.targets as TransportTargetOptions[];
    return {
      ...transport,
      targets: targets.map((one) => ({ level: 'debug', ...one, target: locate(String(one.target), file) })),
    };
  }
  return { ...transport, target: locate(String(transport.target), file) };
}

function locate(target: string, file: string): string {
  // pino knows its own.
  if (target === 'pino/file' || target.startsWith('file:')) return target;
  if (isAbsolute(target)) return pathToFileURL(target).href;
  try {
    return pathToFileURL(createRequire(file).resolve(target)).href;
  } catch (cause) {
    throw new ImproperlyConfigured(
      `The transport ${describeValue(target)} in ${file} is not to be found from there: install it, or give its path, ./mine.mjs`,
      { cause },
    );
  }
}

function isTextList(value: unknown): boolean {
  return isList(value, isText);
}

function isList(value: unknown, fits: (one: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(fits);
}

function isFunctions(value: unknown): value is Readonly<Record<string, unknown>> {
  return isPlainObject(value) && Object.values(value as object).every(isFunction);
}
