import type { IncomingMessage, ServerResponse } from 'node:http';

/** Whether a head has more bytes than `maxHeaderSize`, as node:http counts them: the target, names and values. */
export function isHeadTooLarge({ url = '', rawHeaders }: IncomingMessage, limitBytes: number): boolean {
  let bytes = url.length;
  for (const text of rawHeaders) bytes += text.length;
  return bytes >= limitBytes;
}

/** Answers as node:http does, which ends the connection. */
export function refuseHead(response: ServerResponse): void {
  response.writeHead(431, { Connection: 'close' }).end();
}
