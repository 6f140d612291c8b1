import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';
import { LONGEST_TIMER_MS } from '../core/duration.js';
import { askNearest, describeValue, ImproperlyConfigured } from '../core/errors.js';
import type { GatewayConfig, SniCertificate } from '../gateway/gateway.js';
import { parseAddress } from './address.js';
import type { ServerOptions } from './server-options.js';
import { LOG_FORMATS, LOG_LEVELS } from './text-logger.js';

/** What a setting is: everything else about it follows from this one declaration. */
export interface Setting {
  readonly kind: 'text' | 'address' | 'integer' | 'boolean' | 'choice' | 'file' | 'certificates';
  /** As commander takes them; a setting without flags can be given in code only. */
  readonly flags?: string;
  readonly text: string;
  readonly default?: string | number | boolean;
  readonly choices?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
}

/** All settings of a server. */
export const SETTINGS: Readonly<Record<keyof ServerOptions, Setting>> = {
  bind: {
    kind: 'address',
    flags: '-b, --bind <address>',
    default: '127.0.0.1:8060',
    text: 'where to listen: host:port, :port (0.0.0.0), a port (127.0.0.1), [v6]:port or unix:/path',
  },
  gateway: {
    kind: 'choice',
    flags: '--gateway <name>',
    choices: ['uws', 'node', 'auto'],
    default: 'uws',
    text: 'uWebSockets.js, node:http, or whichever is there and can do what is asked',
  },
  debug: { kind: 'boolean', flags: '--debug', default: false, text: 'show stacks and causes in error pages' },
  logLevel: {
    kind: 'choice',
    flags: '--log-level <level>',
    choices: LOG_LEVELS,
    default: 'info',
    text: 'least important log line that is written',
  },
  logFormat: {
    kind: 'choice',
    flags: '--log-format <format>',
    choices: LOG_FORMATS,
    default: 'text',
    text: 'log lines for people, or one JSON object a line',
  },
  requestTimeoutMs: {
    kind: 'integer',
    flags: '--request-timeout-ms <ms>',
    minimum: 1,
    maximum: LONGEST_TIMER_MS,
    default: 30_000,
    text: 'longest wait for the application to begin its response; then 504',
  },
  stallTimeoutMs: {
    kind: 'integer',
    flags: '--stall-timeout-ms <ms>',
    minimum: 1,
    maximum: LONGEST_TIMER_MS,
    default: 120_000,
    text: 'longest time without progress of a response under way; then it is cut',
  },
  gracefulTimeoutMs: {
    kind: 'integer',
    flags: '--graceful-timeout-ms <ms>',
    minimum: 0,
    maximum: LONGEST_TIMER_MS,
    default: 30_000,
    text: 'how long a stopping server waits for requests under way',
  },
  keepAliveTimeoutMs: {
    kind: 'integer',
    flags: '--keep-alive-timeout-ms <ms>',
    minimum: 1,
    maximum: LONGEST_TIMER_MS,
    default: 10_000,
    text: 'how long the node gateway keeps an idle connection (uws: about 10 s, fixed)',
  },
  maxRequestLineBytes: {
    kind: 'integer',
    flags: '--max-request-line-bytes <bytes>',
    minimum: 64,
    maximum: 1_048_576,
    default: 8192,
    text: 'longest request line; more is 414 (uws: its query counts when it is read)',
  },
  maxHeadBytes: {
    kind: 'integer',
    flags: '--max-head-bytes <bytes>',
    minimum: 1024,
    maximum: 1_048_576,
    default: 16_384,
    text: 'largest request head, line and headers together; more is 431',
  },
  maxHeaderFields: {
    kind: 'integer',
    flags: '--max-header-fields <count>',
    minimum: 1,
    maximum: 10_000,
    default: 100,
    text: 'most request headers; more is 431 (uws: 98 at the most)',
  },
  maxBodyBytes: {
    kind: 'integer',
    flags: '--max-body-bytes <bytes>',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    default: 16_777_216,
    text: 'largest request body; more is 413',
  },
  threadWorkers: {
    kind: 'integer',
    flags: '--thread-workers <count>',
    minimum: 1,
    maximum: 1024,
    default: 5,
    text: 'most threads for handlers that block, made as they are needed: see executor.md',
  },
  allowTunnels: {
    kind: 'boolean',
    flags: '--allow-tunnels',
    default: false,
    text: 'let the application take raw connections over, for CONNECT and Upgrade (node gateway)',
  },
  certFile: { kind: 'file', flags: '--cert-file <path>', text: 'TLS certificate chain, PEM' },
  keyFile: { kind: 'file', flags: '--key-file <path>', text: 'TLS private key, PEM' },
  passphrase: { kind: 'text', text: 'of the private key' },
  sni: { kind: 'certificates', text: 'further certificates by host name' },
};

/** Checked settings, with everything filled in. */
export interface ResolvedSettings extends GatewayConfig {
  readonly gateway: 'uws' | 'node' | 'auto';
  readonly bind: string | number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly logFormat: (typeof LOG_FORMATS)[number];
  readonly gracefulTimeoutMs: number;
}

/**
 * Checks settings and fills in defaults.
 * @throws {ImproperlyConfigured} that names the setting, what it takes and what came
 */
export function resolveSettings(options: ServerOptions): ResolvedSettings {
  if (options === null || typeof options !== 'object' || Array.isArray(options)) {
    throw new ImproperlyConfigured(
      `Options must be an object, such as { bind: ':8060' }; received ${describeValue(options)}`,
    );
  }
  const values: Record<string, unknown> = {};
  for (const key of Object.keys(options)) {
    if (!Object.hasOwn(SETTINGS, key)) {
      throw new ImproperlyConfigured(
        `There is no option "${key}"${suggest(key)}; the options are ${Object.keys(SETTINGS).join(', ')}`,
      );
    }
  }
  for (const [key, setting] of Object.entries(SETTINGS)) {
    const given = options[key as keyof ServerOptions] as unknown;
    const value = given === undefined ? setting.default : given;
    if (value !== undefined) values[key] = CHECKS[setting.kind](`Option "${key}"`, value, setting);
  }
  const { certFile, keyFile, passphrase, sni = [], ...rest } = values as typeof values & ServerOptions;
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new ImproperlyConfigured(
      `Options "certFile" and "keyFile" go together, as TLS needs both: give ${certFile === undefined ? '"certFile" (--cert-file)' : '"keyFile" (--key-file)'} too`,
    );
  }
  if (certFile === undefined && sni.length > 0) {
    throw new ImproperlyConfigured(
      'Option "sni" adds certificates to "certFile" and "keyFile": give these too',
    );
  }
  const tls =
    certFile === undefined || keyFile === undefined
      ? undefined
      : Object.freeze({ certFile, keyFile, passphrase, sni });
  return Object.freeze({ ...rest, tls }) as ResolvedSettings;
}

/** Names that other servers have. */
const ELSEWHERE: Readonly<Record<string, keyof ServerOptions>> = {
  port: 'bind',
  host: 'bind',
  hostname: 'bind',
  listen: 'bind',
  cert: 'certFile',
  key: 'keyFile',
};

function suggest(key: string): string {
  return askNearest(ELSEWHERE[key] ?? key, Object.keys(SETTINGS));
}

/**
 * Checks one setting.
 * @param name - what the user calls it: `Option "bind"`, or its flag
 * @throws {ImproperlyConfigured}
 */
export function checkSetting(name: string, value: unknown, setting: Setting): void {
  CHECKS[setting.kind](name, value, setting);
}

type Check = (name: string, value: unknown, setting: Setting) => unknown;

const CHECKS: Readonly<Record<Setting['kind'], Check>> = {
  text: (name, value) => {
    if (typeof value !== 'string' || value === '') throw wrong(name, 'a text', value);
    return value;
  },
  address: (name, value) => {
    parseAddress(value as string, name);
    return value;
  },
  integer: (name, value, { minimum = 0, maximum = Number.MAX_SAFE_INTEGER, flags = '' }) => {
    if (!Number.isInteger(value) || (value as number) < minimum || (value as number) > maximum) {
      const unit = /<(ms|bytes)>/.exec(flags)?.[1];
      throw wrong(
        name,
        `a whole number${unit === undefined ? '' : ` of ${unit}`} from ${minimum} to ${maximum}`,
        value,
      );
    }
    return value;
  },
  boolean: (name, value) => {
    if (typeof value !== 'boolean') throw wrong(name, 'true or false', value);
    return value;
  },
  choice: (name, value, { choices = [] }) => {
    if (!choices.includes(value as string)) throw wrong(name, `one of ${choices.join(', ')}`, value);
    return value;
  },
  file: checkFile,
  certificates: (name, value) => {
    if (!Array.isArray(value)) throw wrong(name, 'an array of { hostname, certFile, keyFile }', value);
    return value.map((one: SniCertificate) => {
      if (typeof one?.hostname !== 'string')
        throw wrong(name, 'an array of { hostname, certFile, keyFile }', one);
      checkFile('Option "sni.certFile"', one.certFile);
      checkFile('Option "sni.keyFile"', one.keyFile);
      return one;
    });
  },
};

function checkFile(name: string, value: unknown): unknown {
  if (typeof value !== 'string') throw wrong(name, 'a file path', value);
  try {
    accessSync(value, constants.R_OK);
  } catch (cause) {
    throw new ImproperlyConfigured(
      `${name} must be a file that can be read; received ${describeValue(value)}: ${describeAccess(resolve(value), cause)}`,
      { cause },
    );
  }
  return value;
}

function describeAccess(path: string, cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code === 'ENOENT'
    ? `there is no ${path}`
    : `${path} cannot be read by this user`;
}

function wrong(name: string, expected: string, received: unknown): ImproperlyConfigured {
  return new ImproperlyConfigured(`${name} must be ${expected}; received ${describeValue(received)}`);
}
