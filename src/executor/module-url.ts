import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describeValue } from '../core/errors.js';

/** How a module is given. */
const EXAMPLE = "new URL('./blocking.js', import.meta.url)";

/**
 * The URL of a module for threads.
 * @throws {TypeError} for a function, which cannot cross threads, for what is no URL of a file, and for a file that is not there
 */
export function resolveModule(owner: string, module: unknown): string {
  if (typeof module === 'function')
    throw new TypeError(
      `${owner} takes a module and the name of its export, as a function cannot be sent to another thread: put it into a file of its own, and give ${owner}(${EXAMPLE}, ...)`,
    );
  const url = module instanceof URL ? module : typeof module === 'string' ? parseUrl(module) : undefined;
  if (url === undefined || url.protocol !== 'file:')
    throw new TypeError(
      `${owner} takes the URL of a module, ${EXAMPLE}; received ${module instanceof URL ? module.href : describeValue(module)}`,
    );
  const path = fileURLToPath(url);
  if (!existsSync(path))
    throw new TypeError(`${owner}: there is no file ${path}; the URL of a module is ${EXAMPLE}`);
  return url.href;
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
