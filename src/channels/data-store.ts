import { accessSync, constants } from 'node:fs';
import { describeValue, ImproperlyConfigured, toError } from '../core/errors.js';

/** Whom a data store has to be signed by, and what it is shown of us. */
export type TlsFiles = Readonly<Partial<Record<(typeof TLS_FILES)[number], string>>>;

const TLS_FILES = ['ca', 'cert', 'key'] as const;
const PARAMETERS: readonly string[] = ['namespace', ...TLS_FILES];

/** A Redis or Valkey, by its URL. */
export interface DataStore {
  readonly url: string;
  /** What the names of all its keys and channels begin with. */
  readonly namespace: string;
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  /** Undefined without TLS. The files of `ca`, `cert` and `key`, in PEM. */
  readonly tls: TlsFiles | undefined;
}

const EXAMPLE = 'redis://user:password@host:6379/0?namespace=shop';
const SCHEMES: Readonly<Record<string, boolean>> = {
  'redis:': false,
  'valkey:': false,
  'rediss:': true,
  'valkeys:': true,
};

/**
 * Reads the URL of a data store.
 * @param owner - what the user calls the option. Errors do not show the URL, which may have a password
 * @throws {ImproperlyConfigured}
 */
export function parseDataStore(owner: string, value: unknown): DataStore {
  const refuse = (why: string): never => {
    throw new ImproperlyConfigured(
      `${owner} must be the URL of a Redis or Valkey, such as ${EXAMPLE}; ${why}`,
    );
  };
  if (typeof value !== 'string') return refuse(`received ${describeValue(value)}`);
  if (!URL.canParse(value)) return refuse('what came is no URL');
  const { protocol, hostname, port, username, password, pathname, searchParams } = new URL(value);
  const hasTls = SCHEMES[protocol];
  if (hasTls === undefined) return refuse(`what came begins with ${protocol}`);
  if (hostname === '') return refuse('what came has no host');
  const database = /^\/?(\d{0,5})$/.exec(pathname)?.[1];
  if (database === undefined) return refuse('behind the host stands the number of a database');
  const namespace = searchParams.get('namespace') ?? 'vela';
  if (!/^[\w.-]{1,64}$/.test(namespace))
    return refuse('a namespace has 1 to 64 letters, digits, ".", "_" and "-"');
  const unknown = [...searchParams.keys()].find((key) => !PARAMETERS.includes(key));
  if (unknown !== undefined) return refuse(`it has no parameter "${unknown}"`);
  const tls = readTlsFiles(searchParams, hasTls, refuse);
  return {
    url: value,
    namespace,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? 6379 : Number(port),
    username: username === '' ? undefined : decodeURIComponent(username),
    password: password === '' ? undefined : decodeURIComponent(password),
    database: Number(database),
    tls,
  };
}

function readTlsFiles(
  parameters: URLSearchParams,
  hasTls: boolean,
  refuse: (why: string) => never,
): TlsFiles | undefined {
  const files: Partial<Record<(typeof TLS_FILES)[number], string>> = {};
  for (const name of TLS_FILES) {
    const path = parameters.get(name);
    if (path === null) continue;
    if (!hasTls) refuse(`"${name}" is for rediss: and valkeys:`);
    try {
      accessSync(path, constants.R_OK);
    } catch (error) {
      refuse(`the file of "${name}" cannot be read: ${toError(error).message}`);
    }
    files[name] = path;
  }
  if ((files.cert === undefined) !== (files.key === undefined)) refuse('"cert" and "key" belong together');
  return hasTls ? files : undefined;
}

/** The setting `dataStore` of this process, once it is known. */
let noted: DataStore | undefined;
const waiting = new Set<(store: DataStore) => void>();

/** The settings of this process are known. The first that has a data store counts. */
export function noteDataStore(url: string | undefined): void {
  if (url === undefined || noted !== undefined) return;
  const store = parseDataStore('Option "dataStore"', url);
  noted = store;
  for (const listener of waiting) listener(store);
  waiting.clear();
}

export function findDataStore(): DataStore | undefined {
  return noted;
}

/** Tells of the data store when it is known. @returns what ends that */
export function whenDataStore(listener: (store: DataStore) => void): () => void {
  waiting.add(listener);
  return () => void waiting.delete(listener);
}
