/** The largest limits of the WebSockets of a server, in bytes. */
export interface WebSocketLimits {
  readonly maxPayloadBytes: number;
  readonly maxBackpressureBytes: number;
  readonly compression: boolean;
}

/** What the WebSockets of a server may be, while it starts. */
export interface WebSocketNeeds extends WebSocketLimits {
  /** A part needs so much at least. */
  widen(limits: WebSocketLimits): void;
}

/** From this size on, a message is compressed where the client has agreed. */
export const COMPRESS_FROM_BYTES = 1024;

/** Those of a WebSocket for which nobody says others. */
export const DEFAULT_WEBSOCKET_LIMITS: WebSocketLimits = {
  maxPayloadBytes: 1_048_576,
  maxBackpressureBytes: 1_048_576,
  compression: false,
};

/**
 * The largest limits that parts of an application ask for, each when it starts: uWebSockets.js has one set for all WebSockets
 * of a server, fixed before it listens. Smaller ones are held by whoever has them.
 */
export class WidestLimits implements WebSocketNeeds {
  maxPayloadBytes = DEFAULT_WEBSOCKET_LIMITS.maxPayloadBytes;
  maxBackpressureBytes = DEFAULT_WEBSOCKET_LIMITS.maxBackpressureBytes;
  compression = DEFAULT_WEBSOCKET_LIMITS.compression;

  widen({ maxPayloadBytes, maxBackpressureBytes, compression }: WebSocketLimits): void {
    this.maxPayloadBytes = Math.max(this.maxPayloadBytes, maxPayloadBytes);
    this.maxBackpressureBytes = Math.max(this.maxBackpressureBytes, maxBackpressureBytes);
    this.compression ||= compression;
  }
}
