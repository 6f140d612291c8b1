export { type DecodeBodyOptions, decodeBody } from './decode-body.js';
export { type WaitForBodyOptions, waitForBody, waitForBodyMiddleware } from './wait-for-body.js';
