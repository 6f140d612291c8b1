import { bootFile } from '../../core/boot-file.js';
import { importModule } from '../../core/import-module.js';
import type { ThreadStart } from '../wire.js';

/**
 * What piscina runs in each thread. It comes by `require`, so all else is imported from here: each module is there once
 * then, for the server's code and the user's.
 */
export default async function bootThread(start: ThreadStart): Promise<void> {
  const module = await importModule(bootFile('executor/thread/serve-thread').href);
  await (module as typeof import('./serve-thread.js')).serveThread(start);
}
