import { toBytes } from '../core/chunks.js';
import type { Chunk, ConnectionInfo } from '../core/contract.js';
import { RequestInput } from '../core/input.js';
import { isGatewayHeader, type ResponseHead } from '../core/response-head.js';
import type { BodyStream, Fate, ResponseOwner, Transport } from '../core/transport.js';
import { SlicedWriter } from './sliced-writer.js';
import { readAddress } from './uws-address.js';
import type { HttpResponse } from './uws-binding.js';

/** From two headers on (two strings each), one call with all of them is faster than one call each. */
const JOIN_FROM = 4;

/**
 * The headers with which the last joined response began, and their text: most responses of an application begin alike,
 * and with eight headers this makes 1.04 of raw out of 0.97.
 */
let lastHeaders: readonly string[] = [];
let lastText = '';
/** The same as bytes, once it has come a second time: the native module need not measure and convert them. */
let lastBytes: Uint8Array | undefined;

/** Responses of uWebSockets.js. */
export class UwsTransport implements Transport<HttpResponse> {
  readonly name = 'uws';
  readonly #isEncrypted: boolean;

  constructor(isEncrypted: boolean) {
    this.#isEncrypted = isEncrypted;
  }

  protocol(): string {
    return 'HTTP/1.1';
  }

  connection(response: HttpResponse): ConnectionInfo {
    return {
      remoteAddress: readAddress(response),
      remotePort: undefined,
      encrypted: this.#isEncrypted,
      gateway: this.name,
    };
  }

  tunnel(): undefined {
    return undefined;
  }

  send(
    response: HttpResponse,
    head: ResponseHead,
    body: Chunk | undefined,
    reportedLength: number,
    fate: Fate,
  ): void {
    writeHead(response, head);
    if (body !== undefined && fate !== 'tell') {
      response.end(body, fate === 'close');
      return;
    }
    if (fate !== 'keep') response.writeHeader('Connection', 'close');
    if (body !== undefined) {
      response.end(body);
      return;
    }
    if (reportedLength !== -1) response.writeHeader('Content-Length', String(reportedLength));
    // With arguments, endWithoutBody aborts the process.
    response.endWithoutBody();
  }

  open(response: HttpResponse, head: ResponseHead, fate: Fate, owner: ResponseOwner): BodyStream {
    writeHead(response, head);
    // Only the header: told to close, `end` would write the header into a body under way.
    if (fate !== 'keep') response.writeHeader('Connection', 'close');
    const { statedLength } = head;
    return statedLength === -1 ? openChunked(response, owner) : openSized(response, statedLength, owner);
  }

  cork(response: HttpResponse, writes: () => void): void {
    response.cork(writes);
  }

  cut(response: HttpResponse): void {
    let isClosed = false;
    response.onAborted(() => {
      isClosed = true;
    });
    // What is held back must not complete the response before it is closed: touched again it would end the process.
    response.onWritable(() => true);
    setImmediate(() => {
      if (!isClosed) response.close();
    });
  }

  watch(response: HttpResponse, owner: ResponseOwner): void {
    response.onAborted(() => owner.aborted());
  }

  receive(response: HttpResponse, input: RequestInput, owner: ResponseOwner): void {
    response.onData((bytes, isLast) => {
      owner.arriving(true);
      RequestInput.push(input, new Uint8Array(bytes), false);
      if (isLast) RequestInput.end(input);
      owner.arriving(false);
    });
  }

  pause(response: HttpResponse): void {
    response.pause();
  }

  resume(response: HttpResponse): void {
    response.resume();
  }
}

function writeHead(response: HttpResponse, head: ResponseHead): void {
  const { status, headers } = head;
  if (status !== '200 OK') response.writeStatus(status);
  if (head.hasGatewayHeaders || head.hasLatin1) writeChecked(response, head);
  else if (headers.length >= JOIN_FROM) writeJoined(response, headers);
  else
    for (let i = 0; i < headers.length; i += 2)
      response.writeHeader(headers[i] as string, headers[i + 1] as string);
}

/** Writes all headers as the value of the first. All were checked for line ends. */
function writeJoined(response: HttpResponse, headers: readonly string[]): void {
  const known = lastHeaders.length;
  let same = 0;
  while (same < known && headers[same] === lastHeaders[same]) same++;
  const isNew = same < known || known === 0;
  if (isNew) remember(headers, same);
  else lastBytes ??= Buffer.from(lastText, 'latin1');
  const count = lastHeaders.length;
  if (lastBytes === undefined) {
    response.writeHeader(headers[0] as string, joinHeaders(lastText, headers, count));
    return;
  }
  response.writeHeader(headers[0] as string, lastBytes);
  if (count < headers.length)
    response.writeHeader(
      headers[count] as string,
      joinHeaders(headers[count + 1] as string, headers, count + 2),
    );
}

/** Keeps what this response has in common with the last, all of it when that is not even one header. */
function remember(headers: readonly string[], same: number): void {
  lastHeaders = same < 2 ? headers : headers.slice(0, same - (same % 2));
  lastText = joinHeaders(lastHeaders[1] as string, lastHeaders, 2);
  lastBytes = undefined;
  // V8 keeps a sum as a tree of its parts until somebody reads it: from now on it is one piece.
  lastText.charCodeAt(0);
}

function joinHeaders(start: string, headers: readonly string[], from: number): string {
  let text = start;
  for (let i = from; i < headers.length; i += 2) text += `\r\n${headers[i]}: ${headers[i + 1]}`;
  return text;
}

/** Leaves out what uWebSockets.js writes itself; writes 8-bit values as ISO-8859-1. */
function writeChecked(response: HttpResponse, { headers, hasLatin1 }: ResponseHead): void {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    if (!isGatewayHeader(name)) response.writeHeader(name, hasLatin1 ? Buffer.from(value, 'latin1') : value);
  }
}

/** A body of unknown length. */
function openChunked(response: HttpResponse, owner: ResponseOwner): BodyStream {
  const writer = new SlicedWriter((chunk) => response.write(chunk));
  let isBlocked = false;
  let isEnding = false;
  response.onWritable(() => {
    isBlocked = !writer.drained();
    if (isBlocked) {
      owner.progressed();
      return false;
    }
    if (isEnding) response.cork(() => response.end());
    owner.drained();
    return true;
  });
  return {
    write(chunk) {
      if (!writer.write(chunk)) isBlocked = true;
      return !isBlocked;
    },
    end() {
      isEnding = true;
      if (isBlocked) return false;
      response.cork(() => response.end());
      return true;
    },
  };
}

/** A body of known length: what the socket does not take is kept here, uncopied. */
function openSized(response: HttpResponse, length: number, owner: ResponseOwner): BodyStream {
  const waiting: Uint8Array[] = [];
  let sentBytes = 0;

  /** True when nothing waits. */
  function push(): boolean {
    for (let bytes = waiting[0]; bytes !== undefined; bytes = waiting[0]) {
      const [isTaken, isDone] = response.tryEnd(bytes, length);
      if (isDone) {
        sentBytes = length;
        waiting.length = 0;
        return true;
      }
      const offset = response.getWriteOffset();
      if (!isTaken) {
        waiting[0] = bytes.subarray(offset - sentBytes);
        sentBytes = offset;
        return false;
      }
      sentBytes = offset;
      waiting.shift();
    }
    return true;
  }

  response.onWritable(() => {
    const sentBefore = sentBytes;
    const isFree = push();
    if (isFree) owner.drained();
    else if (sentBytes > sentBefore) owner.progressed();
    return isFree;
  });
  return {
    write(chunk) {
      waiting.push(toBytes(chunk));
      return waiting.length > 1 ? false : push();
    },
    end() {
      return sentBytes === length;
    },
  };
}
