import { type IncomingMessage, OutgoingMessage, type ServerResponse } from 'node:http';
import type { RequestSocket } from './request-socket.js';

/**
 * What node:http has no public names for. Objects that only look like its own fail with frameworks that put their own prototypes
 * on them, so the real ones are used, and these few parts of them; they are the same from Node 18 to 24.
 */
export interface ResponseInternals {
  /** The head as text once it is made, else null: `headersSent` says whether it is there. */
  _header: string | null;
  _headerSent: boolean;
  _hasBody: boolean;
  /** Of the body, where `end` was called first of all. */
  _contentLength: number | null;
  _removedContLen: boolean;
  /** The connection ends with the response. */
  _last: boolean;
  _closed: boolean;
  chunkedEncoding: boolean;
  destroyed: boolean;
  socket: RequestSocket | null;
  /** Makes the head. @param given - what `setHeader` has gathered, or else what `writeHead` was given */
  _storeHeader(statusLine: string, given: unknown): void;
}

export type NodeResponse = Omit<ServerResponse, 'destroyed' | 'socket'> & ResponseInternals;

export interface RequestInternals {
  _consumed: boolean;
  /** Lets what comes of the body pass unread. */
  _dump(): void;
  /** Header lines: name, value, name, value; `headers` is made of them when it is asked for. */
  _addHeaderLines(lines: string[], length: number): void;
}

export type NodeRequest = IncomingMessage & RequestInternals;

/** Under its symbol: `{ 'content-type': ['Content-Type', 'text/plain'] }`. */
export type GatheredHeaders = Readonly<Record<string, readonly [name: string, value: unknown]>>;

const symbols = Object.getOwnPropertySymbols(new OutgoingMessage());
/** Where `setHeader` gathers headers. */
const GATHERED = find('kOutHeaders');
/** True after a `write` that has returned false, until 'drain'. */
const NEEDS_DRAIN = find('kNeedDrain');

/** What `setHeader` has gathered; null for nothing. */
export function gatheredHeaders(response: NodeResponse): GatheredHeaders | null {
  return (response as unknown as Record<symbol, GatheredHeaders | null>)[GATHERED] ?? null;
}

/** Tells who waits for 'drain', if anybody does. */
export function emitDrain(response: NodeResponse): void {
  if (!response.writableNeedDrain) return;
  (response as unknown as Record<symbol, boolean>)[NEEDS_DRAIN] = false;
  response.emit('drain');
}

function find(name: string): symbol {
  const symbol = symbols.find(({ description }) => description === name);
  if (symbol === undefined)
    throw new Error(`node:http of Node ${process.version} has no ${name}: Vela does not know this version`);
  return symbol;
}
