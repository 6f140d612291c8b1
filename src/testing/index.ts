export { type TestClient, type TestClientOptions, type TestRequest, testClient } from './test-client.js';
export type { TestResponse } from './test-response.js';
