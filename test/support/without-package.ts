import { execFile, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Test } from 'tap';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Imports an entry of vela where a package is missing, in a process of its own, behind others that do not need it.
 * @param missing - its folder in node_modules
 * @param files - beside the script: the entry may be one of them
 * @returns the error's code, its message and the code of its cause, or `loaded`
 */
export async function importWithout(
  t: Test,
  {
    missing,
    entry,
    others,
    files = {},
  }: { missing: string; entry: string; others: readonly string[]; files?: Readonly<Record<string, string>> },
): Promise<string> {
  const { status } = spawnSync(process.execPath, ['scripts/build.mjs', '--if-stale'], { cwd: root });
  t.equal(status, 0);
  const folder = mkdtempSync(join(tmpdir(), 'vela-without-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const modules = `${folder}/node_modules`;
  mkdirSync(`${modules}/vela`, { recursive: true });
  symlinkSync(`${root}dist`, `${modules}/vela/dist`);
  cpSync(`${root}package.json`, `${modules}/vela/package.json`);
  for (const name of readdirSync(`${root}node_modules`))
    if (!name.startsWith('.') && name !== missing)
      symlinkSync(`${root}node_modules/${name}`, `${modules}/${name}`);
  writeFileSync(`${folder}/package.json`, '{}');
  for (const [name, text] of Object.entries(files)) writeFileSync(`${folder}/${name}`, text);
  writeFileSync(
    `${folder}/try.mjs`,
    `${others.map((name) => `import '${name}';`).join(' ')}
await import('${entry}').then(() => console.log('loaded'), (error) => console.log(error.code, '|', error.message, '|', error.cause.code));`,
  );
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--preserve-symlinks', `${folder}/try.mjs`],
    {
      cwd: folder,
      env: { PATH: process.env.PATH },
    },
  );
  return stdout.trim();
}
