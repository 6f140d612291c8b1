import { pathToFileURL } from 'node:url';
import { ImproperlyConfigured } from '../core/errors.js';

const TYPESCRIPT = /\.[cm]?tsx?$/;

/**
 * Imports a file, TypeScript too: as this Node or its loaders do, else with tsx, where that is installed.
 * @param path - absolute
 * @throws {ImproperlyConfigured} for TypeScript without tsx; what the file itself throws
 */
export async function importFile(path: string): Promise<Readonly<Record<string, unknown>>> {
  const { href } = pathToFileURL(path);
  if (TYPESCRIPT.test(path) && !canImportTypeScript()) await registerTsx(path);
  return (await import(href)) as Record<string, unknown>;
}

/** Node takes types out itself from 22.18 and 23.6 on, and tsx may be there already. */
function canImportTypeScript(): boolean {
  const { execArgv, env, features } = process;
  const hasTsx = [...execArgv, env.NODE_OPTIONS ?? ''].some((argument) => argument.includes('tsx'));
  return hasTsx || ('typescript' in features && Boolean(features.typescript));
}

async function registerTsx(path: string): Promise<void> {
  try {
    // Optional, so its types need not be there.
    const { register } = (await import('tsx/esm/api' as string)) as { register: () => unknown };
    register();
  } catch (cause) {
    throw new ImproperlyConfigured(
      `${path} is TypeScript, which needs tsx on Node ${process.versions.node}: npm install -D tsx, or give the compiled .js file`,
      { cause },
    );
  }
}
