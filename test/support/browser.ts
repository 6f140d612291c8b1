/**
 * Debian's chromium, driven by playwright-core: it judges what browsers make of our responses. Where chromium-headless-shell is
 * installed it is that: the same browser without windows, for half the time.
 */
import { accessSync, constants } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';
import type { Test } from 'tap';
import { type App, type Server, type ServerOptions, serve } from '../../src/index.js';

const CHROMIUM = '/usr/bin/chromium';
const HEADLESS_SHELL = '/usr/bin/chromium-headless-shell';
const EXECUTABLE = process.env.CHROMIUM_PATH ?? (isProgram(HEADLESS_SHELL) ? HEADLESS_SHELL : CHROMIUM);
const LAUNCH_MS = 30_000;
/** Longest wait for anything that a page should do at once. */
const PAGE_MS = 30_000;
const CLOSE_MS = 5000;
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Hosts that are no loopback by name, and so no secure context over http.
  '--host-resolver-rules=MAP *.test 127.0.0.1',
];
const GATEWAYS = ['uws', 'node'] as const;

/** Why tests in a browser are skipped; false where there is one, and in CI, where a missing one is a failure. */
export const skipsBrowser: string | false =
  isProgram(EXECUTABLE) || process.env.CI !== undefined
    ? false
    : `there is no chromium at ${EXECUTABLE}: install it, or name another with CHROMIUM_PATH`;

let launched: Promise<Browser> | undefined;

/** What a test in a browser works with. */
export interface Scene {
  readonly gateway: 'uws' | 'node';
  readonly page: Page;
  readonly context: BrowserContext;
  /** The server of the test's application: `http://127.0.0.1:PORT`, or https with TLS. */
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  /** A further server, closed with the test. Gives its port. */
  serve(app: App): Promise<number>;
}

/** What a test's server and browser context are made with. */
export interface SceneOptions {
  readonly server?: ServerOptions;
  readonly context?: BrowserContextOptions;
  /** The host in `url`. @defaultValue `127.0.0.1`; `localhost` with TLS */
  readonly host?: string;
}

/** A test on each gateway, with a server and an empty browser context of its own. */
export function browserTest(
  t: Test,
  name: string,
  createApp: () => App,
  check: (t: Test, scene: Scene) => Promise<void>,
  options: SceneOptions = {},
): void {
  for (const gateway of GATEWAYS) {
    t.test(`${name} (${gateway})`, { skip: skipsBrowser }, async (t) => {
      const open = async (app: App, more: ServerOptions = {}) => {
        const server = await serve(app, { bind: '127.0.0.1:0', gateway, logLevel: 'silent', ...more });
        t.teardown(() => server.close({ timeoutMs: 1000 }));
        return server;
      };
      const portOf = (server: Server) => (server.address as { port: number }).port;
      const hasTls = options.server?.certFile !== undefined;
      const server = await open(createApp(), options.server);
      const port = portOf(server);
      const host = options.host ?? (hasTls ? 'localhost' : '127.0.0.1');
      const url = `${hasTls ? 'https' : 'http'}://${host}:${port}`;
      const { context, page } = await openPage(t, { ignoreHTTPSErrors: hasTls, ...options.context });
      await check(t, {
        gateway,
        page,
        context,
        url,
        port,
        server,
        serve: async (app) => portOf(await open(app)),
      });
    });
  }
}

/** A page in an empty context, closed with the test. */
export async function openPage(
  t: Test,
  options: BrowserContextOptions = {},
): Promise<{ context: BrowserContext; page: Page }> {
  const context = await (await openBrowser()).newContext(options);
  context.setDefaultTimeout(PAGE_MS);
  t.teardown(() => withinMs(context.close(), CLOSE_MS, 'closing a browser context'));
  return { context, page: await context.newPage() };
}

/** The one browser of a test file. Close it with {@link closeBrowser}. */
function openBrowser(): Promise<Browser> {
  launched ??= chromium.launch({
    executablePath: EXECUTABLE,
    headless: true,
    args: FLAGS,
    timeout: LAUNCH_MS,
  });
  return launched;
}

/** For the file's teardown. */
export async function closeBrowser(): Promise<void> {
  const browser = await launched?.catch(() => undefined);
  launched = undefined;
  await withinMs(browser?.close() ?? Promise.resolve(), CLOSE_MS, 'closing the browser');
}

/** With SCREENSHOTS=1: writes the picture of a page for the docs. */
export async function picture(page: Page, name: string): Promise<void> {
  if (process.env.SCREENSHOTS === undefined) return;
  await page.screenshot({ path: fileURLToPath(new URL(`../../docs/images/${name}.png`, import.meta.url)) });
}

/** Waits until something is so. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = PAGE_MS,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}

async function withinMs(promise: Promise<unknown>, timeoutMs: number, what: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
