import { pathToFileURL } from 'node:url';
import { isRunByTsx, missingTsxError, needsTsx, registerTsx } from '../core/tsx.js';

/**
 * Imports a file, TypeScript too: as this Node or its loaders do, else with tsx, where that is installed.
 * @param path - absolute
 * @param version - a new one reads the file anew
 * @throws {ImproperlyConfigured} for TypeScript without tsx; what the file itself throws
 */
export async function importFile(path: string, version = ''): Promise<Readonly<Record<string, unknown>>> {
  const cause = needsTsx(path) && !isRunByTsx() ? await registerTsx() : undefined;
  if (cause !== undefined) throw missingTsxError(path, cause);
  return (await import(`${pathToFileURL(path).href}${version}`)) as Record<string, unknown>;
}
