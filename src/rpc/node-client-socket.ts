import type { WebSocket } from 'ws';
import { answerError, JsonRpcConnectionError } from './client-errors.js';
import {
  ALIVE_TIMEOUT_MS,
  type ClientSocket,
  type ClientSocketEvents,
  CONNECT_TIMEOUT_MS,
  largeError,
  type SocketTarget,
} from './client-socket.js';

/** Largest limit that ws takes; 0 is none there. */
const LARGEST_PAYLOAD = 2_147_483_647;
/** What ws calls a message of more. */
const TOO_LARGE = 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';

/** Connects by the package ws. */
export async function connectNodeSocket(
  target: SocketTarget,
  events: ClientSocketEvents,
): Promise<ClientSocket> {
  const { url, headers, limitBytes } = target;
  const { WebSocket: Client } = await import('ws');
  const socket = new Client(url, {
    headers,
    maxPayload: Math.min(Math.max(limitBytes, 1), LARGEST_PAYLOAD),
    handshakeTimeout: CONNECT_TIMEOUT_MS,
    perMessageDeflate: false,
  });
  const made = new NodeClientSocket(socket);
  let failure: Error | undefined;
  let refusal: number | undefined;
  socket.on('error', (error: Error & { code?: string }) => {
    failure = error.code === TOO_LARGE ? largeError(target) : error;
  });
  socket.once('unexpected-response', (_request, { statusCode }) => {
    refusal = statusCode;
    socket.terminate();
  });
  socket.on('message', (data) => {
    made.foundAlive();
    events.received(String(data));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('close', () => reject(unopened(url, refusal, failure)));
  });
  socket.once('close', (code: number) => {
    made.foundAlive();
    events.closed(failure ?? new Error(`it was closed with code ${code}`));
  });
  return made;
}

class NodeClientSocket implements ClientSocket {
  readonly #socket: WebSocket;
  /** Runs until something comes, where the connection may be dead. */
  #probe: NodeJS.Timeout | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('pong', () => this.foundAlive());
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  send(text: string, sent: (error?: Error | null) => void): void {
    this.#socket.send(text, sent);
  }

  lookAlive(): void {
    if (this.#probe !== undefined || !this.isOpen) return;
    this.#probe = setTimeout(() => this.#socket.terminate(), ALIVE_TIMEOUT_MS);
    this.#probe.unref();
    this.#socket.ping();
  }

  foundAlive(): void {
    clearTimeout(this.#probe);
    this.#probe = undefined;
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    if (socket.readyState === socket.CLOSED) return;
    await new Promise<void>((resolve) => {
      const late = setTimeout(() => socket.terminate(), ALIVE_TIMEOUT_MS);
      socket.once('close', () => {
        clearTimeout(late);
        resolve();
      });
      socket.close(1000);
    });
  }
}

/** Who is refused will be refused again; a server, or a proxy, that cannot at present may be asked once more. */
function unopened(url: string, refusal: number | undefined, failure: Error | undefined): Error {
  if (refusal !== undefined && refusal < 500)
    return answerError(`A call of ${url}`, `status ${refusal} to its handshake`);
  const why = refusal === undefined ? failure?.message : `status ${refusal} to its handshake`;
  return new JsonRpcConnectionError(`${url} cannot be reached: ${why}`, true, failure);
}
