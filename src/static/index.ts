export type { FileCacheOptions } from './file-cache.js';
export { type FileResponseOptions, fileResponse } from './file-response.js';
export type { MediaRouterOptions } from './media-options.js';
export { MediaRouter } from './media-router.js';
