/** Tests of examples. */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type Served, startExample } from './run-example.js';

const GATEWAYS = ['uws', 'node'] as const;

/** Starts an example on a gateway, uses it, and wants it to stop with 0. */
export function example(
  name: string,
  use: (t: Test, example: Served, folder: string) => Promise<void>,
  flags: readonly string[] = [],
): void {
  for (const gateway of GATEWAYS) {
    t.test(`${name}: ${gateway}`, async (t) => {
      const folder = t.testdir();
      const started = await startExample(t, name, ['--gateway', gateway, ...flags], { TMPDIR: folder });
      await use(t, started, folder);
      t.equal(await started.stop(), 0, 'it stops on SIGTERM with 0');
      t.equal(started.lines.at(-1), 'vela: bye (exit code = 0)');
      t.same(
        readdirSync(folder).filter((name) => name.startsWith('vela-')),
        [],
        'it leaves nothing behind',
      );
    });
  }
}

/** Waits until something is so. @throws after five seconds */
export async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (isSo()) return;
    await sleep(10);
  }
  throw new Error('it did not come to be');
}
