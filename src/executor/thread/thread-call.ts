import type { Exchange } from '../../core/exchange.js';
import type { RequestInput } from '../../core/input.js';
import { COMES } from '../wire.js';
import type { ThreadHead } from './thread-head.js';

/** A request in the thread: the response of its exchange. */
export class ThreadCall {
  readonly slot: number;
  readonly ticket: number;
  readonly head: ThreadHead;
  /** -1 for a body that comes in pieces, behind the request. */
  readonly bodyBytes: number;
  /** The body, where it came with the request. */
  body: Buffer | undefined;
  exchange: Exchange<ThreadCall> | undefined = undefined;
  input: RequestInput | undefined = undefined;
  /** What has come of the body before the input was asked for; whether that is all; why no more will come. */
  parts: Buffer[] = [];
  hasAll = false;
  lost: Error | undefined = undefined;
  /** The reader is behind: what comes is taken, and credit for it is given when it goes on. */
  isPaused = false;
  owedBytes = 0;
  /** How much of the response is under way. */
  unpaidBytes = 0;
  isBlocked = false;
  isOver = false;
  /** The application gave a WsgiResponse, which response middleware of the server may change. */
  isResponse = false;
  /** It was passed on: what still comes of its body goes back. */
  isPassed = false;
  /** Its client went away while its code was running. */
  isAborted = false;

  constructor(
    slot: number,
    ticket: number,
    head: ThreadHead,
    body: string | Uint8Array | typeof COMES | undefined,
  ) {
    this.slot = slot;
    this.ticket = ticket;
    this.head = head;
    if (typeof body === 'string') this.body = Buffer.from(body, 'latin1');
    else if (typeof body === 'object') this.body = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    this.bodyBytes = body === COMES ? -1 : (body?.length ?? 0);
  }

  get isStreamed(): boolean {
    return this.bodyBytes === -1;
  }
}
