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
export { type AccessLogOptions, accessLog } from './access-log.js';
export {
  type AuthenticateOptions,
  authenticate,
  type BasicOptions,
  type BearerOptions,
} from './authenticate.js';
export { authorization, authorizationMiddleware, authorizationOf } from './authorization.js';
export { type BodyLimitOptions, bodyLimit } from './body-limit.js';
export { type CleanPathOptions, cleanPath } from './clean-path.js';
export { type CompressOptions, compress } from './compress.js';
export type { CspOptions, CspSources } from './content-security-policy.js';
export { cors } from './cors.js';
export type { CorsOptions } from './cors-options.js';
export { type CsrfOptions, csrf, csrfTokenOf } from './csrf.js';
export type { CsrfTokenOptions } from './csrf-tokens.js';
export { type DecodeBodyOptions, decodeBody } from './decode-body.js';
export type { DigestAlgorithm, DigestOptions, DigestSecret } from './digest-gate.js';
export type { Encoding } from './encodings.js';
export { type ErrorPageContext, type ErrorPageOptions, type ErrorRenderer, errorPage } from './error-page.js';
export { type EtagOptions, etag } from './etag.js';
export { type HealthOptions, health } from './health.js';
export type { HealthCheck } from './health-checks.js';
export type { LineStream } from './line-writer.js';
export { mount } from './mount.js';
export { type ProxyHeadersOptions, proxyHeaders } from './proxy-headers.js';
export { type RateLimitOptions, rateLimit } from './rate-limit.js';
export {
  createMemoryRateLimitStore,
  type MemoryRateLimitStoreOptions,
  type RateLimitStore,
  type TakenTokens,
  type TokenBucket,
} from './rate-limit-store.js';
export { type RequestIdOptions, requestId } from './request-id.js';
export { type HstsOptions, type SecureHeadersOptions, secureHeaders } from './secure-headers.js';
export { type ServerTimingOptions, serverTiming, timing } from './server-timing.js';
export { type SessionMiddleware, type SessionOptions, session, sessionOf } from './session.js';
export type { Session } from './session-state.js';
export { createMemoryStore, type MemoryStoreOptions, type SessionStore } from './session-store.js';
export { type TimeoutOptions, timeout } from './timeout.js';
export { type WaitForBodyOptions, waitForBody, waitForBodyMiddleware } from './wait-for-body.js';
export { type BlockingMessage, type WarnBlockingOptions, warnBlocking } from './warn-blocking.js';
