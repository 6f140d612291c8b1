/** `vela/adapters`: applications of other kinds in Vela, and Vela's in other servers. */
export { fromNode } from './from-node.js';
export type { NodeListener } from './node-exchange.js';
