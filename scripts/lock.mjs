/**
 * Keeps package-lock.json complete and free of hosts: `npm run lock` mends it, `npm run lock -- --check` only looks.
 *
 * Native packages ship one optional package per platform. npm leaves those that the registry in use does not
 * carry out of the lock, and then its own `npm ci` refuses the lock ("Missing: … from lock file"). This adds
 * them: version from the dependent, platform from the package's name, the rest from a sibling. They carry no
 * integrity, which npm accepts. It also drops `resolved`, which names the registry that happened to be used.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const LOCK = 'package-lock.json';
const SYSTEMS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const PROCESSORS = ['arm64', 'arm', 'x64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x'];

const lock = JSON.parse(readFileSync(LOCK, 'utf8'));
const added = addMissingOptionals(lock.packages);
const resolved = Object.values(lock.packages).filter((entry) => entry.resolved !== undefined && !entry.link);

if (process.argv.includes('--check')) {
  for (const name of added) console.error(`${LOCK}: ${name} is missing`);
  if (resolved.length > 0)
    console.error(`${LOCK}: ${resolved.length} entries name a registry host ("resolved")`);
  process.exitCode = added.length + resolved.length > 0 ? 1 : 0;
} else if (added.length + resolved.length > 0) {
  for (const entry of resolved) delete entry.resolved;
  lock.packages = Object.fromEntries(
    Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')),
  );
  writeFileSync(LOCK, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`${LOCK}: added ${added.length} platform packages, dropped ${resolved.length} hosts`);
} else {
  console.log(`${LOCK}: complete`);
}

/** Adds an entry for every optional dependency that has none; returns their names. */
function addMissingOptionals(packages) {
  const names = [];
  for (const [location, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (findInstalled(packages, location, name) !== undefined) continue;
      const siblings = Object.keys(entry.optionalDependencies)
        .map((other) => ({ name: other, entry: findInstalled(packages, location, other) }))
        .filter((other) => other.entry !== undefined);
      packages[`node_modules/${name}`] = describe(name, version, entry, siblings);
      names.push(`${name}@${version}`);
    }
  }
  return names;
}

/** Looks a package up as Node does: nearest node_modules first. */
function findInstalled(packages, location, name) {
  for (let from = location; ; from = from.slice(0, Math.max(0, from.lastIndexOf('node_modules/') - 1))) {
    const found = packages[`${from === '' ? '' : `${from}/`}node_modules/${name}`];
    if (found !== undefined || from === '') return found;
  }
}

/** Builds the lock entry of a platform package from its name and the sibling whose name ends most like it. */
function describe(name, version, dependent, siblings) {
  if (!/^\d+\.\d+\.\d+/.test(version))
    throw new Error(`${name}: expected an exact version; received ${version}`);
  const words = name.slice(name.lastIndexOf('/') + 1).split('-');
  const os = SYSTEMS.find((system) => words.includes(system));
  const cpu = PROCESSORS.find((processor) => words.includes(processor));
  if (os === undefined || cpu === undefined)
    throw new Error(`${name}: cannot tell its platform; add it by hand`);
  siblings.sort((a, b) => commonSuffix(b.name, name) - commonSuffix(a.name, name));
  const sibling = siblings[0]?.entry;
  return {
    version,
    cpu: [cpu],
    ...(dependent.dev && { dev: true }),
    ...(os === 'linux' && { libc: libcOf(words, siblings) }),
    ...(sibling?.license && { license: sibling.license }),
    optional: true,
    os: [os],
    ...(sibling?.engines && { engines: sibling.engines }),
  };
}

/** The C library: said by the name (gnu, musl), or else that of a Linux sibling. */
function libcOf(words, siblings) {
  if (words.some((word) => word.startsWith('musl'))) return ['musl'];
  if (words.some((word) => word.startsWith('gnu'))) return ['glibc'];
  return siblings.find(({ entry }) => entry.os?.includes('linux'))?.entry.libc;
}

function commonSuffix(a, b) {
  let length = 0;
  while (length < a.length && a.at(-1 - length) === b.at(-1 - length)) length++;
  return length;
}
