import type { Finding } from './finding.js';
import { MACHINE_CHECKS } from './machine-checks.js';

/**
 * Looks whether this machine is fit to serve, and prints what it found: a line each, and what to do about what is not as
 * it should be.
 * @returns whether nothing is an error
 */
export async function doctor(): Promise<boolean> {
  let isFit = true;
  const width = Math.max(...MACHINE_CHECKS.map(([name]) => name.length));
  for (const [name, check] of MACHINE_CHECKS) {
    const { state, found, remedy } = await check();
    if (state === 'error') isFit = false;
    process.stdout.write(`${state.padEnd(WIDEST.length)}  ${name.padEnd(width)}  ${found}\n`);
    if (remedy !== undefined)
      process.stdout.write(`${' '.repeat(WIDEST.length + width + 4)}what to do: ${remedy}\n`);
  }
  return isFit;
}

const WIDEST: Finding['state'] = 'warning';
