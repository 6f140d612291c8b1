import { WsgiServer } from '../server/wsgi-server.js';

/** A kind of application that is no WSGI one, and the methods that tell it. The first that fits. */
const KINDS: readonly {
  readonly what: string;
  readonly methods: readonly string[];
  readonly adapter: string;
}[] = [
  { what: 'a Fastify application', methods: ['inject', 'register', 'listen'], adapter: 'fromNode()' },
  { what: 'a Koa application', methods: ['use', 'callback', 'listen'], adapter: 'fromNode()' },
  { what: 'an Express application', methods: ['use', 'handle', 'listen'], adapter: 'fromNode()' },
  { what: 'a fetch application', methods: ['fetch'], adapter: 'fromFetch()' },
  { what: 'a server of node:http', methods: ['listen', 'address', 'close'], adapter: 'fromNode()' },
];

/** What an export is, if it is an application of another kind, and what to do with it; undefined when it is none. */
export function findForeign(value: unknown, file: string): string | undefined {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return undefined;
  if (value instanceof WsgiServer)
    return `a WsgiServer, which is a program of its own: run it with node ${file}, or export the application that it was given`;
  const methods = value as Readonly<Record<string, unknown>>;
  const kind = KINDS.find((one) => one.methods.every((name) => typeof methods[name] === 'function'));
  if (kind === undefined) return undefined;
  return `${kind.what}, as it has ${kind.methods.join(', ')}: vela serves WSGI applications only; the adapter for it, ${kind.adapter}, is still to come, so run it with node ${file}`;
}
