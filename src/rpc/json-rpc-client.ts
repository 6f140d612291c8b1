import { describeValue } from '../core/errors.js';
import { own } from '../core/own.js';
import { createTree } from './call-tree.js';
import { ClientCore, type Outgoing } from './client-core.js';
import {
  type JsonRpcClientOptions,
  type ResolvedClientOptions,
  resolveClientOptions,
} from './client-options.js';
import type { ConnectSocket } from './client-socket.js';
import type { JsonRpcTransport } from './client-transport.js';
import type {
  BatchEntry,
  CallTree,
  GivenParams,
  JsonRpcCallOptions,
  MethodsOf,
  ResultOf,
} from './client-types.js';
import { HttpTransport } from './http-transport.js';
import { WebSocketTransport } from './websocket-transport.js';

/** What a client has beside the server's methods. Methods of these names are reached by `call`. */
interface ClientMembers<M> {
  /**
   * Calls a method, with parameters by position or by name.
   * @throws {JsonRpcError} what the server answers; {@link JsonRpcConnectionError}; VelaError `ERR_RPC_TIMEOUT`, `ERR_RPC_ANSWER`
   * @example await client.call('calc.add', { a: 1, b: 2 })
   */
  call<const Name extends keyof M & string>(
    name: Name,
    ...params: GivenParams<M, Name, JsonRpcCallOptions>
  ): Promise<ResultOf<M, Name>>;
  /** Calls a method without an answer: resolves when the message is sent, over HTTP when the server has taken it. */
  notify<const Name extends keyof M & string>(
    name: Name,
    ...params: GivenParams<M, Name, JsonRpcCallOptions>
  ): Promise<void>;
  /**
   * Sends several calls as one message, and gives what became of each, in order.
   * @example const [sum, user] = await client.batch((b) => [b.calc.add(1, 2), b.call('find', { name: 'Ann' })])
   */
  batch<const Entries extends readonly BatchEntry<unknown>[]>(
    build: (batch: JsonRpcBatch<M>) => Entries,
    options?: JsonRpcCallOptions,
  ): Promise<{
    -readonly [Index in keyof Entries]: PromiseSettledResult<
      Entries[Index] extends BatchEntry<infer Result> ? Result : never
    >;
  }>;
  /** Ends its connections; calls under way reject. */
  close(): Promise<void>;
}

interface BatchMembers<M> {
  call<const Name extends keyof M & string>(
    name: Name,
    ...params: GivenParams<M, Name, never>
  ): BatchEntry<ResultOf<M, Name>>;
  notify<const Name extends keyof M & string>(
    name: Name,
    ...params: GivenParams<M, Name, never>
  ): BatchEntry<undefined>;
}

/** What a batch is built with: as the client, but that nothing is sent yet. */
export type JsonRpcBatch<M> = BatchMembers<M> & CallTree<M, 'entry', keyof BatchMembers<M>>;

/** A client of a handler, of its type: `client.calc.add(1, 2)`. */
export type JsonRpcClient<H = unknown> = ClientMembers<MethodsOf<H>> &
  CallTree<MethodsOf<H>, 'promise', keyof ClientMembers<MethodsOf<H>>>;

/**
 * A client of a JSON-RPC server.
 * @param connect - how it opens a WebSocket
 * @param base - what a URL without a scheme and host is relative to
 * @throws {TypeError}
 */
export function createClient<H>(
  url: string | URL,
  options: JsonRpcClientOptions,
  connect: ConnectSocket,
  base?: string,
): JsonRpcClient<H> {
  const settings = resolveClientOptions(options);
  const core = new ClientCore(createTransport(url, base, settings, connect), settings);
  const send = (method: string, params: unknown, isNotification: boolean, given: JsonRpcCallOptions = {}) =>
    own((async () => core.send(outgoing(method, params, isNotification), given))());
  const members: ClientMembers<Record<string, never>> = {
    call: (name: string, params?: unknown, given?: JsonRpcCallOptions) =>
      send(name, params, false, given) as Promise<never>,
    notify: (name: string, params?: unknown, given?: JsonRpcCallOptions) =>
      send(name, params, true, given) as Promise<never>,
    batch: (build: (batch: never) => unknown, given: JsonRpcCallOptions = {}) =>
      own(sendBatch(core, build, given)) as Promise<never>,
    close: () => own(core.close()),
  };
  return createTree(members, (name, args) => send(name, args, false)) as JsonRpcClient<H>;
}

/** A call of a batch, as it is kept. */
class Entry {
  readonly outgoing: Outgoing;

  constructor(call: Outgoing) {
    this.outgoing = call;
  }
}

async function sendBatch(
  core: ClientCore,
  build: (batch: never) => unknown,
  options: JsonRpcCallOptions,
): Promise<unknown> {
  if (typeof build !== 'function')
    throw new TypeError(
      `batch() takes a function that gives its calls, (b) => [b.call('add', [1, 2])]; received ${describeValue(build)}`,
    );
  const members = {
    call: (name: string, params?: unknown) => new Entry(outgoing(name, params, false)),
    notify: (name: string, params?: unknown) => new Entry(outgoing(name, params, true)),
  };
  const entries: unknown = build(createTree(members, (name, args) => members.call(name, args)) as never);
  if (!Array.isArray(entries) || !entries.every((one) => one instanceof Entry))
    throw new TypeError(
      `The function of batch() gives a list of calls, (b) => [b.call('add', [1, 2])]; it gave ${describeValue(entries)}`,
    );
  return await core.sendBatch(
    entries.map((entry) => entry.outgoing),
    options,
  );
}

/** @throws {TypeError} */
function outgoing(method: unknown, params: unknown, isNotification: boolean): Outgoing {
  if (typeof method !== 'string')
    throw new TypeError(
      `A method is called by its name, such as 'calc.add'; received ${describeValue(method)}`,
    );
  if (params !== undefined && (typeof params !== 'object' || params === null))
    throw new TypeError(
      `Parameters of "${method}" are a list or an object, [1, 2] or { a: 1 }; received ${describeValue(params)}`,
    );
  return { method, params: Array.isArray(params) ? trimEnd(params) : params, isNotification };
}

/** JSON has no undefined: what is left out at the end is not sent; without anything there are no `params`. */
function trimEnd(params: readonly unknown[]): readonly unknown[] | undefined {
  const length = params.findLastIndex((value) => value !== undefined) + 1;
  return length === 0 ? undefined : params.slice(0, length);
}

function createTransport(
  url: string | URL,
  base: string | undefined,
  settings: ResolvedClientOptions,
  connect: ConnectSocket,
): JsonRpcTransport {
  const { headers, limitBytes, fetch: fetchFunction } = settings;
  const text = String(url);
  const { protocol, href } = URL.canParse(text, base) ? new URL(text, base) : { protocol: '', href: '' };
  if (protocol === 'http:' || protocol === 'https:')
    return new HttpTransport(href, headers, limitBytes, fetchFunction);
  if (protocol === 'ws:' || protocol === 'wss:')
    return new WebSocketTransport({ url: href, headers, limitBytes }, connect);
  throw new TypeError(
    `createJsonRpcClient() takes a URL of http, https, ws or wss, 'http://127.0.0.1:8060/rpc'; received ${describeValue(text)}`,
  );
}
