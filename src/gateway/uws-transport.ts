import { toBytes } from '../core/chunks.js';
import type { Chunk, ConnectionInfo } from '../core/contract.js';
import { RequestInput } from '../core/input.js';
import type { SwitchToWebSocket } from '../core/raw-websocket.js';
import { isGatewayHeader, type ResponseHead } from '../core/response-head.js';
import type { BodyStream, Fate, ResponseOwner, Transport } from '../core/transport.js';
import { SlicedWriter } from './sliced-writer.js';
import { readAddress } from './uws-address.js';
import type { HttpResponse } from './uws-binding.js';
import { acceptHandshake } from './uws-websocket.js';

/** From two headers on (two strings each), one call with all of them is faster than one call each. */
const JOIN_FROM = 4;

/** The start of the last joined response, and its text: with eight headers this makes 1.04 of raw out of 0.97. */
let lastStart: readonly string[] = [];
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

  upgrade(response: HttpResponse): SwitchToWebSocket | undefined {
    return acceptHandshake(response);
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
      if (isLast) RequestInput.finish(input, new Uint8Array(bytes));
      else RequestInput.push(input, new Uint8Array(bytes), false);
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
  const { status, start, rest } = head;
  if (status !== '200 OK') response.writeStatus(status);
  if (head.hasGatewayHeaders || head.hasLatin1) {
    writeChecked(response, start, false);
    writeChecked(response, rest, head.hasLatin1);
  } else if (start.length + rest.length >= JOIN_FROM) writeJoined(response, start, rest);
  else if (start.length > 0) response.writeHeader(start[0] as string, start[1] as string);
}

/** Writes all headers as the value of the first, or of the first behind a start that is known. All were checked for line ends. */
function writeJoined(response: HttpResponse, start: readonly string[], rest: readonly string[]): void {
  const first = start[0] as string;
  if (start === lastStart) lastBytes ??= Buffer.from(lastText, 'latin1');
  else learn(start);
  if (lastBytes === undefined) {
    response.writeHeader(first, joinHeaders(lastText, rest, 0));
    return;
  }
  response.writeHeader(first, lastBytes);
  if (rest.length > 0) response.writeHeader(rest[0] as string, joinHeaders(rest[1] as string, rest, 2));
}

function learn(start: readonly string[]): void {
  lastStart = start;
  lastText = joinHeaders(start[1] as string, start, 2);
  lastBytes = undefined;
  // V8 keeps a sum as a tree of its parts until somebody reads it: from now on it is one piece.
  lastText.charCodeAt(0);
}

function joinHeaders(text: string, headers: readonly string[], from: number): string {
  let joined = text;
  for (let i = from; i < headers.length; i += 2) joined += `\r\n${headers[i]}: ${headers[i + 1]}`;
  return joined;
}

/** Leaves out what uWebSockets.js writes itself; writes 8-bit values as ISO-8859-1. */
function writeChecked(response: HttpResponse, headers: readonly string[], hasLatin1: boolean): void {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    if (!isGatewayHeader(name)) response.writeHeader(name, hasLatin1 ? Buffer.from(value, 'latin1') : value);
  }
}

/**
 * A chunked body of no chunks: without one to write, uWebSockets.js would state a length of 0. The head's last line ends here with
 * that of the last chunk.
 */
function endEmpty(response: HttpResponse): void {
  response.writeHeader('Transfer-Encoding', 'chunked\r\n\r\n0');
  response.endWithoutBody();
}

/** A body of unknown length. */
function openChunked(response: HttpResponse, owner: ResponseOwner): BodyStream {
  const writer = new SlicedWriter((chunk) => response.write(chunk));
  let isBlocked = false;
  let isEmpty = true;
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
      isEmpty = false;
      if (!writer.write(chunk)) isBlocked = true;
      return !isBlocked;
    },
    end() {
      isEnding = true;
      if (isBlocked) return false;
      response.cork(() => (isEmpty ? endEmpty(response) : response.end()));
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
    flushHead() {
      response.tryEnd('', length);
    },
    write(chunk) {
      waiting.push(toBytes(chunk));
      return waiting.length > 1 ? false : push();
    },
    end() {
      return sentBytes === length;
    },
  };
}
