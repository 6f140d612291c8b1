export { type WaitForBodyOptions, waitForBody, waitForBodyMiddleware } from './wait-for-body.js';
