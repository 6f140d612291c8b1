import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onCores } from './cores.mjs';
import { startProgram, withTimeout } from './processes.mjs';

const script = fileURLToPath(new URL('wrk.lua', import.meta.url));

/** Time that wrk gets beyond its window to connect and to report. */
const GRACE_SECONDS = 15;
const STOP_AGAIN_MS = 1000;

export const wrkMissing = `wrk is not installed. It makes the load: a small program that leaves the processor to the server.
  Debian, Ubuntu:  apt-get install wrk
  macOS:           brew install wrk
  other systems:   https://github.com/wg/wrk`;

/** Gives wrk's version, or undefined when it is not installed. */
export async function findWrk() {
  const wrk = startProgram('wrk', ['--version'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = readAll(wrk.stdout);
  try {
    await withTimeout(once(wrk, 'close'), 5_000, () => new Error('wrk --version did not end'));
    return /^wrk (?:debian\/)?(\S+)/.exec(await output)?.[1] ?? 'unknown';
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Loads a server for some seconds with one request.
 * @returns {Promise<{ requests: number, bytes: number, durationUs: number, p50Us: number, p99Us: number }>}
 * @throws when a socket failed or an answer was not 2xx
 */
export async function load(url, request, { seconds, connections, pipeline, cores }) {
  const headers = Object.entries(request.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const limit = `${Math.ceil(seconds) + GRACE_SECONDS}s`;
  const options = ['-t', '1', '-c', String(connections), '-d', limit, '--timeout', limit, '-s', script, ...headers];
  const scriptArguments = [pipeline, request.method, request.bodyBytes, request.body ?? ''].map(String);
  const [program, ...args] = onCores(cores?.generator, ['wrk', ...options, url, '--', ...scriptArguments]);
  const wrk = startProgram(program, args, { stdio: ['ignore', 'pipe', 2] });
  const output = readAll(wrk.stdout);
  // wrk takes whole seconds only; on SIGINT it stops and reports the time that it ran. One that comes before its main
  // thread sleeps does not wake it, as happens on a busy machine: so it is said again.
  let stop;
  wrk.stdout.once('data', () => {
    stop = setTimeout(() => {
      wrk.kill('SIGINT');
      stop = setInterval(() => wrk.kill('SIGINT'), STOP_AGAIN_MS);
    }, seconds * 1000);
  });
  try {
    await withTimeout(once(wrk, 'close'), (seconds + GRACE_SECONDS) * 1000, () => {
      wrk.kill('SIGKILL');
      return new Error(`wrk did not end in time against ${url}`);
    });
  } finally {
    clearTimeout(stop);
  }
  return checkReport(await output);
}

function checkReport(output) {
  const line = output.split('\n').find((one) => one.startsWith('{'));
  if (line === undefined) throw new Error(`wrk gave no report:\n${output}`);
  const report = JSON.parse(line);
  const failed = Object.entries(report.errors).filter(([, count]) => count > 0);
  if (failed.length > 0) throw new Error(`wrk saw errors: ${failed.map(([kind, count]) => `${count} ${kind}`).join(', ')}`);
  return report;
}

async function readAll(stream) {
  let text = '';
  for await (const part of stream.setEncoding('utf8')) text += part;
  return text;
}
