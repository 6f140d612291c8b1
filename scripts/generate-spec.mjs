/** Writes docs/spec.md from the checks of lint: `npm run spec`. With `--check`, says whether it is up to date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { formatSpec } from '../src/core/lint-checks.ts';

const file = new URL('../docs/spec.md', import.meta.url);
const spec = formatSpec();
if (!process.argv.includes('--check')) {
  writeFileSync(file, spec);
} else if (readFileSync(file, 'utf8') !== spec) {
  console.error('docs/spec.md is not what the checks say: run "npm run spec"');
  process.exitCode = 1;
}
