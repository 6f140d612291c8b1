import type { Socket } from 'node:net';
import { LINGER_MS } from './refusal.js';

/** What node:http itself answers to what is no request; to all else 400. */
const ANSWERS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** A socket as node:http marks it: with the response that is under way. */
type MarkedSocket = Socket & { readonly _httpMessage?: { readonly _headerSent: boolean } | null };

/**
 * Answers what the parser refuses as node:http does without a listener, with one difference: the connection is read on for
 * a while after a refused head. Closed at once it would be reset, and a client that still sends its headers would lose
 * the answer (RFC 9112 §9.6).
 */
export function answerClientError(error: Error, socket: MarkedSocket): void {
  const under = socket._httpMessage ?? undefined;
  if (!socket.writable || under?._headerSent === true) {
    socket.destroy(error);
    return;
  }
  const code = 'code' in error ? String(error.code) : '';
  const status = Object.hasOwn(ANSWERS, code) ? ANSWERS[code] : '400 Bad Request';
  const answer = `HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`;
  if (under !== undefined || status === ANSWERS.ERR_HTTP_REQUEST_TIMEOUT) {
    socket.write(answer);
    socket.destroy(error);
    return;
  }
  socket.end(answer);
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}
