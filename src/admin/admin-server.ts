import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { ActorInfo } from '../actors/actor-info.js';
import { toError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { ListenAddress } from '../gateway/gateway.js';
import { explainListenError } from '../gateway/listen-error.js';
import { probeUnix } from '../gateway/probe-address.js';
import { adminPage } from './admin-page.js';

/** What there is to be seen. */
export interface AdminSource {
  /** The arbiter, its monitors and their workers. */
  info(): Promise<ActorInfo>;
  /** What the registers of each process have. */
  metrics(): Promise<unknown[][]>;
}

/** A server of the admin page, which listens. */
export interface AdminServer {
  readonly address: ListenAddress;
  close(): void;
}

/** An answer that takes longer than this is not coming, in ms. */
const REQUEST_MS = 10_000;
const HEADERS = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
};

/**
 * Serves the admin page, and what it shows as JSON, from the main process: it only reads. It answers names of this machine
 * and addresses alone, so that no page of another site reads it by a name that leads here.
 * @throws errors of listening with their `code`
 */
export async function startAdmin(
  address: ListenAddress,
  source: AdminSource,
  logger: Logger,
): Promise<AdminServer> {
  const server = createServer(
    { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS },
    (request, response) => {
      answer(request, response, source).catch((error: unknown) => {
        logger.error({ err: toError(error) }, 'the admin page has failed');
        if (!response.headersSent) send(response, 500, 'text/plain', 'The log says what went wrong.\n');
        else response.destroy();
      });
    },
  );
  try {
    if ('path' in address) await probeUnix(address.path);
    server.listen(address);
    await once(server, 'listening');
  } catch (error) {
    throw explainListenError(error, address);
  }
  server.on('error', (error) => logger.error({ err: error }, 'the admin page has failed'));
  // The program ends without it.
  server.unref();
  const bound = server.address();
  return {
    address:
      typeof bound === 'object' && bound !== null ? { host: bound.address, port: bound.port } : address,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  source: AdminSource,
): Promise<void> {
  const path = (request.url ?? '/').split('?', 1)[0];
  if (!isOwnHost(request.headers.host)) {
    send(response, 421, 'text/plain', 'Ask by an address of this machine, such as 127.0.0.1.\n');
  } else if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    send(response, 405, 'text/plain', 'Only GET and HEAD are there.\n');
  } else if (path === '/') {
    const { text, policy } = adminPage();
    response.setHeader('Content-Security-Policy', policy);
    send(response, 200, 'text/html; charset=utf-8', text);
  } else if (path === '/info') {
    send(response, 200, 'application/json', JSON.stringify(await source.info()));
  } else if (path === '/metrics') {
    await answerMetrics(response, source);
  } else {
    send(response, 404, 'text/plain', 'There are /, /info and /metrics.\n');
  }
}

/** Those of all processes, added up. */
async function answerMetrics(response: ServerResponse, source: AdminSource): Promise<void> {
  const each = await source.metrics();
  if (each.length === 0) {
    send(response, 404, 'text/plain', 'No worker has prometheusMetrics() in its application.\n');
    return;
  }
  const { addUp } = await import('../prometheus/add-up.js');
  const { text, type } = await addUp(each);
  send(response, 200, type, text);
}

/** RFC 9112 section 3.2; a client on a unix socket says anything. */
function isOwnHost(host = ''): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return name === '' || name === 'localhost' || name.endsWith('.localhost') || isIP(name) !== 0;
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { ...HEADERS, 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}
