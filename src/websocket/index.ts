export type { SendResult } from './session.js';
export { type HandshakeRequest, websocket } from './websocket.js';
export { WebSocketClose } from './websocket-close.js';
export { type Sendable, WebSocketConnection } from './websocket-connection.js';
export type { WebSocketHandlers, WebSocketLoop } from './websocket-handlers.js';
export { WebSocketMessage } from './websocket-message.js';
export type { WebSocketOptions } from './websocket-options.js';
