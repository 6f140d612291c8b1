import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const MODULES = new URL('../../.modules/', import.meta.url);
const COMPILED = new URL('../../.tap/compiled/', import.meta.url);

const done = new Set<string>();

/** A module beside this one and those beside it that it imports, as JavaScript that imports what is built in the place of src. @returns its URL */
export function compile(name: string): URL {
  const source = new URL(`./${name}.ts`, import.meta.url);
  const made = new URL(`${name}.mjs`, COMPILED);
  if (done.has(name)) return made;
  done.add(name);
  const text = readFileSync(source, 'utf8');
  for (const [, other] of text.matchAll(BESIDE)) compile(other as string);
  if (changedMs(made) > changedMs(source)) return made;
  // Loading the compiler takes longer than what it compiles.
  const ts = createRequire(import.meta.url)('typescript') as typeof import('typescript');
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2022,
      verbatimModuleSyntax: true,
    },
  });
  mkdirSync(COMPILED, { recursive: true });
  // Several test files compile the same at once, and none shall read half of it.
  const whole = new URL(`${name}-${process.pid}.mjs`, COMPILED);
  writeFileSync(
    whole,
    outputText.replaceAll("'../../src/", `'${MODULES.href}`).replaceAll(BESIDE, "'./$1.mjs'"),
  );
  renameSync(whole, made);
  return made;
}

/** How a module names another one beside it. */
const BESIDE = /'\.\/([\w-]+)\.[jt]s'/g;

function changedMs(file: URL): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
