import { isMainThread } from 'node:worker_threads';

const TYPESCRIPT = /\.[mc]?tsx?$/;
let isRegistered = false;

/** Imports a module; with tsx for TypeScript, where that is installed, as threads do not inherit what it does to imports. */
export async function importModule(url: string): Promise<object> {
  const { execArgv, env, features } = process;
  const isRunByTsx = [...execArgv, env.NODE_OPTIONS ?? ''].some((argument) => argument.includes('tsx'));
  const isTypeScript =
    TYPESCRIPT.test(new URL(url).pathname) && !('typescript' in features && features.typescript);
  if (isRunByTsx ? !isMainThread : isTypeScript) await registerTsx();
  return (await import(url)) as object;
}

/** Before the first import: one that has failed fails again. */
async function registerTsx(): Promise<void> {
  if (isRegistered) return;
  isRegistered = true;
  try {
    // Optional, so its types need not be there.
    const { register } = (await import('tsx/esm/api' as string)) as { register: () => unknown };
    register();
  } catch {
    // It is not installed: the import says what it does not know.
  }
}
