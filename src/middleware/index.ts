export type {
  Authorization,
  BasicCredentials,
  BearerCredentials,
  DigestCredentials,
} from '../request/authorization.js';
export {
  evaluatePreconditions,
  type Preconditions,
  readPreconditions,
  type Validators,
} from '../response/preconditions.js';
export {
  type AuthenticateOptions,
  authenticate,
  type BasicOptions,
  type BearerOptions,
} from './authenticate.js';
export { authorization, authorizationMiddleware, authorizationOf } from './authorization.js';
export { type CompressOptions, compress } from './compress.js';
export { type CsrfOptions, csrf, csrfTokenOf } from './csrf.js';
export type { CsrfTokenOptions } from './csrf-tokens.js';
export { type DecodeBodyOptions, decodeBody } from './decode-body.js';
export type { DigestAlgorithm, DigestOptions, DigestSecret } from './digest-gate.js';
export type { Encoding } from './encodings.js';
export { type EtagOptions, etag } from './etag.js';
export { type RateLimitOptions, rateLimit } from './rate-limit.js';
export {
  createMemoryRateLimitStore,
  type MemoryRateLimitStoreOptions,
  type RateLimitStore,
  type TakenTokens,
  type TokenBucket,
} from './rate-limit-store.js';
export { type SessionMiddleware, type SessionOptions, session, sessionOf } from './session.js';
export type { Session } from './session-state.js';
export { createMemoryStore, type MemoryStoreOptions, type SessionStore } from './session-store.js';
export { type WaitForBodyOptions, waitForBody, waitForBodyMiddleware } from './wait-for-body.js';
