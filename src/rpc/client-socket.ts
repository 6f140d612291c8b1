import { answerError } from './client-errors.js';

/** How long a connection is tried, in ms. */
export const CONNECT_TIMEOUT_MS = 10_000;
/** How long a server may take to answer a ping, or a close frame, in ms. */
export const ALIVE_TIMEOUT_MS = 5000;

/** Where a client connects. */
export interface SocketTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly limitBytes: number;
}

/** What a {@link ClientSocket} tells. */
export interface ClientSocketEvents {
  received(text: string): void;
  /** It was open, and is no more. @param cause - a VelaError is told as it is */
  closed(cause: Error): void;
}

/** A WebSocket of a client, open when it is had: of the package ws, or the global one of browsers. */
export interface ClientSocket {
  readonly isOpen: boolean;
  readonly bufferedAmount: number;
  /** @param sent - called when it has left, or with why it cannot */
  send(text: string, sent: (error?: Error | null) => void): void;
  /** Where it can: asks whether the server is there, and ends the connection where it does not answer. */
  lookAlive?(): void;
  /** Resolves when it is closed, after {@link ALIVE_TIMEOUT_MS} at the latest. */
  close(): Promise<void>;
}

/** More came than may. */
export function largeError({ url, limitBytes }: SocketTarget): Error {
  return answerError(`A call of ${url}`, `it is larger than the limit of ${limitBytes} bytes`);
}

/** Opens one. @throws {VelaError} `ERR_RPC_CONNECTION`, `ERR_RPC_ANSWER` */
export type ConnectSocket = (target: SocketTarget, events: ClientSocketEvents) => Promise<ClientSocket>;
