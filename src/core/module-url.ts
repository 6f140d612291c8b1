import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describeValue } from './errors.js';

const EXAMPLE = "new URL('./blocking.js', import.meta.url)";
const COMMON_EXAMPLE = "pathToFileURL(require.resolve('./blocking.cjs'))";

/** A module has the one ending where it is run from its source, and the other where it was compiled. */
const ENDINGS: readonly (readonly [ending: RegExp, other: string])[] = [
  [/\.([mc]?)js$/, '.$1ts'],
  [/\.([mc]?)ts$/, '.$1js'],
  [/\.js$/, '.tsx'],
  [/\.tsx$/, '.js'],
];

/**
 * The URL of a module that another thread or process is to load: `./a.js` is `./a.ts` where only that is there, and the other
 * way round.
 * @param example - how it is given
 * @throws {TypeError} for a function, which cannot cross threads, for what is no URL of a file, and for a file that is not there
 */
export function resolveModule(owner: string, module: unknown, example = EXAMPLE): string {
  if (typeof module === 'function')
    throw new TypeError(
      `${owner} takes a module and the name of its export, as a function cannot be sent to another thread or process: put it into a file of its own, and give ${owner}(${example}, ...)`,
    );
  const url = module instanceof URL ? module : typeof module === 'string' ? parseUrl(module) : undefined;
  if (url === undefined || url.protocol !== 'file:')
    throw new TypeError(
      `${owner} takes the URL of a module, ${example}, or where there is no import.meta, ${COMMON_EXAMPLE}; received ${module instanceof URL ? module.href : describeValue(module)}`,
    );
  const found = [url, ...spellOtherwise(url)].find(isFile);
  if (found === undefined)
    throw new TypeError(
      `${owner}: there is no file ${fileURLToPath(url)}; the URL of a module is ${example}`,
    );
  return found.href;
}

function spellOtherwise(url: URL): URL[] {
  return ENDINGS.filter(([ending]) => ending.test(url.pathname)).map(([ending, other]) => {
    const spelt = new URL(url);
    spelt.pathname = url.pathname.replace(ending, other);
    return spelt;
  });
}

function isFile(url: URL): boolean {
  return statSync(fileURLToPath(url), { throwIfNoEntry: false })?.isFile() === true;
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
