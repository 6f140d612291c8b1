import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { isRunByTsx, missingTsxError, needsTsx, registerTsx } from './tsx.js';

/**
 * Imports a module; with tsx for TypeScript, where that is installed, as threads do not inherit what it does to imports.
 * @throws {ImproperlyConfigured} for TypeScript without tsx; what the module itself throws
 */
export async function importModule(url: string): Promise<object> {
  const isTypeScript = needsTsx(new URL(url).pathname);
  const cause = (isRunByTsx() ? !isMainThread : isTypeScript) ? await registerTsx() : undefined;
  if (cause !== undefined && isTypeScript) throw missingTsxError(fileURLToPath(url), cause);
  return (await import(url)) as object;
}
