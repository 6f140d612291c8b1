import type { Environ } from './contract.js';
import { environKeys } from './environ-keys.js';
import { describeValue, VelaError } from './errors.js';
import { HttpError } from './http-error.js';
import { TOKEN } from './http-syntax.js';
import { check } from './lint-checks.js';

const CGI_KEYS = [
  'REQUEST_METHOD',
  'SCRIPT_NAME',
  'QUERY_STRING',
  'RAW_URI',
  'CONTENT_TYPE',
  'CONTENT_LENGTH',
  'SERVER_NAME',
  'SERVER_PORT',
  'SERVER_PROTOCOL',
  'REMOTE_ADDR',
];
const INPUT_METHODS = ['read', 'readline', 'readlines', 'readSync', 'load', Symbol.asyncIterator];
const ERRORS_METHODS = ['write', 'writelines', 'flush'];
const RESPONSE_METHODS = ['onStart', 'onEnd', 'fail'];
const LOGGER_METHODS = ['debug', 'info', 'warn', 'error'];

/** Checks what a server hands to an application. */
export function checkEnviron(environ: Environ): void {
  for (const key of CGI_KEYS) {
    if (key === 'CONTENT_TYPE' && isUndeclared(environ, key)) continue;
    check('environ-cgi', typeof environ[key] === 'string', describeKey(environ, key));
  }
  check('environ-method', TOKEN.test(environ.REQUEST_METHOD), describeKey(environ, 'REQUEST_METHOD'));
  const script = environ.SCRIPT_NAME;
  check(
    'environ-script-name',
    script === '' || /^\/.*[^/]$/.test(script),
    describeKey(environ, 'SCRIPT_NAME'),
  );
  const path = readPath(environ);
  check(
    'environ-path-info',
    path === '' || path === '*' || path.startsWith('/'),
    `PATH_INFO = ${describeValue(path)}`,
  );
  check(
    'environ-content-length',
    /^\d*$/.test(environ.CONTENT_LENGTH),
    describeKey(environ, 'CONTENT_LENGTH'),
  );
  const hasServer = environ.SERVER_NAME !== '' && /^\d+$/.test(environ.SERVER_PORT);
  check(
    'environ-server-port',
    hasServer,
    `${describeKey(environ, 'SERVER_NAME')}, ${describeKey(environ, 'SERVER_PORT')}`,
  );
  for (const key of environKeys(environ)) {
    if (!key.startsWith('HTTP_')) continue;
    if (isText(environ, key) && /^HTTP_[^a-z-]+$/.test(key)) continue;
    check('environ-http', false, describeKey(environ, key));
  }
  const hasTwice = environ.HTTP_CONTENT_TYPE !== undefined || environ.HTTP_CONTENT_LENGTH !== undefined;
  check('environ-http', !hasTwice, 'HTTP_CONTENT_TYPE or HTTP_CONTENT_LENGTH');
  checkWsgi(environ);
  checkVela(environ);
}

/** A header that is refused when it is read is no fault of the server: that is told to whoever reads it. */
function isText(environ: Environ, key: string): boolean {
  try {
    return typeof environ[key] === 'string';
  } catch (error) {
    if (error instanceof HttpError) return true;
    throw error;
  }
}

function checkWsgi(environ: Environ): void {
  const version = environ['wsgi.version'];
  check(
    'environ-wsgi',
    Array.isArray(version) && version.join() === '1,0',
    describeKey(environ, 'wsgi.version'),
  );
  check('environ-wsgi', /^https?$/.test(environ['wsgi.url_scheme']), describeKey(environ, 'wsgi.url_scheme'));
  for (const key of ['wsgi.multithread', 'wsgi.multiprocess', 'wsgi.run_once']) {
    check('environ-wsgi', typeof environ[key] === 'boolean', describeKey(environ, key));
  }
  check('environ-wsgi', environ['wsgi.async'] === true, describeKey(environ, 'wsgi.async'));
  check(
    'environ-input',
    hasMethods(environ['wsgi.input'], INPUT_METHODS),
    describeKey(environ, 'wsgi.input'),
  );
  check(
    'environ-errors',
    hasMethods(environ['wsgi.errors'], ERRORS_METHODS),
    describeKey(environ, 'wsgi.errors'),
  );
}

function checkVela(environ: Environ): void {
  for (const key of ['vela.signal', 'vela.stopping'])
    check('environ-vela', environ[key] instanceof AbortSignal, describeKey(environ, key));
  check('environ-vela', typeof environ['vela.cfg'] === 'object', describeKey(environ, 'vela.cfg'));
  check(
    'environ-vela',
    hasMethods(environ['vela.logger'], LOGGER_METHODS),
    describeKey(environ, 'vela.logger'),
  );
  check(
    'environ-vela',
    hasMethods(environ['vela.response'], RESPONSE_METHODS),
    describeKey(environ, 'vela.response'),
  );
  for (const key of ['vela.request_id', 'vela.raw_path']) {
    check('environ-vela', typeof environ[key] === 'string', describeKey(environ, key));
  }
}

/** A malformed escape is the client's mistake, not the server's. */
function readPath(environ: Environ): string {
  try {
    check('environ-cgi', typeof environ.PATH_INFO === 'string', describeKey(environ, 'PATH_INFO'));
    return environ.PATH_INFO;
  } catch (error) {
    if (error instanceof HttpError) return '';
    throw error;
  }
}

/** True for a header that cannot be read any more: a middleware before this one has waited, and it is not declared. */
function isUndeclared(environ: Environ, key: string): boolean {
  try {
    void environ[key];
    return false;
  } catch (error) {
    return error instanceof VelaError && error.code === 'ERR_ENVIRON_EXPIRED';
  }
}

function hasMethods(value: unknown, names: readonly (string | symbol)[]): boolean {
  if (value === null || typeof value !== 'object') return false;
  return names.every((name) => typeof (value as Record<string | symbol, unknown>)[name] === 'function');
}

function describeKey(environ: Environ, key: string): string {
  return `${key} = ${describeValue(environ[key])}`;
}
