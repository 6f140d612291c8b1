import { actors } from './actors.mjs';
import { adapters } from './adapters.mjs';
import { core } from './core.mjs';
import { executor } from './executor.mjs';
import { middleware } from './middleware.mjs';
import { multipart } from './multipart.mjs';
import { router } from './router.mjs';
import { routerMemory } from './router-memory.mjs';
import { rpc } from './rpc.mjs';
import { staticFiles } from './static.mjs';
import { webSocket } from './websocket.mjs';
import { workers } from './workers.mjs';

/**
 * What `--suite` takes, in the order of docs/benchmarks.md. A suite has rows, servers and its own rounds and windows
 * (`full`, `quick`); says how a row is measured, summarized and formatted; and may set up what its servers need.
 */
export const suites = [core, workers, router, routerMemory, staticFiles, multipart, middleware, executor, actors, webSocket, rpc, adapters];
