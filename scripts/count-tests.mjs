/**
 * Counts the assertions in a file of TAP, for CI: prints `PASSED FAILED`. With skip and todo counted as neither.
 *
 * It reads the summary with which tap ends its output, `# { total: 6, pass: 5, fail: 1 }`. A file without one comes
 * from a run that broke off, which is one failure.
 */
import { existsSync, readFileSync } from 'node:fs';

const file = process.argv[2];
const text = file !== undefined && existsSync(file) ? readFileSync(file, 'utf8') : '';
const summary = text.match(/^# \{ .*\}$/gm)?.at(-1);
const count = (word) => Number(summary?.match(new RegExp(`\\b${word}: (\\d+)`))?.[1] ?? 0);
console.log(summary === undefined ? '0 1' : `${count('pass')} ${count('fail')}`);
