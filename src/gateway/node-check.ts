import type { IncomingMessage } from 'node:http';
import { LINE_OVERHEAD_BYTES } from '../core/http-syntax.js';
import type { GatewayConfig } from './gateway.js';
import {
  REFUSE_BODY,
  REFUSE_FIELDS,
  REFUSE_FRAMING,
  REFUSE_HOST,
  REFUSE_LINE,
  REFUSE_VERSION,
  type Refusal,
} from './refusal.js';

/** What node:http lets pass, and what our limits forbid (RFC 9112 §3.2, §6.1). */
export function checkRequest(request: IncomingMessage, config: GatewayConfig): Refusal | undefined {
  const { method = '', url = '', httpVersion, rawHeaders, headers } = request;
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return REFUSE_VERSION;
  let hosts = 0;
  let encodings = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase();
    if (name === 'host') hosts++;
    else if (name === 'transfer-encoding') {
      encodings++;
      if ((rawHeaders[i + 1] as string).toLowerCase() !== 'chunked') return REFUSE_FRAMING;
    }
  }
  const hasLength = headers['content-length'] !== undefined;
  if (encodings > 1 || (encodings === 1 && (hasLength || httpVersion === '1.0'))) return REFUSE_FRAMING;
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) return REFUSE_HOST;
  if (url.length + method.length + LINE_OVERHEAD_BYTES > config.maxRequestLineBytes) return REFUSE_LINE;
  if (rawHeaders.length / 2 > config.maxHeaderFields) return REFUSE_FIELDS;
  return Number(headers['content-length'] ?? 0) > config.maxBodyBytes ? REFUSE_BODY : undefined;
}
