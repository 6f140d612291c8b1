import type { CommanderError } from 'commander';
import { describeValue } from '../core/errors.js';
import { findNearest } from '../core/nearest.js';
import { explainPrefix, type KnownSettings } from './prefix.js';
import { flagOf } from './setting.js';

const HELP = '--help lists the flags';
/** npm keeps the flags that stand before `--`, and passes on only what is left. */
const NPM = 'npm passes flags on behind -- only, as in npm start -- --bind 9000';
/** Commands of vela that load a module. */
const COMMANDS: ReadonlySet<string> = new Set(['serve', 'check', 'routes']);
/** Flags of other servers, and what they are here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  '-p': '--bind PORT',
  '--port': '--bind PORT',
  '--host': '--bind HOST:PORT',
  '--listen': '--bind',
  '--cert': '--cert-file',
  '--key': '--key-file',
  '--certfile': '--cert-file',
  '--keyfile': '--key-file',
  '--timeout': '--worker-timeout-ms, in milliseconds',
  '--graceful-timeout': '--graceful-timeout-ms, in milliseconds',
  '--keep-alive': '--keep-alive-timeout-ms, in milliseconds',
  '--threads': '--thread-workers',
  '--pid': '--pid-file',
  '--pidfile': '--pid-file',
  '--name': '--process-name',
  '--tag': '--process-name',
  '--access-logfile': '--access-log',
  '--access-logformat': '--access-log-format',
  '--error-logfile': '--log-file',
  '--log-config-json': '--log-config',
  '--reload-extra-file': '--reload-path',
  '--limit-request-line': '--max-request-line-bytes',
  '--limit-request-fields': '--max-header-fields',
  '--forwarded-allow-ips': 'the middleware proxyHeaders',
};

/** Flags of other servers that have no counterpart, and why. */
const NOT_HERE: Readonly<Record<string, string>> = {
  '--daemon': 'the program stays in the foreground, and what starts it, such as systemd, looks after it',
  '--preload': 'each worker loads the script itself',
  '--worker-class': 'all workers are alike, and what blocks goes to threads',
};

/** A flag that is not known. @param known - the flags there are, in their long form @param settings - those that are flags */
export function explainUnknownFlag(given: string, known: readonly string[], settings: KnownSettings): string {
  const [name = '', value] = given.split(/=(.*)/s);
  if (known.includes(name)) return `${name} takes no value; received ${describeValue(value)}`;
  if (NOT_HERE[name] !== undefined) return `There is no flag ${name}: ${NOT_HERE[name]}; ${HELP}`;
  const key = name.replace(/^--/, '').replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  const why = ELSEWHERE[name] === undefined ? explainPrefix(key, settings) : undefined;
  if (why !== undefined) return `There is no flag ${name}: ${why}; ${HELP}`;
  const nearest = ELSEWHERE[name] ?? findNearest(name, known);
  return `There is no flag ${name}${nearest === undefined ? '' : ` (did you mean ${nearest}?)`}; ${HELP}`;
}

/** A word that belongs to no flag. */
export function explainSurplus(word: string): string {
  if (COMMANDS.has(word))
    return `${describeValue(word)} belongs to no flag: a module that calls .start() is a program of its own, so run it with node, or let it export its application for vela ${word}`;
  return `${describeValue(word)} belongs to no flag, and nothing but flags is taken; ${NPM}; ${HELP}`;
}

/** A flag that stands last, without its value. */
export function explainValueless({ message }: CommanderError): string {
  const flags = /'(.*)'/.exec(message)?.[1]?.replace(/^-\w, /, '');
  if (flags === undefined) return `${message.replace(/^error: /, '').replaceAll('\n', ' ')}; ${HELP}`;
  return `${flags.replace(/ .*/, '')} takes a value, as in ${flags}; none came`;
}

/** What is wrong with the value of a flag, whatever it takes; undefined when nothing is. */
export function refuseFlagValue(
  flag: string,
  placeholder: string,
  text: string,
  settings: KnownSettings,
): string | undefined {
  if (text !== '' && !isFlag(text, settings)) return undefined;
  return `${flag} takes a value, as in ${flag} ${placeholder}; received ${text === '' ? 'an empty one' : `the flag ${text}`}`;
}

function isFlag(text: string, settings: KnownSettings): boolean {
  return [...settings].some(
    ([key, { setting }]) => text === flagOf(key, setting) || text === `-${setting.short}`,
  );
}
