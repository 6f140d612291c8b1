/** `vela/adapters`: applications of other kinds in Vela, and Vela's in other servers. */
export type { HostedPart, HostOptions } from './app-host.js';
export {
  type FetchContext,
  type FetchFunction,
  type FetchHandler,
  type FromFetchOptions,
  fromFetch,
} from './from-fetch.js';
export { fromNode } from './from-node.js';
export type { NodeListener } from './node-exchange.js';
export { type FetchApp, type ToFetchOptions, toFetch } from './to-fetch.js';
export { type NodeApp, type NodeNext, toNode } from './to-node.js';
