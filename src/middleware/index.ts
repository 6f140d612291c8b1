export {
  evaluatePreconditions,
  type Preconditions,
  readPreconditions,
  type Validators,
} from '../response/preconditions.js';
export { type EtagOptions, etag } from './etag.js';
export { type WaitForBodyOptions, waitForBody, waitForBodyMiddleware } from './wait-for-body.js';
