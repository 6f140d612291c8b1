import { closeBody } from './body-pump.js';
import {
  type App,
  type AppFunction,
  type Body,
  type Environ,
  type HeaderPair,
  type Middleware,
  type MiddlewareFunction,
  type MiddlewareResult,
  type StartResponse,
  TAKEN,
} from './contract.js';
import { chunkError, startedError } from './contract-errors.js';
import { guardEnviron } from './environ-keys.js';
import { describeValue, isThenable, VelaError } from './errors.js';
import { type LintedCall, lintBody } from './lint-body.js';
import { breach, check, type RuleId } from './lint-checks.js';
import { checkEnviron } from './lint-environ.js';
import { checkLent, lendChunk } from './lint-memory.js';
import { isDeclarable } from './parts.js';
import { checkHead, type ResponseHead } from './response-head.js';
import { WsgiResponse } from './wsgi-response.js';

/**
 * Wraps an application or a middleware, so that both sides of the contract are checked at run time: what the server
 * hands in, and what the application says and returns. Every breach throws `ERR_LINT` with the id and text of the rule; one
 * whose error the application catches is thrown again when it returns, or when its body goes on.
 *
 * It costs time, and reads all of the environ: for tests, not for production.
 * @example const client = testClient(lint(app));
 */
export function lint(app: App): AppFunction;
export function lint(middleware: Middleware): MiddlewareFunction;
export function lint(app: App | Middleware): MiddlewareFunction {
  const isCallable = typeof app === 'function' || typeof app?.handle === 'function';
  check('app-callable', isCallable, describeValue(app));
  checkDeclared(app.headers);
  const call = (typeof app === 'function' ? app : app.handle.bind(app)) as MiddlewareFunction;

  const linted: MiddlewareFunction = (...args) => {
    check('app-arguments', args.length === 2, `${args.length} arguments`);
    const [given, startResponse] = args;
    check('environ-object', typeof given === 'object' && given !== null, describeValue(given));
    check('app-arguments', typeof startResponse === 'function', describeValue(startResponse));
    checkEnviron(given);
    const state = begin(given);
    const refuseDelete = (key: string) => check('environ-delete', false, `delete environ['${key}']`);
    const environ = guardEnviron(given, noting(state, refuseDelete));
    const fail = (error: unknown): never => {
      throw state.breach ?? error;
    };
    try {
      const result = call(environ, noting(state, lintStart(startResponse, state)));
      if (!isThenable(result)) return accept(result, state);
      return result.then((value) => accept(value as MiddlewareResult, state), fail);
    } catch (error) {
      return fail(error);
    }
  };
  const { start, stop, describe, headers } = app;
  if (headers !== undefined) linted.headers = headers;
  if (start !== undefined) linted.start = (context) => start.call(app, context);
  if (stop !== undefined) linted.stop = () => stop.call(app);
  if (describe !== undefined) linted.describe = () => describe.call(app);
  return linted;
}

/** What an application declares of its headers. */
function checkDeclared(headers: unknown): void {
  check('app-headers', headers === undefined || Array.isArray(headers), describeValue(headers));
  for (const name of headers ?? []) check('app-headers', isDeclarable(name), describeValue(name));
}

function begin(environ: Environ): LintedCall {
  return {
    environ,
    isStarted: false,
    statedLength: -1,
    writtenBytes: 0,
    breach: undefined,
    lentChunks: new Set(),
    checkUnchanged: () => {},
  };
}

/** The same function; a breach that it throws is noted, as the application may catch it. */
function noting<A extends unknown[], R>(state: LintedCall, call: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    try {
      return call(...args);
    } catch (error) {
      if (error instanceof VelaError && error.code === 'ERR_LINT') state.breach ??= error;
      throw error;
    }
  };
}

function accept(result: MiddlewareResult, state: LintedCall): MiddlewareResult {
  if (state.breach !== undefined) {
    discard(result);
    throw state.breach;
  }
  if (result === undefined || result === null) {
    check(
      'middleware-nothing',
      !state.isStarted,
      'nothing, after startResponse: return the body, [] for none',
    );
    return result;
  }
  if (result === TAKEN || result instanceof WsgiResponse) return result;
  const isResult = typeof result === 'object' || typeof result === 'string';
  check(
    'app-result',
    isResult,
    `${describeValue(result)}: a middleware returns nothing to pass the request on`,
  );
  return lintBody(result as Body, state);
}

/** Closes what is not handed on: the breach is told in its place. */
function discard(result: MiddlewareResult): void {
  if (result === undefined || result === null || result === TAKEN) return;
  if (result instanceof WsgiResponse) result.close();
  else closeBody(result as Body, undefined, { report: () => {} });
}

function lintStart(startResponse: StartResponse, state: LintedCall): StartResponse {
  return (...args) => {
    check('start-arguments', args.length === 2 || args.length === 3, `${args.length} arguments`);
    const [status, headers, excInfo] = args;
    check('start-arguments', excInfo === undefined || excInfo instanceof Error, describeValue(excInfo));
    if (state.isStarted && excInfo === undefined) breach('start-twice', startedError());
    state.statedLength = lintHead(status, headers);
    state.isStarted = true;
    state.checkUnchanged = watchHeaders(headers);
    const write = startResponse(status, headers, excInfo);
    check('start-write', typeof write === 'function', describeValue(write));
    return noting(state, (chunk) => {
      if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array))
        breach('body-chunks', chunkError(chunk));
      checkLent(state);
      state.writtenBytes += Buffer.byteLength(chunk);
      return lendChunk(state, chunk, write(chunk));
    });
  };
}

/** Gives the stated length. */
function lintHead(status: string, headers: HeaderPair[]): number {
  const { code, statedLength } = checkByRule(status, headers);
  const names = headers.map(([name]) => name.toLowerCase());
  check('start-status-header', !names.includes('status'), 'a header named Status');
  const hasType = names.includes('content-type');
  if (code === 204 || code === 304) {
    check('start-content-type', !hasType, `a Content-Type with ${status}`);
  } else if (code >= 400 || code < 300) {
    check(
      'start-content-type',
      hasType || statedLength === 0 || code === 205,
      `no Content-Type with ${status}`,
    );
  }
  // What a 304 states is the length of the 200 that it stands for (RFC 9110 §8.6).
  return code === 304 ? -1 : statedLength;
}

/** The same checks as at run time, told as the breach of a rule. */
function checkByRule(status: string, headers: HeaderPair[]): ResponseHead {
  try {
    return checkHead(status, headers);
  } catch (error) {
    if (error instanceof VelaError) breach(ruleOf(error.code), error);
    throw error;
  }
}

function ruleOf(code: string): RuleId {
  if (code === 'ERR_CONTRACT_STATUS') return 'start-status';
  return code === 'ERR_CONTRACT_HOP_BY_HOP' ? 'start-hop-by-hop' : 'start-headers';
}

function watchHeaders(headers: readonly HeaderPair[]): () => void {
  const before = JSON.stringify(headers);
  return () =>
    check(
      'start-unchanged',
      JSON.stringify(headers) === before,
      `${JSON.stringify(headers)}, which was ${before}`,
    );
}
