import type { Environ, MiddlewareFunction, MiddlewareResult } from '../core/contract.js';
import { isThenable } from '../core/errors.js';
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
  { path, limitBytes, statusOf }: Pick<ResolvedHandlerOptions, 'path' | 'limitBytes' | 'statusOf'>,
): MiddlewareFunction {
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
  const answer = (environ: Environ): MiddlewareResult | Promise<MiddlewareResult> => {
    const outcome = dispatcher.dispatch(environ['wsgi.input'].readSync(), { environ });
    return isThenable(outcome)
      ? (outcome as Promise<Answer>).then(respond)
      : conclude(environ, outcome as Answer);
  };
  return (environ) => {
    if (path !== undefined && environ['vela.raw_path'] !== path) return undefined;
    if (environ.REQUEST_METHOD !== 'POST') return answerOther(environ.REQUEST_METHOD);
    if (environ.CONTENT_TYPE !== JSON_TYPE) refuseForeign(environ.CONTENT_TYPE);
    const input = environ['wsgi.input'];
    refuseTaken(environ);
    const loading = input.load(limitBytes);
    return loading === undefined ? answer(environ) : loading.then(() => answer(environ));
  };
}

function answerOther(method: string): WsgiResponse {
  if (method === 'OPTIONS')
    return new WsgiResponse({ status: 204, headers: [['Allow', METHODS.join(', ')]] });
  throw new MethodNotAllowed(METHODS, 'JSON-RPC takes POST');
}

function refuseForeign(contentType: string): void {
  const media = parseMediaType(contentType);
  if (!isJsonType(media.type) && !OTHER_TYPES.includes(media.type))
    throw new Unsupported('A JSON-RPC message must have the Content-Type application/json');
  const charset = findCharset(media);
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8')
    throw new Unsupported('JSON must be in UTF-8');
}
