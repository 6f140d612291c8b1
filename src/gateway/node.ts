import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, Server as NetServer, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import { LARGE_BYTES } from '../core/chunks.js';
import type { Service } from '../core/service.js';
import { addTopicHub } from '../core/topic-hubs.js';
import { lockAddresses } from './address-lock.js';
import { checkCertificates, loadSniCertificate } from './certificates.js';
import type {
  GatewayConfig,
  GatewayService,
  ListenAddress,
  Listener,
  Sharing,
  TlsOptions,
} from './gateway.js';
import { answerNode } from './node-answer.js';
import { answerClientError } from './node-client-error.js';
import { type NodeExchange, NodeTransport } from './node-transport.js';
import { WebSocketAwareRequest } from './node-upgrade.js';
import { NodeWebSockets } from './node-websocket.js';
import { probeUnix } from './probe-address.js';

/** Time for a request head to arrive, as uWebSockets.js has it. */
const HEAD_TIMEOUT_MS = 10_000;
const CHECK_INTERVAL_MS = 1000;

/** Serves on node:http. @throws errors of listening with their `code` */
export async function listenNode(
  shared: GatewayService,
  config: GatewayConfig,
  address: ListenAddress,
  sharing?: Sharing,
): Promise<Listener> {
  const webSockets = new NodeWebSockets();
  const service: Service<NodeExchange> = Object.assign(shared, {
    transport: new NodeTransport(config.allowTunnels, webSockets),
  });
  const server = build(config);
  server.maxHeadersCount = 0;
  const answer = (request: IncomingMessage, response: ServerResponse) =>
    answerNode(service, config, { request, response, raw: undefined });
  server.on('request', answer);
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) =>
    inviteBody(response, () => answer(request, response)),
  );
  const broken = new WeakSet<Socket>();
  server.on('clientError', (error: Error, socket: Duplex) => {
    // The parser finds each further piece of the same head wrong as well.
    if (!(socket instanceof Socket) || broken.has(socket)) return;
    broken.add(socket);
    answerClientError(error, socket);
  });
  const onRaw = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const response = new ServerResponse(request);
    const onEnd = () => socket.destroy();
    socket.on('error', onEnd);
    // Nobody reads the socket before it is taken over: look whether the client leaves.
    socket.once('end', onEnd);
    socket.read(0);
    const release = () => socket.off('end', onEnd);
    response.shouldKeepAlive = false;
    response.assignSocket(request.socket);
    answerNode(service, config, { request, response, raw: { socket, head, release } });
  };
  server.on('upgrade', onRaw);
  if (config.allowTunnels) server.on('connect', onRaw);
  const opened = await listen(server, address, sharing);
  const removeHub = addTopicHub(webSockets.topics);
  // The server forgets the connections that were taken over.
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  let closed: Promise<unknown> | undefined;
  const stopAccepting = () => {
    // Not the close of node:http, which ends idle connections at once: a request may be on its way there.
    closed ??= new Promise((resolve) => {
      NetServer.prototype.close.call(server, resolve);
    });
  };
  return {
    address: opened,
    get connections() {
      return sockets.size;
    },
    stopAccepting,
    async destroy() {
      stopAccepting();
      removeHub();
      for (const socket of sockets) socket.destroy();
      await closed;
      // Ends its timer.
      server.close();
    },
  };
}

/**
 * Writes 100 Continue once the answers before it on its connection are written: node:http itself would keep it behind the head of an
 * answer that waits for those, where the client takes it for content.
 */
function inviteBody(response: ServerResponse, answer: () => void): void {
  if (response.socket !== null) {
    response.writeContinue();
    answer();
    return;
  }
  response.once('socket', () => {
    response.writeContinue();
    // Not while node:http still gives the response its socket.
    process.nextTick(() => {
      if (!response.destroyed) answer();
    });
  });
}

function build(config: GatewayConfig): Server {
  const { tls, allowTunnels } = config;
  const options = {
    maxHeaderSize: config.maxHeadBytes,
    keepAliveTimeout: config.keepAliveTimeoutMs,
    headersTimeout: HEAD_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    // A body may take as long as it moves: the exchange bounds the waits.
    requestTimeout: 0,
    // Checked with all else that may be wrong with a head, so that nothing behind it is served.
    requireHostHeader: false,
    insecureHTTPParser: false,
    // A chunk of this size or more has left when `write` says so, whatever a program has set for all streams.
    highWaterMark: LARGE_BYTES,
    ...(allowTunnels ? {} : { IncomingMessage: WebSocketAwareRequest }),
  };
  if (tls === undefined) return createServer(options);
  checkCertificates(tls);
  return createTlsServer({
    ...options,
    cert: readFileSync(tls.certFile),
    key: readFileSync(tls.keyFile),
    ...(tls.passphrase === undefined ? {} : { passphrase: tls.passphrase }),
    ...(tls.sni.length === 0 ? {} : { SNICallback: chooseCertificate(tls) }),
  });
}

type SniCallback = (name: string, done: (error: Error | null, context?: SecureContext) => void) => void;

/** The certificate of a name, or of its parent's wildcard; else the server's own. */
function chooseCertificate(tls: TlsOptions): SniCallback {
  const contexts = new Map(tls.sni.map((one) => [one.hostname.toLowerCase(), loadSniCertificate(one)]));
  return (name, done) => {
    const lower = name.toLowerCase();
    done(null, contexts.get(lower) ?? contexts.get(lower.replace(/^[^.]+/, '*')));
  };
}

async function listen(server: Server, address: ListenAddress, sharing?: Sharing): Promise<ListenAddress> {
  const fd = sharing?.descriptor;
  const isOwnPath = 'path' in address && sharing === undefined;
  const unlock = isOwnPath ? await lockAddresses([address]) : undefined;
  try {
    if (isOwnPath) await probeUnix(address.path);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(fd === undefined ? address : { fd }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } finally {
    unlock?.();
  }
  return 'path' in address ? address : { host: address.host, port: (server.address() as AddressInfo).port };
}
