/** Runs every static check, then names those that failed and what to do about each: `npm run check`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

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

const failed = [];
const left = [...STEPS];
await Promise.all([runSteps(), runSteps()]);

console.log('');
for (const { about, remedy } of failed) console.error(`check failed: ${about}. What to do: ${remedy}.`);
if (failed.length === 0) console.log(`check passed: ${STEPS.map(({ about }) => about).join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;

/** Takes steps until none is left: two at once, as most machines have two processors. */
async function runSteps() {
  for (let step = left.shift(); step !== undefined; step = left.shift()) {
    const { script, about } = step;
    const child = spawn('npm', ['run', '--silent', script], {
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    const [code] = await once(child, 'close');
    console.log(`\n--- ${about} (npm run ${script})\n${output}`);
    if (code !== 0) failed.push(step);
  }
}
