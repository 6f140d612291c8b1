let isWarned = false;

/** Once: on uWebSockets.js these events never come, and this server cannot be given to node:http any more. */
export function warnOfLateListener(event: string): void {
  if (isWarned) return;
  isWarned = true;
  process.emitWarning(
    `The event '${event}' does not come: uWebSockets.js serves already; add the listener, as of ws or socket.io, before listen(), or take createServer({ gateway: 'node' }, ...)`,
    { code: 'ERR_HTTP_LATE_LISTENER' },
  );
}
