import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { runCalls } from '../../lib/executor-child.mjs';

await runCalls(async () => {
  const filename = fileURLToPath(new URL('./piscina-work.mjs', import.meta.url));
  const pool = new Piscina({ filename, minThreads: 1, maxThreads: 1, concurrentTasksPerWorker: Number(process.argv[3]) });
  return { call: () => pool.run(undefined, { name: 'noop' }), close: () => pool.destroy() };
});
