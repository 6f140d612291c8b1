export type { SocketEnd } from '../gateway/memory-websocket.js';
export { type TestClient, type TestClientOptions, testClient } from './test-client.js';
export type { TestHandshake } from './test-handshake.js';
export type { TestRequest } from './test-request.js';
export type { TestResponse } from './test-response.js';
export type { TestWebSocket } from './test-websocket.js';
