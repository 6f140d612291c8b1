/**
 * Compiles src into dist, from empty: `npm run build`. With `--if-stale` it first looks whether anything changed.
 *
 * The time stamp of the folder dist is the time at which its build began.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = `${root}dist`;
const INPUTS = ['src', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const built = process.argv.includes('--if-stale') ? buildIfStale() : build();
  if (!built) process.exitCode = 1;
}

/** Builds when dist is missing or older than its inputs. @returns whether dist is good. */
export function buildIfStale() {
  if (!isStale()) return true;
  console.error(`Building dist, because ${existsSync(dist) ? 'src is newer' : 'it is not built yet'} ...`);
  return build();
}

/** Whether dist is missing or older than its inputs. */
export function isStale() {
  return !existsSync(dist) || INPUTS.some((input) => newestMs(`${root}${input}`) >= statSync(dist).mtimeMs);
}

/** Builds from empty. @returns whether it succeeded; the compiler has said why not. */
function build() {
  const started = new Date();
  rmSync(dist, { recursive: true, force: true });
  const tsc = fileURLToPath(import.meta.resolve('typescript/bin/tsc'));
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status === 0) utimesSync(dist, started, started);
  return status === 0;
}

/** The newest change under a path; folders count, so that a deleted file is noticed. */
function newestMs(path) {
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  return readdirSync(path).reduce((newest, name) => Math.max(newest, newestMs(`${path}/${name}`)), mtimeMs);
}
