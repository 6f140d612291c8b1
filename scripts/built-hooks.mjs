/** Hooks of modules: what is built goes past tsx, which would look at each file, and .modules stands for `src`. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const folder = (name) => new URL(`../${name}/`, import.meta.url).href;
const SRC = folder('src');
const MODULES = folder('.modules');
const DIST = folder('dist');

const isBuilt = (url) => url?.startsWith(MODULES) || url?.startsWith(DIST);

export async function resolve(specifier, context, next) {
  if (specifier.startsWith('.') && isBuilt(context.parentURL))
    return { url: new URL(specifier, context.parentURL).href, format: 'module', shortCircuit: true };
  const found = await next(specifier, context);
  if (!found.url.startsWith(SRC)) return found;
  return { ...found, url: MODULES + found.url.slice(SRC.length).replace(/\.ts\b/, '.js'), format: 'module' };
}

export async function load(url, context, next) {
  if (!isBuilt(url)) return next(url, context);
  const source = await readFile(fileURLToPath(url), 'utf8');
  // tsx changes what `import()` gives of a module in TypeScript.
  return source.includes('import(') ? next(url, context) : { format: 'module', source, shortCircuit: true };
}
