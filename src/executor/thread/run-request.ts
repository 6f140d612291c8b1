import {
  type AppFunction,
  type Environ,
  type MiddlewareFunction,
  type StartResponse,
  TAKEN,
} from '../../core/contract.js';
import { isThenable } from '../../core/errors.js';
import { Exchange } from '../../core/exchange.js';
import { Incoming } from '../../core/incoming.js';
import { RequestInput } from '../../core/input.js';
import { WsgiResponse } from '../../core/wsgi-response.js';
import { type CALL, PASS, type ToThread } from '../wire.js';
import { assignKeys } from './assign-keys.js';
import { requestContext } from './request-context.js';
import { ThreadCall } from './thread-call.js';
import { ThreadHead } from './thread-head.js';
import type { ThreadServers } from './thread-servers.js';
import type { ThreadLine } from './thread-transport.js';

/** Makes a request of what the server has sent. */
export function createCall(
  [, slot, ticket, , server, text, assigned, body]: Extract<ToThread, [typeof CALL, ...unknown[]]>,
  app: MiddlewareFunction,
  servers: ThreadServers,
  line: ThreadLine,
): ThreadCall {
  const head = new ThreadHead(text);
  const call = new ThreadCall(slot, ticket, head, body);
  const enter = (environ: Environ, startResponse: StartResponse) => {
    environ['vela.request_id'] = head.requestId;
    if (assigned !== undefined) assignKeys(environ, assigned);
    const result = app(environ, startResponse);
    if (result === undefined || result === null) return pass(call, environ, line);
    if (!isThenable(result)) return note(call, result);
    return result.then((value) => note(call, value ?? pass(call, environ, line)));
  };
  // Nothing is what an application never gives: `pass` has ended the exchange by then, or it is its mistake.
  const service = servers.service(server, enter as AppFunction);
  const { method, path, contentLength } = head;
  const incoming = new Incoming(
    service,
    call,
    method,
    path,
    head,
    undefined,
    contentLength,
    call.bodyBytes,
    false,
  );
  call.exchange = new Exchange(service, call, incoming);
  return call;
}

/** What the application gives. */
function note<Result>(call: ThreadCall, result: Result): Result {
  call.isResponse = result instanceof WsgiResponse;
  return result;
}

/** Calls the application. */
export function runCall({ head, exchange }: ThreadCall): void {
  requestContext.run(head, () => exchange?.run());
}

/** The application does not take the request: it goes back, with what is left of its body. */
function pass(call: ThreadCall, environ: Environ, line: ThreadLine): typeof TAKEN | undefined {
  const { exchange, input } = call;
  // A response that was begun must be given: the exchange says so.
  if (exchange === undefined || exchange.isStarted || call.isOver) return undefined;
  exchange.takeOver();
  // What was read by `requestOf(environ)` is kept, and stands there to be read again.
  const kept = input === undefined ? undefined : environ['wsgi.input'];
  const isKept = kept !== input && kept instanceof RequestInput && RequestInput.isOver(kept);
  const left = isKept ? kept : input;
  const rest = left === undefined ? joinParts(call) : RequestInput.takeRest(left);
  // With a part of larger memory all of that would go.
  const isOurs = !isKept && rest?.length === rest?.buffer.byteLength;
  const unread = rest !== undefined && !isOurs ? new Uint8Array(rest) : rest;
  const transfer = unread === undefined ? [] : [unread.buffer as ArrayBuffer];
  if (call.isStreamed) {
    call.isPassed = true;
    line.post([PASS, call.slot, unread], transfer);
  } else {
    line.end(call, [PASS, call.slot, unread], transfer);
  }
  return TAKEN;
}

/** The body, as far as it has come and nobody has asked for it. */
function joinParts({ body, parts }: ThreadCall): Uint8Array | undefined {
  return parts.length === 0 ? body : Buffer.concat(parts);
}
