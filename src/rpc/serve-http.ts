import { takeAtOnce } from '../core/any-input.js';
import type { Environ } from '../core/contract.js';
import { isThenable } from '../core/errors.js';
import { Eventual, follow, type Settler } from '../core/eventual.js';
import { MethodNotAllowed, Unsupported } from '../core/http-error.js';
import { plainResponse, WsgiResponse } from '../core/wsgi-response.js';
import { refuseTaken } from '../request/body-state.js';
import { refuseCoded } from '../request/content-coding.js';
import { findCharset, parseMediaType } from '../request/media-type.js';
import { isJsonType } from '../request/read-json.js';
import type { Answer } from './answer.js';
import type { Dispatcher } from './dispatcher.js';
import type { ResolvedHandlerOptions } from './handler-options.js';
import { JSON_RPC_CODES } from './json-rpc-error.js';

const JSON_TYPE = 'application/json';
/** Which the draft of JSON-RPC over HTTP (§3.2) names beside application/json. */
const OTHER_TYPES = ['application/json-rpc', 'application/jsonrequest'];
const METHODS = ['OPTIONS', 'POST'];

/**
 * JSON-RPC over HTTP: a POST is a message, and its response the answer; 204 when there is none. What is no message at all is an
 * HTTP error: 405, 413, 415.
 */
export function serveHttp(
  dispatcher: Dispatcher,
  { limitBytes, statusOf }: Pick<ResolvedHandlerOptions, 'limitBytes' | 'statusOf'>,
): (environ: Environ) => WsgiResponse | PromiseLike<WsgiResponse> {
  const respond = ({ text, errorCode }: Answer): WsgiResponse => {
    if (text === undefined) return new WsgiResponse({ status: 204 });
    const response = plainResponse(text, JSON_TYPE);
    if (errorCode !== undefined && statusOf !== undefined) response.status = statusOf(errorCode);
    return response;
  };
  const conclude = (environ: Environ, answer: Answer): WsgiResponse => {
    // A message that cannot be read may be a compressed one.
    if (answer.errorCode === JSON_RPC_CODES.parseError) refuseCoded(environ);
    return respond(answer);
  };
  const answer = (environ: Environ): WsgiResponse | Promise<WsgiResponse> => {
    const outcome = dispatcher.dispatch(takeAtOnce(environ['wsgi.input']), { environ });
    return isThenable(outcome)
      ? (outcome as Promise<Answer>).then(respond)
      : conclude(environ, outcome as Answer);
  };
  return (environ) => {
    if (environ.REQUEST_METHOD !== 'POST') return answerOther(environ);
    if (environ.CONTENT_TYPE !== JSON_TYPE) refuseForeign(environ.CONTENT_TYPE);
    const input = environ['wsgi.input'];
    refuseTaken(environ);
    const loading = input.load(limitBytes);
    return loading === undefined ? answer(environ) : new BodyWait(environ, answer).wait(loading);
  };
}

type Result = WsgiResponse | PromiseLike<WsgiResponse>;

/** A request whose body is on its way: as `loading.then(() => answer(environ))`, with fewer closures. */
class BodyWait implements Settler<void> {
  readonly #environ: Environ;
  readonly #answer: (environ: Environ) => Result;
  readonly #outcome = new Eventual<WsgiResponse>();

  constructor(environ: Environ, answer: (environ: Environ) => Result) {
    this.#environ = environ;
    this.#answer = answer;
  }

  wait(loading: PromiseLike<void>): PromiseLike<WsgiResponse> {
    follow(loading, this);
    return this.#outcome;
  }

  resolve(): void {
    try {
      const result = this.#answer(this.#environ);
      if (isThenable(result)) follow(result as PromiseLike<WsgiResponse>, this.#outcome);
      else this.#outcome.resolve(result as WsgiResponse);
    } catch (error) {
      this.#outcome.reject(error);
    }
  }

  reject(error: unknown): void {
    this.#outcome.reject(error);
  }
}

function answerOther(environ: Environ): WsgiResponse {
  if (environ.REQUEST_METHOD === 'OPTIONS')
    return new WsgiResponse({ status: 204, headers: [['Allow', METHODS.join(', ')]] });
  throw new MethodNotAllowed(
    METHODS,
    environ['vela.upgrade'] === undefined
      ? 'JSON-RPC takes POST'
      : 'JSON-RPC takes POST here: for WebSockets, jsonRpcWebSocket() stands before what takes this path',
  );
}

function refuseForeign(contentType: string): void {
  const media = parseMediaType(contentType);
  if (!isJsonType(media.type) && !OTHER_TYPES.includes(media.type))
    throw new Unsupported('A JSON-RPC message must have the Content-Type application/json');
  const charset = findCharset(media);
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8')
    throw new Unsupported('JSON must be in UTF-8');
}
