import type { Server } from 'node:http';

/** Has a server listen anew; nobody hears of it twice. @param isTold - 'listening' was told before */
export function listenAgain(server: Server, isTold: boolean, listen: () => void): void {
  const told = isTold ? (server.rawListeners('listening') as (() => void)[]) : [];
  for (const one of told) server.off('listening', one);
  listen();
  server.once('listening', () => {
    for (const one of told) server.on('listening', one);
  });
}
