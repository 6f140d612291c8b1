/**
 * Builds dist from src, from empty: `npm run build`. With `--if-stale` it first looks whether anything changed.
 *
 * tsc checks and writes the types, a file for each of src. esbuild writes the JavaScript: a file for each entry point, and in
 * dist/chunks what several of them share, which is there once in a process, whichever of them it has loaded. Some 430 modules
 * one by one would cost each process twice the time to load, and 8 MB. For tests and benchmarks of parts, .modules has
 * each module of src by itself.
 *
 * The time stamp of the folder dist is the time at which its build began.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = `${root}dist`;
const modules = `${root}.modules`;
/** Written here first: who runs what is built meanwhile, runs the old until the new is whole. As deep as what they become. */
const [nextDist, nextModules] = [`${root}.dist-next`, `${root}.modules-next`];
const INPUTS = ['src', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];
/** How the code says what is run by itself: see src/core/boot-file.ts. */
const BOOT_FILE = /\bbootFile\('([\w/-]+)'\)/g;
/** esbuild calls a class that speaks of itself `_Router`, and so would errors and the console. */
const RENAMED_CLASS = /\bvar (\w+) = class _\1\b/g;

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
  return (
    !existsSync(dist) ||
    !existsSync(modules) ||
    INPUTS.some((input) => newestMs(`${root}${input}`) >= statSync(dist).mtimeMs)
  );
}

/** Builds from empty. @returns whether it succeeded; the compiler has said why not. */
function build() {
  const started = new Date();
  for (const folder of [nextDist, nextModules]) empty(folder);
  const tsc = fileURLToPath(import.meta.resolve('typescript/bin/tsc'));
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', nextDist], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) return false;
  const sources = listSources();
  bundle(sources);
  transpile({ entryPoints: sources, outdir: nextModules });
  utimesSync(nextDist, started, started);
  replace(dist, nextDist);
  replace(modules, nextModules);
  return true;
}

function empty(folder) {
  rmSync(folder, { recursive: true, force: true });
}

function replace(folder, next) {
  empty(folder);
  renameSync(next, folder);
}

/** Writes the JavaScript of dist. */
function bundle(sources) {
  const { metafile } = transpile({
    entryPoints: listEntries(sources),
    outdir: nextDist,
    bundle: true,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    packages: 'external',
    metafile: true,
  });
  for (const file of Object.keys(metafile.outputs).filter((name) => name.endsWith('.js'))) {
    const text = readFileSync(`${root}${file}`, 'utf8');
    const names = [...text.matchAll(RENAMED_CLASS)].map(([, name]) => name);
    // A blank in the place of the line keeps columns of source maps.
    const mended = names.reduce(
      (mending, name) => mending.replaceAll(RegExp(`\\b_${name}\\b`, 'g'), ` ${name}`),
      text,
    );
    if (mended !== text) writeFileSync(`${root}${file}`, mended);
  }
}

/** What package.json exports, the command, and what is run by itself. */
function listEntries(sources) {
  const { exports, bin } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  const named = [...Object.values(exports).flatMap((one) => one.default ?? []), ...Object.values(bin)];
  const booted = sources.flatMap((source) =>
    [...readFileSync(`${root}${source}`, 'utf8').matchAll(BOOT_FILE)].map(([, path]) => `src/${path}.ts`),
  );
  return [...named.map((path) => path.replace(/^(\.\/)?dist\/(.*)\.js$/, 'src/$2.ts')), ...new Set(booted)];
}

function listSources() {
  return readdirSync(`${root}src`, { recursive: true })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => `src/${path.replaceAll('\\', '/')}`);
}

function transpile(options) {
  return buildSync({
    absWorkingDir: root,
    outbase: 'src',
    format: 'esm',
    platform: 'node',
    target: 'node20.18',
    sourcemap: true,
    // The package has src.
    sourcesContent: false,
    ...options,
  });
}

/** The newest change under a path; folders count, so that a deleted file is noticed. */
function newestMs(path) {
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  return readdirSync(path).reduce((newest, name) => Math.max(newest, newestMs(`${path}/${name}`)), mtimeMs);
}
