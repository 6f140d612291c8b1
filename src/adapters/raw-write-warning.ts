const INTERIM = 'HTTP/1.1 1';
let isWarned = false;

/** Once: what a program writes past its response would be lost without a word. 1xx is the gateway's. */
export function warnOfRawWrite(chunk: unknown): void {
  if (isWarned || String(chunk).startsWith(INTERIM)) return;
  isWarned = true;
  process.emitWarning(
    'request.socket.write() does nothing on uWebSockets.js, which owns the connection: use the response, or createServer({ gateway: "node" })',
    { code: 'ERR_HTTP_RAW_SOCKET' },
  );
}
