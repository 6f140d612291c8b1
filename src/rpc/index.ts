export { type ActorCommandsOptions, type ActorMethods, actorCommands } from './actor-commands.js';
export type { Authorize } from './authorize.js';
export { JsonRpcConnectionError } from './client-errors.js';
export type { JsonRpcClientOptions } from './client-options.js';
export type { BatchEntry, JsonRpcCallOptions } from './client-types.js';
export type { JsonRpcMethodOptions } from './declare-method.js';
export type { JsonRpcHandlerOptions } from './handler-options.js';
export type { JsonKindName, JsonKinds } from './json-kind.js';
export type { JsonRpcCall, JsonRpcContext, JsonRpcId } from './json-rpc-call.js';
export type { JsonRpcBatch, JsonRpcClient } from './json-rpc-client.js';
export { JSON_RPC_CODES, JsonRpcError } from './json-rpc-error.js';
export { JsonRpcHandler } from './json-rpc-handler.js';
export type { JsonRpcSession, JsonRpcSessionOptions } from './json-rpc-session.js';
export { type JsonRpcWebSocketOptions, jsonRpcWebSocket } from './json-rpc-websocket.js';
export type { JsonRpcMethodDescription } from './method-description.js';
export type { JsonRpcMiddleware } from './method-table.js';
export type {
  JsonOf,
  JsonRpcMethods,
  JsonRpcMethodType,
  JsonRpcParam,
  JsonRpcParams,
} from './method-types.js';
export { createJsonRpcClient } from './node-client.js';
export { openrpc } from './openrpc.js';
export type {
  OpenRpcContent,
  OpenRpcDocument,
  OpenRpcInfo,
  OpenRpcMethod,
  OpenRpcOptions,
} from './openrpc-document.js';
export { type ServerCommandsOptions, serverCommands } from './server-commands.js';
