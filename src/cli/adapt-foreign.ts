import type { Server } from 'node:http';
import { type FetchHandler, fromFetch } from '../adapters/from-fetch.js';
import { fromNode } from '../adapters/from-node.js';
import type { NodeListener } from '../adapters/node-exchange.js';
import type { App } from '../core/contract.js';
import { ImproperlyConfigured } from '../core/errors.js';
import { WsgiServer } from '../server/wsgi-server.js';

/** What an export is taken for: `wsgi` is `(environ, startResponse)`, `node` `(request, response)`, `fetch` `(request)`. */
export const INTERFACES = ['wsgi', 'node', 'fetch'] as const;
export type Interface = (typeof INTERFACES)[number];

/** An application of another kind. */
interface Kind {
  readonly what: string;
  /** All of them are there, as functions. */
  readonly methods: readonly string[];
  adapt(value: never): App;
}

interface Fastify {
  readonly routing: NodeListener;
  ready(): PromiseLike<unknown>;
  close(): PromiseLike<unknown>;
}

/** The first that fits. */
const KINDS: readonly Kind[] = [
  { what: 'a Fastify application', methods: ['inject', 'register', 'routing'], adapt: adaptFastify },
  {
    what: 'a Koa application',
    methods: ['use', 'callback', 'listen'],
    adapt: (koa: { callback(): NodeListener }) => fromNode(koa.callback()),
  },
  { what: 'an Express application', methods: ['use', 'handle', 'listen'], adapt: fromNode },
  {
    what: 'a server of node:http',
    methods: ['listen', 'address', 'close'],
    adapt: (server: Server) => fromNode((request, response) => server.emit('request', request, response)),
  },
  { what: 'a fetch application', methods: ['fetch'], adapt: fromFetch },
];

/** What an export is, if it is an application of another kind; undefined when it is none. */
export function findForeign(value: unknown): Pick<Kind, 'what'> | undefined {
  return findKind(value);
}

/**
 * Makes an application of an export: of which kind it is is told by its methods, never by how many parameters it has, or by the
 * flag `--interface`. Undefined when it is an application already, or none at all.
 * @throws {ImproperlyConfigured} for a program of its own, and for a function that cannot be what was said
 */
export function adaptForeign(value: unknown, file: string, given: Interface | undefined): App | undefined {
  if (value instanceof WsgiServer)
    throw new ImproperlyConfigured(
      `${file} exports a WsgiServer, which is a program of its own: run it with node ${file}, or export the application that it was given`,
    );
  if (given === 'wsgi') return undefined;
  const kind = findKind(value);
  if (kind !== undefined) return kind.adapt(value as never);
  if (given === 'fetch') return fromFetch(value as FetchHandler);
  return given === 'node' ? fromNode(value as NodeListener) : undefined;
}

function findKind(value: unknown): Kind | undefined {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return undefined;
  const methods = value as Readonly<Record<string, unknown>>;
  return KINDS.find((one) => one.methods.every((name) => typeof methods[name] === 'function'));
}

/** It is made ready before the first request, and closed after the last. */
function adaptFastify(fastify: Fastify): App {
  let listener: App | undefined;
  return {
    async start() {
      await fastify.ready();
      listener = fromNode(fastify.routing);
    },
    async stop() {
      await fastify.close();
    },
    handle: (environ, startResponse) => (listener as ReturnType<typeof fromNode>)(environ, startResponse),
  };
}
