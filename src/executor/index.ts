export { createExecutor, type Executor } from './executor.js';
export {
  BUCKETS_MS,
  type ExecutorCallMessage,
  type ExecutorMetrics,
  type Histogram,
} from './executor-metrics.js';
export type { ExecutorOptions } from './executor-options.js';
export { middlewareInExecutor, type OffloadOptions } from './middleware-in-executor.js';
export { move } from './move.js';
export { offload } from './offload.js';
export { type OpenExecutor, openExecutors } from './open-executors.js';
