import type { IncomingMessage } from 'node:http';
import { isHost } from '../core/host.js';
import { LINE_OVERHEAD_BYTES } from '../core/http-syntax.js';
import type { GatewayConfig } from './gateway.js';
import {
  REFUSE_BODY,
  REFUSE_FIELDS,
  REFUSE_FRAMING,
  REFUSE_HOST,
  REFUSE_HOST_VALUE,
  REFUSE_LINE,
  REFUSE_TARGET,
  REFUSE_VERSION,
  type Refusal,
} from './refusal.js';

/** What node:http lets pass, and what our limits forbid (RFC 9112 §3.2, §6.1). */
export function checkRequest(
  request: IncomingMessage,
  url: string,
  config: GatewayConfig,
): Refusal | undefined {
  const { method = '', httpVersion, rawHeaders, headers } = request;
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return REFUSE_VERSION;
  let hosts = 0;
  let host = '';
  let encodings = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase();
    if (name === 'host') {
      hosts++;
      host = rawHeaders[i + 1] as string;
    } else if (name === 'transfer-encoding') {
      encodings++;
      if ((rawHeaders[i + 1] as string).toLowerCase() !== 'chunked') return REFUSE_FRAMING;
    }
  }
  const hasLength = headers['content-length'] !== undefined;
  if (encodings > 1 || (encodings === 1 && (hasLength || httpVersion === '1.0'))) return REFUSE_FRAMING;
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) return REFUSE_HOST;
  if (host !== '' && !isHost(host)) return REFUSE_HOST_VALUE;
  if (url.length + method.length + LINE_OVERHEAD_BYTES > config.maxRequestLineBytes) return REFUSE_LINE;
  if (!isTarget(method, url)) return REFUSE_TARGET;
  if (rawHeaders.length / 2 > config.maxHeaderFields) return REFUSE_FIELDS;
  return Number(headers['content-length'] ?? 0) > config.maxBodyBytes ? REFUSE_BODY : undefined;
}

/** A path, `*`, or a URL with a host and no user name (RFC 9110 §4.2.1, §4.2.4); CONNECT has a host. */
function isTarget(method: string, target: string): boolean {
  if (target.startsWith('/') || target === '*' || method === 'CONNECT') return true;
  const authority = /^https?:\/\/([^/?#]+)/i.exec(target)?.[1];
  return authority !== undefined && isHost(authority);
}
