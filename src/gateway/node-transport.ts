import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Chunk, ConnectionInfo, TakeTunnel } from '../core/contract.js';
import { RequestInput } from '../core/input.js';
import { formatIpv6 } from '../core/ip-address.js';
import type { SwitchToWebSocket } from '../core/raw-websocket.js';
import { listHeaders, type ResponseHead } from '../core/response-head.js';
import type { BodyStream, Fate, ResponseOwner, Transport } from '../core/transport.js';
import { isNodeHandshake } from './node-upgrade.js';
import type { NodeWebSockets } from './node-websocket.js';
import { SlicedWriter } from './sliced-writer.js';

/** A request and its response, as node:http has them. */
export interface NodeExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** For CONNECT and Upgrade: the raw connection. */
  readonly raw: { readonly socket: Duplex; readonly head: Buffer; readonly release: () => void } | undefined;
}

/** Responses of node:http. */
export class NodeTransport implements Transport<NodeExchange> {
  readonly name = 'node';
  readonly #allowTunnels: boolean;
  readonly #webSockets: NodeWebSockets;
  /** Who waits on each connection: a response that is queued behind another does not hear of its end. */
  readonly #watched = new WeakMap<Duplex, Set<ResponseOwner>>();

  constructor(allowTunnels: boolean, webSockets: NodeWebSockets) {
    this.#allowTunnels = allowTunnels;
    this.#webSockets = webSockets;
  }

  protocol({ request }: NodeExchange): string {
    return `HTTP/${request.httpVersion}`;
  }

  connection({ request }: NodeExchange): ConnectionInfo {
    const { remoteAddress = '', remotePort } = request.socket;
    return {
      remoteAddress: remoteAddress.includes(':') ? formatIpv6(remoteAddress) : remoteAddress,
      remotePort,
      encrypted: (request.socket as TLSSocket).encrypted === true,
      gateway: this.name,
    };
  }

  tunnel(exchange: NodeExchange): TakeTunnel | undefined {
    const { raw } = exchange;
    if (raw === undefined || !this.#allowTunnels) return undefined;
    return () => {
      detach(exchange);
      return raw;
    };
  }

  upgrade(exchange: NodeExchange): SwitchToWebSocket | undefined {
    const { raw, request } = exchange;
    if (raw === undefined || !isNodeHandshake(request)) return undefined;
    const accept = this.#webSockets.accept(request, raw.socket, raw.head);
    return (events, owner, options) => {
      detach(exchange);
      accept(events, owner, options);
    };
  }

  send(
    exchange: NodeExchange,
    head: ResponseHead,
    body: Chunk | undefined,
    reportedLength: number,
    fate: Fate,
  ): void {
    const { response } = exchange;
    const length = body === undefined ? reportedLength : Buffer.byteLength(body);
    writeHead(response, head, length, fate);
    if (length > 0 && body !== undefined) response.end(toWritable(head, body));
    else response.end();
    closeRaw(exchange);
  }

  open(exchange: NodeExchange, head: ResponseHead, fate: Fate, owner: ResponseOwner): BodyStream {
    const { response } = exchange;
    writeHead(response, head, head.statedLength, fate);
    const writer = new SlicedWriter((chunk) => response.write(toWritable(head, chunk)));
    let isEnding = false;
    const finish = () => {
      // Not given to end(): what other servers put over it, as compression() does, takes no callback.
      response.once('finish', () => owner.drained());
      response.end();
      closeRaw(exchange);
    };
    // Of a connection that was raised to a raw one, node:http tells the response nothing.
    (exchange.raw?.socket ?? response).on('drain', () => {
      if (!writer.drained()) owner.progressed();
      else if (isEnding) finish();
      else owner.drained();
    });
    return {
      write: (chunk) => writer.write(chunk),
      flushHead: () => response.flushHeaders(),
      end() {
        isEnding = writer.isWaiting;
        if (!isEnding) finish();
        return false;
      },
    };
  }

  cork(_exchange: NodeExchange, writes: () => void): void {
    writes();
  }

  cut({ request }: NodeExchange): void {
    const { socket } = request;
    setImmediate(() => socket.destroy());
  }

  watch({ request, response, raw }: NodeExchange, owner: ResponseOwner): void {
    const { socket } = request;
    const owners = this.#watched.get(socket) ?? this.#watchSocket(socket);
    owners.add(owner);
    (raw?.socket ?? response).once('close', () => {
      owners.delete(owner);
      if (!response.writableFinished) owner.aborted();
    });
    if (response.destroyed || socket.destroyed) owner.aborted();
  }

  #watchSocket(socket: Duplex): Set<ResponseOwner> {
    const owners = new Set<ResponseOwner>();
    this.#watched.set(socket, owners);
    socket.once('close', () => {
      for (const owner of owners) owner.aborted();
      owners.clear();
    });
    return owners;
  }

  receive({ request }: NodeExchange, input: RequestInput, owner: ResponseOwner): void {
    request.on('data', (bytes: Buffer) => {
      owner.arriving(true);
      RequestInput.push(input, bytes, true);
      owner.arriving(false);
    });
    request.once('end', () => {
      owner.arriving(true);
      RequestInput.end(input);
      owner.arriving(false);
    });
  }

  pause({ request }: NodeExchange): void {
    request.pause();
  }

  resume({ request }: NodeExchange): void {
    request.resume();
  }
}

/** The connection belongs to whoever takes it over. */
function detach({ raw, response }: NodeExchange): void {
  raw?.release();
  response.detachSocket(raw?.socket as Parameters<ServerResponse['detachSocket']>[0]);
}

/** @param length - the Content-Length, -1 for none */
function writeHead(response: ServerResponse, head: ResponseHead, length: number, fate: Fate): void {
  const flat: string[] = [];
  const given = listHeaders(head);
  for (let i = 0; i < given.length; i += 2) {
    const name = given[i] as string;
    const isLength = head.statedLength !== -1 && name.toLowerCase() === 'content-length';
    if (!isLength) flat.push(name, given[i + 1] as string);
  }
  if (length !== -1) flat.push('Content-Length', String(length));
  if (fate !== 'keep') flat.push('Connection', 'close');
  response.writeHead(head.code, head.status.slice(4), flat);
}

/** Node sends the first text and the head as one string, and the head's 8-bit characters as UTF-8 then. */
function toWritable(head: ResponseHead, chunk: Chunk): Chunk {
  return head.hasLatin1 && typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}

/** An Upgrade that was answered in HTTP: nobody else ends its connection. */
function closeRaw({ raw }: NodeExchange): void {
  raw?.socket.end();
}
