/** What `send` of a {@link RawWebSocket} returns: the message waits in memory for a slow reader. */
export const SEND_BUFFERED = 0;
/** It is on its way. */
export const SEND_DONE = 1;
/** More than the limit waits already, so it is thrown away. */
export const SEND_DROPPED = 2;

/** Bytes of a message. */
export type MessageBytes = ArrayBuffer | Uint8Array;

/** A copy in memory of its own. */
export function copyBytes(bytes: MessageBytes): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes instanceof ArrayBuffer ? bytes.slice(0) : bytes);
}

/** Topics, of one listener. */
export interface TopicHub {
  /** Sends to all that subscribe to a topic. */
  publish(topic: string, message: string | MessageBytes, isBinary: boolean, compress: boolean): unknown;
}

/** A WebSocket as a gateway has it: from `opened` until `closed`, and not to be touched after that. That of uWebSockets.js fits. */
export interface RawWebSocket {
  /** @returns `SEND_BUFFERED`, `SEND_DONE` or `SEND_DROPPED` */
  send(message: string | MessageBytes, isBinary: boolean, compress: boolean): number;
  /** Bytes that wait for the reader. */
  getBufferedAmount(): number;
  ping(data: string | Uint8Array): number;
  /** Sends a close frame. `closed` is called before this returns. */
  end(code: number, reason: string): void;
  /** Ends the connection without a close frame. `closed` is called before this returns. */
  close(): void;
  /** What is published on a topic is sent to it. */
  subscribe(topic: string): boolean;
  unsubscribe(topic: string): boolean;
  /** Where its topics are. */
  readonly hub: TopicHub;
  /** Sends to all of its hub that subscribe to a topic but itself, which subscribes to it too. */
  publish: TopicHub['publish'];
  /** Runs sends so that they leave together. */
  cork(sends: () => void): unknown;
  /** Where the gateway can: reads no more until `resume`. */
  pause?(): void;
  resume?(): void;
}

/** What a gateway tells of its WebSockets. `O` is whatever was given to the upgrade for one. */
export interface WebSocketEvents<O> {
  opened(owner: O, raw: RawWebSocket): void;
  /**
   * @param bytes - of a text these are valid UTF-8
   * @param isShared - the bytes are gone when this returns
   */
  received(owner: O, bytes: MessageBytes, isBinary: boolean, isShared: boolean): void;
  /** It has been answered. The bytes are gone when this returns. */
  pinged(owner: O, bytes: MessageBytes): void;
  ponged(owner: O, bytes: MessageBytes): void;
  /** What waited for the reader has left; the connection may be closed by now. */
  drained(owner: O): void;
  /** A message was thrown away, as more than the limit waits. */
  dropped(owner: O): void;
  /** @param code - 1005 for a close frame without one, 1006 without a close frame */
  closed(owner: O, code: number, reason: string): void;
}

/** How a request becomes a WebSocket. */
export interface UpgradeOptions {
  /** The sub-protocol that was chosen, `''` for none. */
  readonly protocol: string;
  /** More headers of the 101 response. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Whether permessage-deflate may be agreed upon. */
  readonly compression: boolean;
  readonly maxPayloadBytes: number;
  readonly maxBackpressureBytes: number;
}

/**
 * Makes a WebSocket of the request: sends the 101 response, and calls `opened` before it returns, or soon after.
 * Return {@link TAKEN} after it.
 * @throws {VelaError} `ERR_CONTRACT_TAKEN` when the request is over, or its response has begun; what is wrong with a header
 */
export type UpgradeToWebSocket = <O>(events: WebSocketEvents<O>, owner: O, options: UpgradeOptions) => void;

/** How a transport does it: all has been checked. `headers` is name, value, name, value. */
export type SwitchToWebSocket = <O>(
  events: WebSocketEvents<O>,
  owner: O,
  options: Omit<UpgradeOptions, 'headers'> & { readonly headers: readonly string[] },
) => void;

/** True for a handshake that can be accepted (RFC 6455 §4.2.1), but for its key, which is the gateway's. */
export function isHandshake(method: string, header: (lowerCaseName: string) => string | undefined): boolean {
  return (
    method === 'GET' &&
    header('upgrade')?.toLowerCase() === 'websocket' &&
    /(?:^|,)\s*upgrade\s*(?:,|$)/i.test(header('connection') ?? '') &&
    header('sec-websocket-version') === '13'
  );
}

/** 16 bytes in base64 (RFC 6455 §4.1). */
export function isHandshakeKey(key: string | undefined): boolean {
  return key !== undefined && /^[+/0-9A-Za-z]{21}[AQgw]==$/.test(key);
}
