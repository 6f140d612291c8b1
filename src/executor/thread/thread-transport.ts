import type { Chunk, ConnectionInfo } from '../../core/contract.js';
import { VelaError } from '../../core/errors.js';
import { RequestInput } from '../../core/input.js';
import { listHeaders, type ResponseHead } from '../../core/response-head.js';
import type { BodyStream, Transport } from '../../core/transport.js';
import { packError } from '../../core/wire-error.js';
import { isMoved, packBytes } from '../move.js';
import {
  BLOCK_BYTES,
  BODY_CREDIT,
  CHUNK,
  costOf,
  END,
  FAILED,
  type FromThread,
  HEAD,
  RESPONSE,
  RESPONSE_WINDOW_BYTES,
  TRANSFER_BYTES,
  WHOLE,
} from '../wire.js';
import { BlockPool } from './block-pool.js';
import type { ThreadCall } from './thread-call.js';

/** A writer that does not wait for its promises is held at so many bytes. */
const HELD_BYTES = 2 * RESPONSE_WINDOW_BYTES;

/** The thread, as its transport sees it. */
export interface ThreadLine {
  post(entry: FromThread, transfer?: readonly ArrayBuffer[]): void;
  /** Puts a small answer where the server finds it. @returns false when it does not fit */
  reply(call: ThreadCall, head: string, body: Chunk | undefined): boolean;
  /** The last that comes of a call. */
  end(call: ThreadCall, entry: FromThread, transfer?: readonly ArrayBuffer[]): void;
  /** Holds the thread until something has come. */
  hold(): void;
  /** Takes what has come. */
  poll(): void;
}

/** Responses of a thread go to its server. */
export class ThreadTransport implements Transport<ThreadCall> {
  readonly name = 'thread';
  readonly isRelay = true;
  readonly #line: ThreadLine;
  readonly blocks = new BlockPool();

  constructor(line: ThreadLine) {
    this.#line = line;
  }

  protocol({ head }: ThreadCall): string {
    return head.protocol;
  }

  connection({ head }: ThreadCall): ConnectionInfo {
    return head.connection;
  }

  tunnel(): undefined {
    return undefined;
  }

  upgrade(): undefined {
    return undefined;
  }

  send(call: ThreadCall, head: ResponseHead, body: Chunk | undefined, reportedLength: number): void {
    const text = formatHead(call, head, body === undefined ? reportedLength : -1);
    // Credit for a body that came in pieces is on its way as messages, so the end must not overtake it.
    if (call.isStreamed || !this.#line.reply(call, text, body)) this.#end(call, text, body);
  }

  open(call: ThreadCall, head: ResponseHead): BodyStream {
    this.#line.post([HEAD, call.slot, formatHead(call, head, -1)]);
    return {
      write: (chunk) => this.#write(call, chunk),
      end: () => {
        this.#line.end(call, [END, call.slot]);
        return true;
      },
    };
  }

  cork(_call: ThreadCall, writes: () => void): void {
    writes();
  }

  cut(call: ThreadCall, error: Error): void {
    this.#line.end(call, [FAILED, call.slot, packError(error)]);
  }

  watch(): void {}

  receive(call: ThreadCall, input: RequestInput): void {
    call.input = input;
    const { body, parts, lost } = call;
    if (body !== undefined) {
      call.body = undefined;
      call.hasAll = true;
      parts.push(body);
    }
    for (const part of parts.splice(0)) RequestInput.push(input, part, true);
    if (lost !== undefined) RequestInput.lose(input, lost);
    else if (call.hasAll) RequestInput.end(input);
  }

  pause(call: ThreadCall): void {
    call.isPaused = true;
  }

  resume(call: ThreadCall): void {
    call.isPaused = false;
    if (call.owedBytes === 0 || call.isOver) return;
    this.#line.post([BODY_CREDIT, call.slot, call.owedBytes]);
    call.owedBytes = 0;
  }

  block(call: ThreadCall): void {
    if (call.isOver)
      throw new VelaError('ERR_INPUT_CLOSED', 'The request was answered before its body was read');
    this.#line.hold();
  }

  poll(): void {
    this.#line.poll();
  }

  #end(call: ThreadCall, text: string, body: Chunk | undefined): void {
    if (body === undefined || typeof body === 'string') {
      this.#line.end(call, [WHOLE, call.slot, text, body]);
      return;
    }
    const { bytes, isTransferred } = packBytes(body, TRANSFER_BYTES);
    this.#line.end(
      call,
      [WHOLE, call.slot, text, bytes],
      isTransferred ? [bytes.buffer as ArrayBuffer] : undefined,
    );
  }

  #packChunk(chunk: Uint8Array): { bytes: Uint8Array; isTransferred: boolean } {
    const fits = chunk.length >= TRANSFER_BYTES && chunk.length <= BLOCK_BYTES && !isMoved(chunk);
    return fits ? { bytes: this.blocks.copy(chunk), isTransferred: true } : packBytes(chunk, TRANSFER_BYTES);
  }

  #write(call: ThreadCall, chunk: Chunk): boolean {
    if (call.isOver) return true;
    call.unpaidBytes += costOf(chunk);
    if (typeof chunk === 'string') {
      this.#line.post([CHUNK, call.slot, chunk]);
    } else {
      const { bytes, isTransferred } = this.#packChunk(chunk);
      this.#line.post([CHUNK, call.slot, bytes], isTransferred ? [bytes.buffer as ArrayBuffer] : undefined);
    }
    // PEP 3333's write() blocks: so does one whose promises nobody waits for.
    while (call.unpaidBytes >= HELD_BYTES && !call.isOver && !call.isAborted) this.#line.hold();
    call.isBlocked = call.unpaidBytes >= RESPONSE_WINDOW_BYTES;
    return !call.isBlocked;
  }
}

/** Status, then name and value by turns, a line each; with `RESPONSE` before it for a WsgiResponse. */
function formatHead({ isResponse }: ThreadCall, head: ResponseHead, reportedLength: number): string {
  const headers = listHeaders(head);
  let text = isResponse ? RESPONSE + head.status : head.status;
  let hasLength = false;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (reportedLength !== -1 && name.toLowerCase() === 'content-length') hasLength = true;
    text += `\n${name}\n${headers[i + 1]}`;
  }
  return reportedLength === -1 || hasLength ? text : `${text}\nContent-Length\n${reportedLength}`;
}
