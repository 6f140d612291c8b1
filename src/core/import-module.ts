import { isMainThread } from 'node:worker_threads';
import { isRunByTsx, needsTsx, registerTsx } from './tsx.js';

/** Imports a module; with tsx for TypeScript, where that is installed, as threads do not inherit what it does to imports. */
export async function importModule(url: string): Promise<object> {
  // Where it is not installed, the import says what it does not know.
  if (isRunByTsx() ? !isMainThread : needsTsx(new URL(url).pathname)) await registerTsx();
  return (await import(url)) as object;
}
