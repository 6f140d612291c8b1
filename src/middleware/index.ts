export { type EtagOptions, etag } from './etag.js';
export { type WaitForBodyOptions, waitForBody, waitForBodyMiddleware } from './wait-for-body.js';
