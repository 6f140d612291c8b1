import { importModule } from '../../core/import-module.js';
import type { ThreadStart } from '../wire.js';

/**
 * What piscina runs in each thread. It comes by `require`, so all else is imported from here: each module is there once
 * then, for the server's code and the user's.
 */
export default async function bootThread(start: ThreadStart): Promise<void> {
  const name = `./serve-thread.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`;
  const module = await importModule(new URL(name, import.meta.url).href);
  await (module as typeof import('./serve-thread.js')).serveThread(start);
}
