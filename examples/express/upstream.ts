/** The second server, to which the proxy route leads. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** @returns its URL. It keeps no process alive. */
export async function startUpstream(): Promise<string> {
  const server = createServer((request, response) => {
    const { method, url } = request;
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => {
      response.writeHead(200, { 'Content-Type': 'application/json', 'X-Upstream': 'yes' });
      response.end(`${JSON.stringify({ method, url, bytes })}\n`);
    });
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
