import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';

/** Takes what has come by a port. @param onUnread - called in place of a message that cannot be read */
export function takeMessages(
  port: MessagePort,
  take: (message: unknown) => void,
  onUnread: () => void = () => {},
): void {
  for (;;) {
    let got: { message: unknown } | undefined;
    try {
      got = receiveMessageOnPort(port);
    } catch {
      onUnread();
      continue;
    }
    if (got === undefined) return;
    take(got.message);
  }
}
