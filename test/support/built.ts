/**
 * Tests of processes and threads on what users have: dist, and modules of plain JavaScript. They are up in a tenth of the time
 * that tsx and tap take. `npm test` builds dist; types are those of src.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const DIST = new URL('../../dist/', import.meta.url);
const COMPILED = new URL('../../.tap/compiled/', import.meta.url);

export const actors = (await import(
  new URL('actors/index.js', DIST).href
)) as typeof import('../../src/actors/index.js');
export const vela = (await import(new URL('index.js', DIST).href)) as typeof import('../../src/index.js');

/** A module beside this one, as JavaScript that imports dist in the place of src. @returns its URL */
export function compile(name: string): URL {
  const { outputText } = ts.transpileModule(readFileSync(new URL(`./${name}.ts`, import.meta.url), 'utf8'), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  mkdirSync(COMPILED, { recursive: true });
  const made = new URL(`${name}.mjs`, COMPILED);
  const text = outputText
    .replaceAll("'../../src/", `'${DIST.href}`)
    .replaceAll("'./actors.ts'", "'./actors.mjs'");
  // Several test files compile the same at once: one that is there is as good.
  if (read(made) !== text) writeFileSync(made, text);
  return made;
}

function read(url: URL): string | undefined {
  try {
    return readFileSync(fileURLToPath(url), 'utf8');
  } catch {
    return undefined;
  }
}
