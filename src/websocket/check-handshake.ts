import { atOnce } from '../core/at-once.js';
import type { Environ } from '../core/contract.js';
import { BadRequest, HttpError, PermissionDenied } from '../core/http-error.js';
import { TOKEN } from '../core/http-syntax.js';
import { isHandshake, isHandshakeKey } from '../core/raw-websocket.js';
import { isSameHost } from '../request/origin.js';
import type { WsgiRequest } from '../request/wsgi-request.js';
import type { ResolvedWebSocketOptions } from './websocket-options.js';

/** Whether a request asks for a WebSocket, well or badly. */
export function asksForWebSocket({ HTTP_UPGRADE: upgrade }: Environ): boolean {
  return upgrade?.toLowerCase() === 'websocket';
}

/**
 * Why a request is no handshake that can be accepted.
 * @throws {HttpError} 400 with the reason, 501 where the server cannot have WebSockets
 */
export function refuseRequest(environ: Environ): never {
  const { HTTP_SEC_WEBSOCKET_VERSION: version } = environ;
  if (!asksForWebSocket(environ))
    throw new BadRequest(
      'This is a WebSocket: connect with new WebSocket(url), not with an ordinary request',
    );
  if (version !== '13')
    throw new BadRequest('The handshake must have Sec-WebSocket-Version: 13', {
      headers: [['Sec-WebSocket-Version', '13']],
    });
  if (environ.SERVER_PROTOCOL === 'HTTP/1.0') throw new BadRequest('The handshake must be in HTTP/1.1');
  const header = (name: string) => environ[`HTTP_${name.toUpperCase().replaceAll('-', '_')}`];
  if (!isHandshake(environ.REQUEST_METHOD, header))
    throw new BadRequest('The handshake must have Connection: Upgrade');
  if (!isHandshakeKey(environ.HTTP_SEC_WEBSOCKET_KEY))
    throw new BadRequest('The handshake must have a Sec-WebSocket-Key of 16 bytes in base64');
  throw new HttpError(501, 'There are no WebSockets here');
}

/** @throws {PermissionDenied} for a page that may not connect */
export function checkOrigin(request: WsgiRequest, origins: ResolvedWebSocketOptions['origins']): void {
  const { HTTP_ORIGIN: origin, HTTP_HOST: host } = request.environ;
  if (origin === undefined || origins === '*') return;
  const isAllowed =
    typeof origins === 'function'
      ? atOnce('websocket', 'origins', origins(origin, request)) === true
      : isSameHost(origin, host) || (origins !== 'same' && origins.has(origin));
  if (!isAllowed) throw new PermissionDenied('Pages of this origin may not connect here');
}

/**
 * The sub-protocol that is spoken: the first of ours that the client offers, `''` for none.
 * @throws {BadRequest} for a client that offers only others, and for what is no list (RFC 6455 §4.1)
 */
export function chooseProtocol({ environ }: WsgiRequest, protocols: readonly string[]): string {
  const { HTTP_SEC_WEBSOCKET_PROTOCOL: header } = environ;
  if (header === undefined) return '';
  const list = header.split(',').map((one) => one.trim());
  const offered = new Set(list);
  if (offered.size < list.length || !list.every((one) => TOKEN.test(one)))
    throw new BadRequest('Sec-WebSocket-Protocol must be a list of tokens, each of them once');
  if (protocols.length === 0) return '';
  const chosen = protocols.find((one) => offered.has(one));
  if (chosen === undefined)
    throw new BadRequest(
      `None of the sub-protocols that are offered is spoken here; there are ${protocols.join(', ')}`,
    );
  return chosen;
}

const PARAMETER = /^[!#$%&'*+.^_`|~\w-]+(?:=(?:[!#$%&'*+.^_`|~\w-]+|"[!#$%&'*+.^_`|~\w-]+"))?$/;
/** RFC 7692 §7.1. */
const DEFLATE_PARAMETER =
  /^(?:(?:server|client)_no_context_takeover|server_max_window_bits="?(?:[89]|1[0-5])"?|client_max_window_bits(?:="?(?:[89]|1[0-5])"?)?)$/;

/**
 * Whether permessage-deflate is offered in a way that can be taken: the gateways would answer others by themselves, too late.
 * @throws {BadRequest} for what is no list of extensions (RFC 6455 §9.1)
 */
export function offersCompression({ environ }: WsgiRequest): boolean {
  const { HTTP_SEC_WEBSOCKET_EXTENSIONS: header } = environ;
  if (header === undefined) return false;
  const offers = header.split(',').map((offer) => offer.split(';').map((part) => part.trim()));
  if (
    !offers.every(
      ([name = '', ...parameters]) => TOKEN.test(name) && parameters.every((one) => PARAMETER.test(one)),
    )
  )
    throw new BadRequest('Sec-WebSocket-Extensions must be a list of extensions and their parameters');
  const own = offers.filter(([name]) => name === 'permessage-deflate');
  return own.length > 0 && own.every(([, ...parameters]) => areTakeable(parameters));
}

function areTakeable(parameters: readonly string[]): boolean {
  const names = new Set(parameters.map((one) => one.split('=', 1)[0]));
  return names.size === parameters.length && parameters.every((one) => DEFLATE_PARAMETER.test(one));
}
