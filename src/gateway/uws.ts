import { METHODS } from 'node:http';
import { Exchange } from '../core/exchange.js';
import { isHost } from '../core/host.js';
import { LINE_OVERHEAD_BYTES, TOKEN } from '../core/http-syntax.js';
import { Incoming } from '../core/incoming.js';
import { isHandshake } from '../core/raw-websocket.js';
import { copyFields, findField, type RequestFields } from '../core/request-fields.js';
import type { Service } from '../core/service.js';
import { addTopicHub } from '../core/topic-hubs.js';
import { checkCertificates } from './certificates.js';
import type {
  GatewayConfig,
  GatewayService,
  ListenAddress,
  Listener,
  Sharing,
  TlsOptions,
} from './gateway.js';
import {
  LINGER_MS,
  REFUSAL_HEADERS,
  REFUSE_BODY,
  REFUSE_FIELDS,
  REFUSE_FRAMING,
  REFUSE_HOST_VALUE,
  REFUSE_LINE,
  REFUSE_METHOD,
  REFUSE_METHOD_SYNTAX,
  type Refusal,
} from './refusal.js';
import {
  type HttpRequest,
  type HttpResponse,
  loadUws,
  type TemplatedApp,
  type us_listen_socket,
} from './uws-binding.js';
import { closeUnixSocket, type Opened, openTcp, openTcpNow, openUnix } from './uws-listen.js';
import { UwsTransport } from './uws-transport.js';
import { joinLines, noteHandshake, webSocketBehavior } from './uws-websocket.js';

/** The methods that uWebSockets.js routes by itself, so that they need not be read. */
const ROUTED = {
  GET: 'get',
  HEAD: 'head',
  POST: 'post',
  PUT: 'put',
  PATCH: 'patch',
  DELETE: 'del',
  OPTIONS: 'options',
} as const;
/** It refuses more header lines than this by itself. */
const NATIVE_HEADER_FIELDS = 98;
/** RFC 9110 §9.3: a body is expected of these, so one without a length may hide another request. */
const BODY_METHODS: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS);
/** As bytes, names are looked up in 65 ns instead of 91. */
const CONTENT_LENGTH = encode('content-length');
const TRANSFER_ENCODING = encode('transfer-encoding');

/** Serves on uWebSockets.js. @throws what {@link loadUws} throws, and errors of listening with their `code` */
export async function listenUws(
  shared: GatewayService,
  config: GatewayConfig,
  address: ListenAddress,
  sharing?: Sharing,
): Promise<Listener> {
  const server = build(shared, config);
  const isShared = sharing !== undefined;
  const opened =
    'path' in address
      ? await openUnix(server.app, address.path, isShared)
      : await openTcp(server.uws, server.app, address, isShared);
  return toListener(server, opened, isShared);
}

/**
 * The same at once, on an IP address.
 * @returns undefined where the address cannot be had; uWebSockets.js does not say why
 * @throws what {@link loadUws} throws
 */
export function listenUwsNow(
  shared: GatewayService,
  config: GatewayConfig,
  address: { readonly host: string; readonly port: number },
  isShared: boolean,
): Listener | undefined {
  const server = build(shared, config);
  const opened = openTcpNow(server.uws, server.app, address, isShared);
  if (opened === undefined) server.app.close();
  return opened && toListener(server, opened, isShared);
}

/** A server that does not listen yet. */
interface Built {
  readonly uws: ReturnType<typeof loadUws>;
  readonly app: TemplatedApp;
  connections: number;
}

function build(shared: GatewayService, config: GatewayConfig): Built {
  const uws = loadUws(config.maxHeadBytes);
  const { tls } = config;
  const service: Service<HttpResponse> = Object.assign(shared, {
    transport: new UwsTransport(tls !== undefined),
  });
  const app = tls === undefined ? uws.App() : createTlsApp(uws, tls);
  const built: Built = { uws, app, connections: 0 };
  // biome-ignore lint/suspicious/useIterableCallbackReturn: this is uWebSockets.js' filter, which counts connections
  app.filter((_response, change) => {
    built.connections += Number(change) > 0 ? 1 : -1;
  });
  const behavior = webSocketBehavior(uws, shared.webSockets);
  route(app, service, config, behavior);
  for (const { hostname, certFile, keyFile } of tls?.sni ?? []) {
    app.addServerName(hostname, { cert_file_name: certFile, key_file_name: keyFile });
    route(app.domain(hostname), service, config, behavior);
  }
  return built;
}

function toListener(server: Built, opened: Opened, isShared: boolean): Listener {
  const { uws, app } = server;
  const removeHub = addTopicHub(app);
  let token: us_listen_socket | undefined = opened.token;
  const stopAccepting = () => {
    if (token === undefined) return;
    uws.us_listen_socket_close(token);
    token = undefined;
    // Another process may listen there by now.
    if ('path' in opened.address && !isShared) closeUnixSocket(opened.address.path);
  };
  return {
    address: opened.address,
    get connections() {
      return server.connections;
    },
    stopAccepting,
    async destroy() {
      stopAccepting();
      removeHub();
      app.close();
    },
  };
}

/** @throws {ImproperlyConfigured} */
function createTlsApp(uws: ReturnType<typeof loadUws>, tls: TlsOptions): TemplatedApp {
  checkCertificates(tls);
  return uws.SSLApp({
    cert_file_name: tls.certFile,
    key_file_name: tls.keyFile,
    ...(tls.passphrase === undefined ? {} : { passphrase: tls.passphrase }),
  });
}

function route(
  app: TemplatedApp,
  service: Service<HttpResponse>,
  config: GatewayConfig,
  behavior: ReturnType<typeof webSocketBehavior>,
): void {
  app.ws('/*', {
    ...behavior,
    // Any GET with a key of the right length.
    upgrade(response, request, context) {
      const header = (name: string) =>
        name === 'connection' ? joinLines(request, name) : request.getHeader(name);
      if (isHandshake('GET', header)) noteHandshake(response, request, context, app);
      answer(service, config, response, request, 'GET', false);
    },
  });
  for (const [method, register] of Object.entries(ROUTED)) {
    const expectsBody = BODY_METHODS.has(method);
    app[register as (typeof ROUTED)['GET']]('/*', (response, request) =>
      answer(service, config, response, request, method, expectsBody),
    );
  }
  app.any('/*', (response, request) => {
    const method = request.getCaseSensitiveMethod();
    if (!TOKEN.test(method)) refuse(response, REFUSE_METHOD_SYNTAX);
    else if (!KNOWN_METHODS.has(method)) refuse(response, REFUSE_METHOD);
    else answer(service, config, response, request, method, BODY_METHODS.has(method));
  });
}

/** One request, from within the native call: anything thrown here would end the process. */
function answer(
  service: Service<HttpResponse>,
  config: GatewayConfig,
  response: HttpResponse,
  request: HttpRequest,
  method: string,
  expectsBody: boolean,
): void {
  const path = request.getUrl();
  // A pass over all lines costs more than two questions, and where a body comes it is needed in any case.
  let fields = expectsBody ? copyFields(request) : undefined;
  const contentLength = fields
    ? (findField(fields, 'content-length') ?? '')
    : request.getHeader(CONTENT_LENGTH);
  const encoding = fields
    ? (findField(fields, 'transfer-encoding') ?? '')
    : request.getHeader(TRANSFER_ENCODING);
  if (path.length + LINE_OVERHEAD_BYTES + method.length > config.maxRequestLineBytes) {
    refuse(response, REFUSE_LINE);
    return;
  }
  const bodyBytes = encoding === '' ? parseLength(contentLength) : -1;
  if (contentLength !== '' || encoding !== '' || config.maxHeaderFields < NATIVE_HEADER_FIELDS)
    fields ??= copyFields(request);
  const refusal = fields && checkFields(fields, bodyBytes, config);
  if (refusal !== undefined) {
    refuse(response, refusal);
    return;
  }
  // What follows a body whose end only the native parser knows is not to be trusted: the connection ends here.
  const isLast = encoding !== '' || (contentLength === '' && expectsBody);
  const incoming = new Incoming(
    service,
    response,
    method,
    path,
    request,
    fields,
    contentLength,
    bodyBytes,
    isLast,
  );
  const exchange = new Exchange(service, response, incoming);
  if (isLast) exchange.runLater();
  else exchange.run();
}

/**
 * RFC 9112 §6.3: one length, or chunked. uWebSockets.js has refused a length beside an encoding. Host is looked at here
 * only where all lines are; elsewhere when it is read, as asking for it costs every request 65 ns.
 */
function checkFields(fields: RequestFields, bodyBytes: number, config: GatewayConfig): Refusal | undefined {
  if (fields.length / 2 > config.maxHeaderFields) return REFUSE_FIELDS;
  let framings = 0;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i];
    if (name === 'content-length') {
      framings++;
      if (fields[i + 1] === '') return REFUSE_FRAMING;
    } else if (name === 'transfer-encoding') {
      framings++;
      if ((fields[i + 1] as string).toLowerCase() !== 'chunked') return REFUSE_FRAMING;
    } else if (name === 'host' && fields[i + 1] !== '' && !isHost(fields[i + 1] as string)) {
      return REFUSE_HOST_VALUE;
    }
  }
  if (framings > 1 || Number.isNaN(bodyBytes)) return REFUSE_FRAMING;
  return bodyBytes > config.maxBodyBytes ? REFUSE_BODY : undefined;
}

/** A Content-Length as a number, NaN when it is none: `''` is 0. Digit by digit this is faster than by RegExp and Number. */
function parseLength(text: string): number {
  if (text.length > 15) return Number.NaN;
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    length = length * 10 + digit;
  }
  return length;
}

/**
 * Refuses a request and ends its connection: in a later turn, so that what is pipelined behind it is not served, and once
 * the body has passed, as a client that still sends would not read the refusal.
 */
function refuse(response: HttpResponse, { status, message }: Refusal): void {
  let isOver = false;
  const finish = () => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    response.cork(() => {
      response.writeStatus(status);
      for (const [name, value] of REFUSAL_HEADERS) response.writeHeader(name, value);
      response.end(message, true);
    });
  };
  const timer = setTimeout(finish, LINGER_MS);
  response.onAborted(() => {
    isOver = true;
    clearTimeout(timer);
  });
  response.onData((_bytes, isLast) => {
    if (isLast) setImmediate(finish);
  });
}

function encode(name: string): ArrayBuffer {
  return new TextEncoder().encode(name).buffer;
}
