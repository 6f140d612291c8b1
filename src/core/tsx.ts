import { ImproperlyConfigured } from './errors.js';

const TYPESCRIPT = /\.[cm]?tsx?$/;
let registering: Promise<Error | undefined> | undefined;

/** Whether this process was started with tsx. */
export function isRunByTsx(): boolean {
  const { execArgv, env } = process;
  return [...execArgv, env.NODE_OPTIONS ?? ''].some((argument) => argument.includes('tsx'));
}

/** Whether a file is TypeScript that this Node does not read itself, as 22.18 and 23.6 do. */
export function needsTsx(path: string): boolean {
  const { features } = process;
  return TYPESCRIPT.test(path) && !('typescript' in features && Boolean(features.typescript));
}

/** What to say where TypeScript cannot be read. @param cause - what `registerTsx` gave */
export function missingTsxError(path: string, cause: Error): ImproperlyConfigured {
  return new ImproperlyConfigured(
    `${path} is TypeScript, which needs tsx on Node ${process.versions.node}: npm install -D tsx, or give the compiled .js file`,
    { cause },
  );
}

/** Lets imports read TypeScript, once. It comes before the first of them: one that has failed fails again. @returns why it cannot */
export function registerTsx(): Promise<Error | undefined> {
  registering ??= register();
  return registering;
}

async function register(): Promise<Error | undefined> {
  try {
    // Optional, so its types need not be there.
    const tsx = (await import('tsx/esm/api' as string)) as { register: () => unknown };
    tsx.register();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}
