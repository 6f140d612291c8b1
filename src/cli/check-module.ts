import { parseCommandLine } from '../app/command-line.js';
import { loadSettings } from '../app/load-settings.js';
import type { App } from '../core/contract.js';
import { describeValue, ImproperlyConfigured, toError } from '../core/errors.js';
import { lint } from '../core/lint.js';
import { testClient } from '../testing/test-client.js';
import { INTERFACES, type Interface } from './adapt-foreign.js';
import { loadApp } from './load-app.js';

/** From here on a status says that the application failed. */
const SERVER_ERROR = 500;

/**
 * Loads an application, starts it, sends it a request in memory under lint, and stops it; says how each went.
 * @returns whether all went well
 * @throws {ImproperlyConfigured} for wrong settings, and for a module that has no application; what the module throws
 */
export async function checkModule(
  module: string,
  { path, timeoutMs, interface: kind }: { path: string; timeoutMs: string; interface?: string },
): Promise<boolean> {
  const deadline = AbortSignal.timeout(readTimeout(timeoutMs));
  const { settings } = (await loadSettings(parseCommandLine([])))();
  say('ok', 'the settings of environment and config file are good');
  const { app, file, name, isAdapted } = await bound(
    loadApp(module, readInterface(kind)),
    deadline,
    'the module did not load',
  );
  say('ok', `${file} exports an application, "${name}"`);
  const { debug, requestTimeoutMs, stallTimeoutMs, maxBodyBytes, threadWorkers, logLevel } = settings;
  const options = { debug, requestTimeoutMs, stallTimeoutMs, maxBodyBytes, threadWorkers, logLevel };
  const client = testClient(tellingStart(isAdapted ? app : lint(app)), options);
  try {
    const answer = client.get(path, { signal: deadline }).then(async (response) => {
      const { length } = await response.bytes();
      return `${response.statusLine}, ${length} bytes`;
    });
    const answered = await bound(answer, deadline, 'it was not answered');
    const isGood = Number(answered.slice(0, 3)) < SERVER_ERROR;
    say(isGood ? 'ok' : 'error', `GET ${path} was answered ${answered}`);
    await bound(client.close(), deadline, 'it did not stop');
    say('ok', 'it stopped');
    return isGood;
  } catch (error) {
    say('error', toError(error).message);
    // What has started is stopped all the same; the first error is the one to be told.
    await bound(client.close(), deadline, 'it did not stop').catch(() => undefined);
    return false;
  }
}

/** Says when the application has started. */
function tellingStart(app: App): App {
  const start = app.start?.bind(app);
  return Object.assign(app, {
    async start(context: Parameters<NonNullable<App['start']>>[0]) {
      await start?.(context);
      say('ok', 'it started');
    },
  });
}

/** @throws when the time is over */
async function bound<T>(work: Promise<T>, deadline: AbortSignal, what: string): Promise<T> {
  let onAbort: (() => void) | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(new Error(`${what} in time: see --timeout-ms`));
    if (deadline.aborted) onAbort();
    else deadline.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    if (onAbort !== undefined) deadline.removeEventListener('abort', onAbort);
  }
}

/** @throws {ImproperlyConfigured} */
function readInterface(text: string | undefined): Interface | undefined {
  const found = INTERFACES.find((one) => one === text);
  if (text === undefined || found !== undefined) return found;
  throw new ImproperlyConfigured(
    `--interface takes ${INTERFACES.join(', ')}; received ${describeValue(text)}`,
  );
}

/** @throws {ImproperlyConfigured} */
function readTimeout(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new ImproperlyConfigured(
    `--timeout-ms must be a whole number of ms from 1 to 999999999; received ${describeValue(text)}`,
  );
}

function say(state: 'ok' | 'error', text: string): void {
  process.stdout.write(`${state.padEnd(5)}  ${text}\n`);
}
