import type { Test } from 'tap';
import { type App, type Logger, lint, type Middleware } from '../../src/index.js';
import {
  testClient as createClient,
  type TestClient,
  type TestClientOptions,
  type TestRequest,
} from '../../src/testing/index.js';

/** A testClient that writes no log, as most errors here are provoked. */
export function testClient(app: App | Middleware, options: TestClientOptions = {}): TestClient {
  return createClient(app, options === null ? options : { logLevel: 'silent', ...options });
}

/** A linted client that is closed with its test. */
export function client(test: Test, app: App | Middleware, options?: TestClientOptions): TestClient {
  const made = testClient(lint(app as App), options);
  test.teardown(() => made.close());
  return made;
}

/** What one request of an app's answers. */
export async function ask(
  test: Test,
  app: App | Middleware,
  target = '/',
  request: TestRequest = {},
  options?: TestClientOptions,
) {
  const response = await client(test, app, options).request(target, request);
  return { response, text: await response.text() };
}

/** A logger that keeps its lines. */
export function recorder(): Logger & {
  lines: { level: string; details: Record<string, unknown>; message: string }[];
} {
  const lines: { level: string; details: Record<string, unknown>; message: string }[] = [];
  const at = (level: string) => (details: object, message: string) => {
    lines.push({ level, details: details as Record<string, unknown>, message });
  };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
