/** Hooks of modules: what is built goes past tsx, which would look at each file, and `src` stands for it. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const SRC = new URL('../src/', import.meta.url).href;
const DIST = new URL('../dist/', import.meta.url).href;

export async function resolve(specifier, context, next) {
  if (specifier.startsWith('.') && context.parentURL?.startsWith(DIST))
    return { url: new URL(specifier, context.parentURL).href, format: 'module', shortCircuit: true };
  const found = await next(specifier, context);
  if (!found.url.startsWith(SRC)) return found;
  return { ...found, url: DIST + found.url.slice(SRC.length).replace(/\.ts\b/, '.js'), format: 'module' };
}

export async function load(url, context, next) {
  if (!url.startsWith(DIST)) return next(url, context);
  const source = await readFile(fileURLToPath(url), 'utf8');
  // tsx changes what `import()` gives of a module in TypeScript.
  return source.includes('import(') ? next(url, context) : { format: 'module', source, shortCircuit: true };
}
