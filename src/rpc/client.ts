export { createJsonRpcClient } from './browser-client.js';
export { JsonRpcConnectionError } from './client-errors.js';
export type { JsonRpcClientOptions } from './client-options.js';
export type { BatchEntry, JsonRpcCallOptions } from './client-types.js';
export type { JsonRpcBatch, JsonRpcClient } from './json-rpc-client.js';
export { JSON_RPC_CODES, JsonRpcError } from './json-rpc-error.js';
