import type { Chunk, ConnectionInfo, TakeTunnel } from './contract.js';
import type { RequestInput } from './input.js';
import type { SwitchToWebSocket } from './raw-websocket.js';
import type { ResponseHead } from './response-head.js';

/**
 * What becomes of the connection after a response: it is kept; the client is told to close it, which is all that can be
 * done while it still sends; or it is closed.
 */
export type Fate = 'keep' | 'tell' | 'close';

/**
 * What a gateway does for the responses of its server. One object serves all requests, so the response `R`, whatever it
 * is to that server, is passed in.
 */
export interface Transport<R> {
  readonly name: string;
  /** Somebody else answers for errors: responses are cut for them even before anything is sent. */
  readonly isRelay?: boolean;
  protocol(response: R): string;
  connection(response: R): ConnectionInfo;
  /** How CONNECT and Upgrade hand over the raw connection, for the requests that may. */
  tunnel(response: R): TakeTunnel | undefined;
  /** How a WebSocket is made of a request, of those that are handshakes. */
  upgrade(response: R): SwitchToWebSocket | undefined;
  /**
   * Sends a whole response. Called within a cork, or within the handler's call.
   * @param body - undefined sends no body
   * @param reportedLength - the Content-Length when no body is sent; -1 for none
   */
  send(response: R, head: ResponseHead, body: Chunk | undefined, reportedLength: number, fate: Fate): void;
  /** Sends the head, and opens the body's stream. */
  open(response: R, head: ResponseHead, fate: Fate, owner: ResponseOwner): BodyStream;
  /** Runs writes so that they leave together. */
  cork(response: R, writes: () => void): void;
  /** Ends the connection once what was written has left, so that the client can tell that the response is not whole. */
  cut(response: R, error: Error): void;
  /** The request goes on after the handler's call: tells its owner of an abort. */
  watch(response: R, owner: ResponseOwner): void;
  /** Feeds the request's body to its input. Called within the handler's call. */
  receive(response: R, input: RequestInput, owner: ResponseOwner): void;
  pause(response: R): void;
  resume(response: R): void;
  /** Where a thread may be blocked: waits until something comes for a response. @throws {VelaError} when nothing will */
  block?(response: R): void;
  /** Where a thread may be busy for long: takes what has come for a response meanwhile. */
  poll?(response: R): void;
}

/** Who is told what happens to a response. */
export interface ResponseOwner {
  /** The client went away. */
  aborted(): void;
  /** The stream takes chunks again, or has sent the last one. */
  drained(): void;
  /** Part of what waits has left. */
  progressed(): void;
  /** Bytes of the request are handed over between a call with true and one with false; writes are corked meanwhile. */
  arriving(isArriving: boolean): void;
}

/** A response's body under way. */
export interface BodyStream {
  /** False: wait for `drained` before the next chunk. The chunk itself is accepted in any case. */
  write(chunk: Chunk): boolean;
  /** Sends the head before the first chunk, where the server can. */
  flushHead?(): void;
  /** After the last chunk. False: wait for `drained`; then all has been sent. */
  end(): boolean;
}
