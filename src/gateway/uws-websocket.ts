import type { SwitchToWebSocket, TopicHub, WebSocketEvents } from '../core/raw-websocket.js';
import type { WebSocketLimits } from '../core/websocket-limits.js';
import type {
  HttpRequest,
  HttpResponse,
  loadUws,
  us_socket_context_t,
  WebSocket,
  WebSocketBehavior,
} from './uws-binding.js';

/** What a WebSocket has as properties of its own, once it is there. */
interface Owned {
  readonly events: WebSocketEvents<unknown>;
  readonly owner: unknown;
  readonly hub: TopicHub;
}

/** What is needed of a handshake once its request is gone. */
interface Handshake {
  readonly key: string;
  readonly extensions: string;
  readonly context: us_socket_context_t;
  readonly hub: TopicHub;
}

/** What the upgrade under way has made, until its events hear of it. One for the process, as an upgrade is one call. */
let latest: WebSocket<Owned> | undefined;

/** What the native code copies to a WebSocket, within the cork: nothing, as properties of a new type have memory allocated. */
const NOTHING = {};

/** Handshakes that can be accepted. */
const handshakes = new WeakMap<HttpResponse, Handshake>();

/** Remembers a handshake that can be accepted. */
export function noteHandshake(
  response: HttpResponse,
  request: HttpRequest,
  context: us_socket_context_t,
  hub: TopicHub,
): void {
  const key = request.getHeader('sec-websocket-key');
  const extensions = request.getHeader('sec-websocket-extensions');
  handshakes.set(response, { key, extensions, context, hub });
}

/** A header of all its lines, as `getHeader` gives the first alone. */
export function joinLines(request: HttpRequest, name: string): string {
  const lines: string[] = [];
  request.forEach((key, value) => {
    if (key === name) lines.push(value);
  });
  return lines.join();
}

/** How the WebSocket is made; undefined when the request is no handshake. */
export function acceptHandshake(response: HttpResponse): SwitchToWebSocket | undefined {
  const handshake = handshakes.get(response);
  if (handshake === undefined) return undefined;
  const { key, extensions, context, hub } = handshake;
  return (events, owner, { protocol, headers, compression }) => {
    handshakes.delete(response);
    response.cork(() => {
      // Without it, the first header would begin a response of 200.
      response.writeStatus('101 Switching Protocols');
      for (let i = 0; i < headers.length; i += 2)
        response.writeHeader(headers[i] as string, Buffer.from(headers[i + 1] as string, 'latin1'));
      response.upgrade(NOTHING, key, protocol, compression ? extensions : '', context);
    });
    const raw = latest;
    latest = undefined;
    // It was cut within its own upgrade.
    if (raw === undefined) return;
    const owned: Owned = { events: events as WebSocketEvents<unknown>, owner, hub };
    events.opened(owner, Object.assign(raw, owned));
  };
}

/** Its own WebSocket is what `getUserData` gives, at the price of a call. */
function ownedBy(raw: WebSocket<Owned>): WebSocket<Owned> & Owned {
  return raw as WebSocket<Owned> & Owned;
}

/**
 * Within the cork of a late upgrade it does next to nothing. At the end of that cork the native code reads, in memory that the upgrade has
 * freed, whether the connection is to be closed: who allocates here has WebSockets cut that were just accepted, some of
 * them or nearly all.
 */
function remember(raw: WebSocket<Owned> | undefined): void {
  latest = raw;
}

/** How uWebSockets.js serves all WebSockets of a server. Idle ones are whoever's made them. */
export function webSocketBehavior(
  uws: ReturnType<typeof loadUws>,
  { maxPayloadBytes, maxBackpressureBytes, compression }: WebSocketLimits,
): WebSocketBehavior<Owned> {
  // Compiled now, as a compiler allocates too.
  remember(undefined);
  return {
    maxPayloadLength: maxPayloadBytes,
    maxBackpressure: maxBackpressureBytes,
    closeOnBackpressureLimit: false,
    // Without context takeover: it takes no memory of a WebSocket between two messages.
    compression: compression ? uws.SHARED_COMPRESSOR | uws.SHARED_DECOMPRESSOR : uws.DISABLED,
    idleTimeout: 0,
    sendPingsAutomatically: false,
    maxLifetime: 0,
    open: remember,
    message(raw, bytes, isBinary) {
      const { events, owner } = ownedBy(raw);
      events.received(owner, bytes, isBinary, true);
    },
    ping(raw, bytes) {
      const { events, owner } = ownedBy(raw);
      events.pinged(owner, bytes);
    },
    pong(raw, bytes) {
      const { events, owner } = ownedBy(raw);
      events.ponged(owner, bytes);
    },
    drain(raw) {
      const { events, owner } = ownedBy(raw);
      // In a later turn: what is sent within this call, and does not fit, would never leave.
      setImmediate(() => events.drained(owner));
    },
    dropped(raw) {
      const { events, owner } = ownedBy(raw);
      events.dropped(owner);
    },
    close(raw, code, reason) {
      const { events, owner } = ownedBy(raw);
      if (raw === latest) latest = undefined;
      else events.closed(owner, code, Buffer.from(reason).toString());
    },
  };
}
