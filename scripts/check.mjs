/** Runs every static check, then names those that failed and what to do about each: `npm run check`. */
import { spawnSync } from 'node:child_process';

const STEPS = [
  {
    script: 'check:style',
    about: 'format and lint',
    remedy: 'run `npm run fix`, then mend what is left by hand',
  },
  {
    script: 'check:types',
    about: 'types',
    remedy: 'mend the types; `npm run check:types` repeats this step alone',
  },
  { script: 'check:layers', about: 'import rules', remedy: 'see "Layers" in CONTRIBUTING.md' },
  { script: 'check:dead', about: 'dead code', remedy: 'delete what nothing uses, or use it' },
  {
    script: 'check:settings',
    about: 'types and docs of settings',
    remedy: 'run `node scripts/generate-settings.mjs`',
  },
  { script: 'check:docs', about: 'docs', remedy: 'mend the block or link; mark a fragment ```ts no-check' },
  { script: 'check:lock', about: 'package-lock.json', remedy: 'run `npm run lock`' },
];

const failed = STEPS.filter(({ script, about }) => {
  console.log(`\n--- ${about} (npm run ${script})`);
  const { status } = spawnSync('npm', ['run', '--silent', script], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  return status !== 0;
});

console.log('');
for (const { about, remedy } of failed) console.error(`check failed: ${about}. What to do: ${remedy}.`);
if (failed.length === 0) console.log(`check passed: ${STEPS.map(({ about }) => about).join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
