import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { HASH_THREADS } from './executor-answers.mjs';
import { startProgram, withTimeout } from './processes.mjs';

const START_TIMEOUT_MS = 10_000;
const VERSION_TIMEOUT_MS = 5_000;
const app = fileURLToPath(new URL('../servers/executor', import.meta.url));

/** Gives gunicorn's version, or undefined when it is not installed. */
export async function findGunicorn() {
  const gunicorn = startProgram('gunicorn', ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  gunicorn.stdout.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  try {
    await withTimeout(once(gunicorn, 'close'), VERSION_TIMEOUT_MS, () => new Error('gunicorn --version did not end'));
    return /version (\S+?)\)?\s/.exec(text)?.[1];
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Starts gunicorn with one worker of the kind gthread; it tells on its standard error where it listens. */
export async function startGunicorn(server) {
  const kind = ['--workers', '1', '--worker-class', 'gthread', '--threads', String(HASH_THREADS), '--keep-alive', '60'];
  const args = ['--chdir', app, '--bind', '127.0.0.1:0', ...kind, 'hash_app:app'];
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
  const gunicorn = startProgram('gunicorn', args, { stdio: ['ignore', 2, 'pipe'], env }, 'SIGTERM');
  const stop = async () => {
    if (gunicorn.exitCode !== null || gunicorn.signalCode !== null) return;
    const exit = once(gunicorn, 'exit');
    gunicorn.kill('SIGTERM');
    await exit;
  };
  try {
    const url = await withTimeout(findUrl(gunicorn), START_TIMEOUT_MS, () => new Error('gunicorn did not start'));
    return { server, url: `${url}/`, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Reads on, so that it never waits for somebody to read what it says. */
function findUrl(gunicorn) {
  return new Promise((resolve, reject) => {
    let text = '';
    gunicorn.stderr.setEncoding('utf8').on('data', (part) => {
      if (text.includes('Booting worker')) return;
      text += part;
      const url = /Listening at: (http:\S+)/.exec(text)?.[1];
      if (url !== undefined && text.includes('Booting worker')) resolve(url);
    });
    gunicorn.once('exit', (code) => reject(new Error(`gunicorn ended with code ${code}: ${text}`)));
    gunicorn.once('error', reject);
  });
}
