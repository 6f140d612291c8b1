import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { startProgram, withTimeout } from './processes.mjs';

const INSTALL_TIMEOUT_MS = 5 * 60_000;
const folder = new URL('../', import.meta.url);

/** Installs the servers of bench/package.json unless they are there. @returns their versions by package name */
export async function installPeers(report) {
  const { dependencies } = JSON.parse(await readFile(new URL('package.json', folder), 'utf8'));
  const wanted = Object.fromEntries(Object.entries(dependencies).map(([name, range]) => [name, range.split('@').at(-1)]));
  if (await areInstalled(wanted)) return wanted;
  report('Installing the servers to compare with (npm ci --prefix bench, about 10 MB, once)');
  const npm = startProgram('npm', ['ci', '--prefix', fileURLToPath(folder), '--no-audit', '--no-fund'], {
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  const [code] = await withTimeout(once(npm, 'close'), INSTALL_TIMEOUT_MS, () => {
    npm.kill();
    return new Error('npm ci --prefix bench did not end in five minutes');
  });
  if (code !== 0) throw new Error(`npm ci --prefix bench ended with code ${code}; its output is above`);
  return wanted;
}

async function areInstalled(wanted) {
  for (const [name, version] of Object.entries(wanted)) {
    try {
      const manifest = await readFile(new URL(`node_modules/${name}/package.json`, folder), 'utf8');
      if (JSON.parse(manifest).version !== version) return false;
    } catch (error) {
      if (error.code === 'ENOENT') return false;
      throw error;
    }
  }
  return true;
}
