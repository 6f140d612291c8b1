import { JsonRpcConnectionError } from './client-errors.js';
import {
  ALIVE_TIMEOUT_MS,
  type ClientSocket,
  type ClientSocketEvents,
  CONNECT_TIMEOUT_MS,
  largeError,
  type SocketTarget,
} from './client-socket.js';

/** The global WebSocket, as far as it is used here: the types of Node do not have it. */
interface GlobalWebSocket {
  readonly readyState: number;
  readonly bufferedAmount: number;
  binaryType: string;
  addEventListener(type: 'message', listener: (event: { data: string | ArrayBuffer }) => void): void;
  addEventListener(type: 'open' | 'close', listener: (event: { code: number }) => void): void;
  send(text: string): void;
  close(code?: number): void;
}

declare const WebSocket: new (url: string) => GlobalWebSocket;

const OPEN = 1;
const CLOSED = 3;

/** Connects by the global WebSocket, of which nobody learns why a handshake was refused, and which has no pings and headers. */
export async function connectBrowserSocket(
  target: SocketTarget,
  events: ClientSocketEvents,
): Promise<ClientSocket> {
  const { url, limitBytes } = target;
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  let failure: Error | undefined;
  socket.addEventListener('message', ({ data }) => {
    const size = typeof data === 'string' ? data.length : data.byteLength;
    if (size <= limitBytes) {
      events.received(typeof data === 'string' ? data : new TextDecoder().decode(data));
      return;
    }
    failure = largeError(target);
    socket.close();
  });
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => socket.close(), CONNECT_TIMEOUT_MS);
    socket.addEventListener('open', () => {
      clearTimeout(late);
      resolve();
    });
    socket.addEventListener('close', () => {
      clearTimeout(late);
      reject(new JsonRpcConnectionError(`${url} cannot be reached, or has refused`, true));
    });
  });
  socket.addEventListener('close', ({ code }) =>
    events.closed(failure ?? new Error(`it was closed with code ${code}`)),
  );
  return {
    get isOpen() {
      return socket.readyState === OPEN;
    },
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    send(text, sent) {
      socket.send(text);
      sent();
    },
    close: () => closeSocket(socket),
  };
}

async function closeSocket(socket: GlobalWebSocket): Promise<void> {
  if (socket.readyState === CLOSED) return;
  await new Promise<void>((resolve) => {
    const late = setTimeout(resolve, ALIVE_TIMEOUT_MS);
    socket.addEventListener('close', () => {
      clearTimeout(late);
      resolve();
    });
    socket.close(1000);
  });
}
