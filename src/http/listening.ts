import type { Server } from 'node:http';

/** In the place of node's handle: uWebSockets.js keeps the process up for as long as it listens. */
const HANDLE = { ref() {}, unref() {} };

/** Says whether a server listens, by its handle: to node:net, and to those who look themselves, as supertest does. */
export function setListening(server: Server, isListening: boolean): void {
  (server as unknown as { _handle: object | null })._handle = isListening ? HANDLE : null;
}
