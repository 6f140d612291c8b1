/** Runs programs of the system as clients. */
import { spawn, spawnSync } from 'node:child_process';
import type { Test } from 'tap';

/** What a program did. */
export interface Ran {
  readonly code: number | null;
  readonly bytes: Buffer;
  readonly text: string;
  readonly stderr: string;
}

/** Runs a program to its end, or for a minute and a half. @param input - what it reads from standard input */
export function run(
  command: string,
  args: readonly string[],
  input: string | Uint8Array = '',
  env: NodeJS.ProcessEnv = process.env,
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, timeout: 90_000 });
    const out: Buffer[] = [];
    let stderr = '';
    child.stdout.on('data', (bytes: Buffer) => out.push(bytes));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      const bytes = Buffer.concat(out);
      resolve({ code, bytes, text: bytes.toString(), stderr });
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/**
 * Whether a program is there. Where it is not its tests are skipped, but in CI they fail: .ci/run installs it.
 * @param args - with which it ends at once, and with 0
 */
export function needsClient(test: Test, name: string, command: string, ...args: string[]): boolean {
  if (spawnSync(command, args).status === 0) return true;
  if (process.env.CI === undefined) test.comment(`${name} is not installed: what it judges is skipped`);
  else test.fail(`${name} is not installed, and CI must have it: see .ci/run`);
  return false;
}
