import { askNearest, describeValue, ImproperlyConfigured } from '../core/errors.js';

/** From the most to the least talkative. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
/** `text` is for people, `json` for machines: one object a line, as pino writes it. `auto` asks whether a person reads. */
export const LOG_FORMATS = ['auto', 'text', 'json'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** A level for all namespaces, `info`, or for one and those below it: `vela.wsgi:debug` or `vela.wsgi.debug`. */
export type LogLevelRule = LogLevel | 'warning' | `${string}:${LogLevel | 'warning'}` | (string & {});

/** Rules as they are applied: the level of all, and those of namespaces. */
export interface LogRules {
  readonly level: LogLevel;
  readonly namespaces: ReadonlyMap<string, LogLevel>;
}

const DEFAULT_LEVEL = 'info';
/** Words of one of the levels, as Python has them. */
const OTHER_WORDS: Readonly<Record<string, LogLevel>> = { warning: 'warn' };
const NAMESPACE = /^[\w-]+(?:\.[\w-]+)*$/;
const EXAMPLE = 'such as info, or vela.wsgi:debug for a namespace';

/**
 * Reads log levels: `warn`, `vela.wsgi:debug`, `vela.wsgi.debug`, or several of these as a list or as one text with
 * spaces or commas between them.
 * @param name - what the user calls the setting
 * @throws {ImproperlyConfigured}
 */
export function parseLogLevels(given: unknown, name = 'Option "logLevel"'): LogRules {
  const rules = (Array.isArray(given) ? given : [given]).flatMap((one: unknown) => {
    if (typeof one === 'string') return one.split(/[\s,]+/).filter((rule) => rule !== '');
    throw new ImproperlyConfigured(`${name} must be levels, ${EXAMPLE}; received ${describeValue(one)}`);
  });
  if (rules.length === 0) throw new ImproperlyConfigured(`${name} must be levels, ${EXAMPLE}; received none`);
  let level: LogLevel | undefined;
  const namespaces = new Map<string, LogLevel>();
  for (const rule of rules) {
    const [namespace, one] = parseRule(rule, name);
    if (namespace === undefined ? level !== undefined : namespaces.has(namespace))
      throw new ImproperlyConfigured(
        `${name} must have one level ${namespace === undefined ? 'for all' : `for ${namespace}`}; received a second one, ${describeValue(rule)}: leave one out`,
      );
    if (namespace === undefined) level = one;
    else namespaces.set(namespace, one);
  }
  return { level: level ?? DEFAULT_LEVEL, namespaces };
}

/** The level of a namespace: its own, or that of the nearest one above it, or that of all. */
export function levelOf({ level, namespaces }: LogRules, namespace: string): LogLevel {
  for (let name = namespace; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
    const own = namespaces.get(name);
    if (own !== undefined) return own;
  }
  return level;
}

function parseRule(rule: string, name: string): [namespace: string | undefined, level: LogLevel] {
  const colon = rule.lastIndexOf(':');
  const at = colon === -1 ? rule.lastIndexOf('.') : colon;
  const word = rule.slice(at + 1);
  const level = findLevel(word);
  const namespace = at === -1 ? undefined : rule.slice(0, at);
  if (level !== undefined && (namespace === undefined || NAMESPACE.test(namespace)))
    return [namespace, level];
  throw new ImproperlyConfigured(
    `${name} must be levels, ${EXAMPLE}; received ${describeValue(rule)}${level === undefined ? explain(word, namespace) : `: a namespace is words with dots between them`}`,
  );
}

function findLevel(word: string): LogLevel | undefined {
  return (
    LOG_LEVELS.find((level) => level === word) ??
    (Object.hasOwn(OTHER_WORDS, word) ? OTHER_WORDS[word] : undefined)
  );
}

function explain(word: string, namespace: string | undefined): string {
  const hint = askNearest(word, LOG_LEVELS);
  const what =
    namespace === undefined && hint !== '' ? hint : `${hint}: the levels are ${LOG_LEVELS.join(', ')}`;
  // A flag that takes several values takes what stands behind it as well.
  return /\.[cm]?[jt]s(?::|$)/.test(`${namespace}.${word}`) ? '; a file stands before this flag' : what;
}
