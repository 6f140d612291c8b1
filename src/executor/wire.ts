import type { ServerFacts } from '../core/server-facts.js';
import type { WireError } from '../core/wire-error.js';
import type { WireLine } from '../core/wire-log.js';

/*
 * What the server and a thread of its executor say to each other: messages are lists of entries, each a tuple with its
 * kind in front. Small answers do not come as messages, but through the reply ring.
 */

/** What an export is used as. */
export type TargetKind = 'app' | 'handler' | 'function';

/** To a thread: use this module from now on. */
export const LOAD = 0;
/** To a thread: what the requests of a server have in common. */
export const FACTS = 1;
export const CALL = 2;
export const RUN = 3;
/** Bytes of a request's body, its end, and its loss. */
export const BODY = 4;
export const BODY_END = 5;
export const BODY_LOST = 6;
/** So many bytes of a response have been taken on; and memory of chunks, to be used again. */
export const CREDIT = 7;
export const ABORT = 8;
/** The server that facts belong to begins to stop. */
export const STOPPING = 9;
/** To a thread: stop what was started, and end. */
export const CLOSE = 10;
/** The server knows that a request was passed on: no more of its body comes. */
export const PASSED = 11;
/** Something that the thread has sent could not be read: which of these functions does it not run any more? */
export const SYNC = 12;

/** In place of a body: it comes in pieces. */
export const COMES = -1;

export type ToThread =
  | [kind: typeof LOAD, target: number, url: string, name: string, use: TargetKind, facts: number]
  | [kind: typeof FACTS, facts: number, shared: WireFacts]
  | [
      kind: typeof CALL,
      slot: number,
      ticket: number,
      target: number,
      facts: number,
      head: string,
      assigned: readonly unknown[] | undefined,
      /** A small one as text, a character a byte: that is half of what an ArrayBuffer costs; or it comes behind. */
      body: string | Uint8Array | typeof COMES | undefined,
    ]
  | [kind: typeof RUN, slot: number, ticket: number, target: number, args: readonly unknown[]]
  | [kind: typeof BODY, slot: number, ticket: number, bytes: Uint8Array]
  | [kind: typeof BODY_END, slot: number, ticket: number]
  | [kind: typeof BODY_LOST, slot: number, ticket: number, error: WireError]
  | [kind: typeof CREDIT, slot: number, ticket: number, bytes: number, blocks: readonly ArrayBuffer[]]
  | [kind: typeof ABORT, slot: number, ticket: number]
  | [kind: typeof PASSED, slot: number, ticket: number]
  | [kind: typeof STOPPING, facts: number]
  | [kind: typeof CLOSE]
  | [kind: typeof SYNC, begun: readonly number[]];

/** From a thread: it is there; a module is loaded, or is not. */
export const READY = 20;
export const LOADED = 21;
/** A whole response, the beginning of one, a part, its end. */
export const WHOLE = 22;
export const HEAD = 23;
export const CHUNK = 24;
export const END = 25;
/**
 * The application did not take the request. What it has not read of the body comes back; of a body that was on its way,
 * what still arrives in the thread follows, until the server has said that it has heard.
 */
export const PASS = 26;
export const PASS_BODY = 27;
/** The application threw: nothing more comes of its response. */
export const FAILED = 28;
/** What a function gave. */
export const RESULT = 29;
/** So many bytes of a request's body have been taken on. */
export const BODY_CREDIT = 30;
/** A call that was aborted, or passed on, is over. */
export const OVER = 31;
export const LOG = 32;
export const CLOSED = 33;
/** Functions were sent that could not be read there. */
export const GARBLED = 34;
/** The answer to `SYNC`: what these have given is lost, unless it has come. */
export const SYNCED = 35;

export type FromThread =
  | [kind: typeof READY]
  | [kind: typeof LOADED, target: number, error: WireError | undefined]
  | [kind: typeof WHOLE, slot: number, head: string, body: string | Uint8Array | undefined]
  | [kind: typeof HEAD, slot: number, head: string]
  | [kind: typeof CHUNK, slot: number, bytes: string | Uint8Array]
  | [kind: typeof END, slot: number]
  | [kind: typeof PASS, slot: number, unread: Uint8Array | undefined]
  | [kind: typeof PASS_BODY, slot: number, bytes: Uint8Array]
  | [kind: typeof FAILED, slot: number, error: WireError]
  | [kind: typeof RESULT, slot: number, value: unknown]
  | [kind: typeof BODY_CREDIT, slot: number, bytes: number]
  | [kind: typeof OVER, slot: number]
  | [kind: typeof LOG, facts: number, line: WireLine]
  | [kind: typeof CLOSED]
  | [kind: typeof GARBLED]
  | [kind: typeof SYNCED, over: readonly number[]];

/** What a server's requests have in common, as far as it can cross threads. */
export interface WireFacts extends Omit<ServerFacts, 'logger' | 'errors' | 'stopping'> {
  readonly isStopping: boolean;
}

/** What a thread is given when it begins. */
export interface ThreadStart {
  readonly port: import('node:worker_threads').MessagePort;
  readonly control: SharedArrayBuffer;
  /** How many calls run at once. */
  readonly concurrency: number;
  /** How many threads of executors it stands in, itself included. */
  readonly nesting: number;
}

/** Before the head of a response that is not begun yet. */
export const RESPONSE = '+';

/** How much of a response may be under way from a thread to its server, in bytes. */
export const RESPONSE_WINDOW_BYTES = 1_048_576;
/** How much of a request's body may be under way to a thread, in bytes. */
export const BODY_WINDOW_BYTES = 262_144;
/** From this size on moving memory to the other thread is cheaper than copying it. */
export const TRANSFER_BYTES = 32_768;

/** Chunks of a response from `TRANSFER_BYTES` up to this size go in blocks of this size, which come back. */
export const BLOCK_BYTES = 65_536;

/** What a chunk counts against a window: an empty one costs memory too. */
export function costOf(chunk: string | Uint8Array): number {
  return CHUNK_COST_BYTES + (typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.length);
}

const CHUNK_COST_BYTES = 128;
