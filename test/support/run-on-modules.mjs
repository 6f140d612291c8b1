/**
 * Loaded in front of each test file, by .taprc: what tests import of `src` is what was built of it, module by module. Compiling
 * `src` for each of them anew takes longer than most of them do.
 */
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import processOnSpawn from 'process-on-spawn';
import 'tsx';
import { isStale } from '../../scripts/build.mjs';

if (isMainThread && isStale())
  throw new Error(
    'Tests run on what is built, which is missing or older than src: run `npm run build` first',
  );
register('../../scripts/built-hooks.mjs', import.meta.url);

// tap has its loaders start in each child of a test as well, which only coverage needs.
if (process.env._TAPJS_PROCESSINFO_COVERAGE_ === '0') processOnSpawn.removeAllListeners();
