/** Events that tell of connections, which only node:http has. */
export const NODE_EVENTS = ['upgrade', 'connect', 'connection', 'secureConnection'] as const;
let isWarned = false;

/** Once: on uWebSockets.js these events never come, and node:http has to be taken before the server listens. */
export function warnOfLateListener(added: string | symbol): void {
  const event = NODE_EVENTS.find((one) => one === added);
  if (isWarned || event === undefined) return;
  isWarned = true;
  process.emitWarning(
    `The event '${event}' does not come: uWebSockets.js serves already; add the listener, as of ws or socket.io, before listen(), or take createServer({ gateway: 'node' }, ...)`,
    { code: 'ERR_HTTP_LATE_LISTENER' },
  );
}
