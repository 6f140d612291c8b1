/** What a gateway offers of a request's head while the handler's call is on the stack. uWebSockets.js' HttpRequest fits. */
export interface RequestHead {
  /** The request target, where it is more than path and query. */
  readonly target?: string;
  /** When the request arrived, in ms since the epoch, where that is known. */
  readonly timestamp?: number;
  /** What follows the first `?` of the request target; undefined without one. */
  getQuery(): string | undefined;
  /** The first value of a header, `''` when there is none. */
  getHeader(lowerCaseName: string): string;
  /** Calls back for each header line, names in lower case. */
  forEach(callback: (lowerCaseName: string, value: string) => void): void;
}

/** Header lines in the order of arrival: name, value, name, value. */
export type RequestFields = string[];

/**
 * Fields that hold one value by their definition: of a repeated one the first counts, as in node:http. All others
 * are joined (RFC 9110 §5.3). These can be read from the head one by one; a list field needs a pass over all lines.
 */
const SINGLETONS: ReadonlySet<string> = new Set([
  'age',
  'authorization',
  'content-length',
  'content-type',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'max-forwards',
  'origin',
  'proxy-authorization',
  'referer',
  'user-agent',
]);

/**
 * Lists by their grammar that clients send as one line. When a handler declares one of these, its first line is kept: a
 * pass over all lines would cost more than all the rest, and what a second line could add is a further preference.
 */
const ONE_LINE: ReadonlySet<string> = new Set([
  ...SINGLETONS,
  'accept',
  'accept-charset',
  'accept-encoding',
  'accept-language',
  'range',
]);

/** How many spellings of keys are remembered. */
const REMEMBERED = 1024;
const fieldNames = new Map<string, string>();

/** `HTTP_USER_AGENT` to `user-agent`; undefined for keys of no header. Content-Type and -Length have their CGI keys only. */
export function fieldName(key: string): string | undefined {
  const known = fieldNames.get(key);
  if (known !== undefined) return known;
  if (!key.startsWith('HTTP_') || key === 'HTTP_CONTENT_TYPE' || key === 'HTTP_CONTENT_LENGTH')
    return undefined;
  const name = key.slice(5).toLowerCase().replaceAll('_', '-');
  if (fieldNames.size < REMEMBERED) fieldNames.set(key, name);
  return name;
}

/** `user-agent` to `HTTP_USER_AGENT`, and the two that CGI names differently. */
export function fieldKey(name: string): string {
  const key = name.toUpperCase().replaceAll('-', '_');
  return key === 'CONTENT_TYPE' || key === 'CONTENT_LENGTH' ? key : `HTTP_${key}`;
}

export function isSingleton(name: string): boolean {
  return SINGLETONS.has(name);
}

/** Where a pass over the lines puts them: it is synchronous, so one function serves all. */
let passing: RequestFields = [];
const collect = (name: string, value: string) => {
  passing.push(name, value);
};

/** Copies all header lines. */
export function copyFields(head: RequestHead): RequestFields {
  const fields: RequestFields = [];
  passing = fields;
  head.forEach(collect);
  return fields;
}

/** The headers that a handler reads later, worked out once. */
export interface DeclaredFields {
  /** In lower case. */
  readonly names: readonly string[];
  /** Each comes in one line, so they can be read one by one. */
  readonly isOneLine: boolean;
}

export function declareFields(names: readonly string[]): DeclaredFields {
  return { names, isOneLine: names.every((name) => ONE_LINE.has(name)) };
}

/** Copies what may be read later: the declared headers, or all when one of these may come in several lines. */
export function keepFields(head: RequestHead, declared: DeclaredFields | undefined): RequestFields {
  if (declared === undefined || !declared.isOneLine) return copyFields(head);
  const { names } = declared;
  const fields: RequestFields = [];
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    const value = head.getHeader(name);
    if (value !== '') fields.push(name, value);
  }
  return fields;
}

/**
 * The value of a header: repeated lines joined with `, ` (Cookie with `; `), of a singleton the first. An empty
 * singleton says nothing, so it counts as none: its absence can be told without a pass over all lines then.
 */
export function findField(fields: RequestFields, name: string): string | undefined {
  let found: string | undefined;
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] !== name) continue;
    const value = fields[i + 1] as string;
    if (SINGLETONS.has(name)) return value === '' ? undefined : value;
    if (found === undefined) {
      found = value;
    } else {
      found += (name === 'cookie' ? '; ' : ', ') + value;
    }
  }
  return found;
}
