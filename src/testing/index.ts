export { type TestClient, type TestClientOptions, testClient } from './test-client.js';
export type { TestRequest } from './test-request.js';
export type { TestResponse } from './test-response.js';
